"""The functions from frame to frame: they find the sessions, run what is left to do, and add columns.

A DataFrame of sessions comes in; a new one with the same rows and more columns, or a table, goes out. It may import
all wings below it: `run`, `numbers`, `stats`, `speech`, `store`, `service`, `sound`, `machine` and the ground modules.
"""
