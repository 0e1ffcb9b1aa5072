"""Transcripts of other tools: read into one tidy frame, joined to turns, searched.

Files and objects of transcribers come in; frames of words and moments go out. It may import `frame` and the wings below
it.
"""

from kataven_notebook.words.finding import find
from kataven_notebook.words.joining import join
from kataven_notebook.words.reading import read

__all__ = ["find", "join", "read"]
