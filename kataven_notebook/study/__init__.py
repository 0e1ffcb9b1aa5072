"""Listening as a design: how many calls, which of them, what their labels say of all, and whether listeners agree.

Frames of calls and of labels come in; frames and estimates go out. It may import `stats`, `frame` and the wings below
it.
"""

from kataven_notebook.study.agreeing import agreement
from kataven_notebook.study.drawing import sample
from kataven_notebook.study.estimating import estimate
from kataven_notebook.study.planning import plan

__all__ = ["agreement", "estimate", "plan", "sample"]
