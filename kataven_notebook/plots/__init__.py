"""Figures of one call and of a whole frame, for notebooks and papers: labelled, with units, in the current style.

Needs the extra `[plots]`. Agent and caller have the player's two colours, groups those of matplotlib's current style,
so that `plt.style.use("dark_background")` and others just work; nothing global is changed, and nothing is shown: a
notebook shows the figure at the cell's end. All texts keep to their figure, from a paper's column of 3.35 inches on.

Recordings and tables come in; Axes go out. It may import `numbers`, `stats`, `speech`, `sound` and the ground modules.
"""

from kataven_notebook.plots.call_figures import spectrogram, timeline, waveform
from kataven_notebook.plots.figures import forest, latency, overview

__all__ = ["forest", "latency", "overview", "spectrogram", "timeline", "waveform"]
