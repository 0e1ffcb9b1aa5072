"""The Kataven Hub and its storage: one endpoint, its limits, and downloads from signed URLs.

A session id comes in; a `SignedUrl` goes out, and from a `SignedUrl` the bytes of a recording. Every request is
counted in the account's budget first. It may import the ground modules and `machine`.
"""
