"""Where each channel of a recording has speech.

A `Recording` comes in; intervals in seconds, a level and a noise floor per channel go out. It may import the ground
modules, `machine` and `sound`, and knows nothing of roles, turns or frames.
"""
