"""Sound: bytes become a `Recording`, and a `Recording` becomes samples.

Encoded bytes, a file or samples come in; samples of shape `(frames, channels)`, float32 in [-1, 1], and sound files go
out. It may import `machine` and the ground modules (such as `errors`): no network, no frame.
"""
