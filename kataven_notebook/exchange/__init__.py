"""Out to other tools, and back: folders of sound with a table, RTTM, tables of sessions.

A frame of calls comes in; files go out, and a frame comes back from them. It may import `frame` and the wings
below it.
"""
