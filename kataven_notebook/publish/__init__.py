"""What leaves the notebook to be read and heard by others: clips of moments, and a report in one file.

Frames of calls and moments come in; recordings and files go out. It may import `plots`, `exchange`, `stats`, `frame`
and the wings below them.
"""
