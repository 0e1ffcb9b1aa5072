"""Where each channel of a recording has speech, and what the voices in it sound like.

A `Recording` comes in; intervals in seconds, a level and a noise floor per channel, and descriptions of voices go
out. It may import the ground modules, `machine` and `sound`, and knows nothing of roles, turns or frames.
"""
