"""Sound: bytes become a `Recording`, and a `Recording` becomes samples.

Encoded bytes, a file or samples come in; samples of shape `(frames, channels)`, float32 in [-1, 1], go out. It may
import the ground modules (such as `errors`) alone: no network, no frame.
"""
