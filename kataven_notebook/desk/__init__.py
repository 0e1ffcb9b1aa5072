"""The player: one widget in which people listen to a frame's calls, look and label.

A frame comes in; a widget and a table of labels go out. It may import `frame` and the wings below it, but for `run`.
The page's own part, in JavaScript, is in `static/`.
"""
