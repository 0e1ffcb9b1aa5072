"""Many sessions at once: signed, downloaded, verified, kept and worked on, within the service's limits.

A `Plan` and tasks come in; one `Outcome` per session goes out. It may import the ground modules, `machine`, `sound`,
`service` and `store`, and needs no pandas at run time.
"""
