"""Figures of one call and of a whole frame, for notebooks: labelled, with units, in the current style.

Needs the extra `[plots]`. Colours come from matplotlib's current style, so that
`plt.style.use("dark_background")` and others just work; nothing global is changed, and nothing is shown: a
notebook shows the figure at the cell's end.

Recordings and tables come in; Axes go out. It may import `numbers`, `stats`, `speech`, `sound` and the ground modules.
"""

from kataven_notebook.plots.figures import latency, overview, spectrogram, timeline, waveform

__all__ = ["latency", "overview", "spectrogram", "timeline", "waveform"]
