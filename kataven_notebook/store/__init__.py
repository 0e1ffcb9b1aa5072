"""What is kept of each session: its sound, its outcome and what was found in it, in a folder or in a bucket.

Verified files and statuses come in; recordings and entries come out, in this process or in the next. It may import
the ground modules, `machine` and `sound`.
"""
