"""Keys pressed in the player, on every kind of element that takes the focus, and what they did to the notebook."""

from __future__ import annotations

import string
from typing import TYPE_CHECKING

from browsing import wait_for

if TYPE_CHECKING:
    from collections.abc import Sequence

    from browsing import Lab

# A player with every kind of control: a list, sound in two channels, moments, labels of both kinds.
PLAYER_CELLS = (
    """
import numpy as np, pandas as pd
from kataven_notebook.desk.open import player
from kataven_notebook.sound.recording import Recording
t = np.arange(8000 * 20) / 8000
sound = Recording.from_samples(np.column_stack([0.3 * np.sin(2 * np.pi * hz * t) for hz in (440, 700)]), 8000)
calls = pd.DataFrame({"session_id": [f"call-{i}" for i in range(9)], "audio": [sound] * 8 + [None],
                      "recording_status": ["downloaded"] * 8 + ["missing"]})
moments = pd.DataFrame({"session_id": ["call-0", "call-1"], "start_s": [4.0, 5.0], "kind": ["interruption"] * 2})
""",
    """# desk
desk = player(calls, moments=moments, labels=["good", "bad"], download=True)
desk._book.add("call-0", "good", note="calm")
desk._book.add("call-0", "bad", start_s=2.0, end_s=5.0)
desk
""",
    "# after",
)
# Each of these does something to a cell or a kernel in a front end's command mode.
DANGEROUS = (*"mrxyaz", *"dd", *"00", *"ii", "b", "v", "o", "Enter", "Escape", "Shift+Enter", "Control+Enter")
# Keys with Control that a front end uses on cells; others are its own.
_WITH_CONTROL = ("Enter", "Backspace", "Shift+M", "Shift+ArrowUp", "Shift+ArrowDown", "a", "z", "Shift+-", "m")
_NAMED = ("Enter", "Escape", "Delete", "Backspace", "Home", "End", "PageUp", "PageDown", "Insert", "Space")
_ARROWS = ("ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown")
EVERY_KEY = (
    *(each for key in string.printable[:94] for each in (key, key)),
    *(each for key in (*_NAMED, *_ARROWS) for each in (key, key, f"Shift+{key}")),
    *(f"Control+{key}" for key in _WITH_CONTROL),
    *(f"Alt+{key}" for key in ("Enter", *_ARROWS)),
)

_KINDS = """(root) => {
  const found = [...root.querySelectorAll("button,select,input,textarea,summary,a[href],[tabindex]"), root]
    .filter((each) => each.checkVisibility() && !each.matches(":disabled"));
  const kind = (each) => [each.localName, each.type, each.role, each.classList[0], each.parentElement.localName,
    each.parentElement.classList[0]].join(" ");
  window.kinds = new Map(found.map((each) => [kind(each), each]));
  window.focusKind = (wanted) => {
    // Some are made anew while keys are pressed.
    const now = [...root.querySelectorAll("*"), root]
      .findLast((each) => kind(each) === wanted && each.checkVisibility());
    now?.focus({ preventScroll: true });
    return Boolean(now) && document.activeElement === now;
  };
  return [...kinds.keys()];
}"""


def open_player(lab: Lab, name: str) -> list[str]:
    """Open a notebook with a player, with elements in it that others might add; return the kinds of its elements."""
    lab.open(name, list(PLAYER_CELLS))
    lab.run_all()
    player = lab.player("desk")
    player.locator(".channel").nth(1).wait_for(timeout=60_000)
    lab.page.wait_for_function(
        "window.jupyterapp.shell.currentWidget.context.sessionContext.session.kernel.status === 'idle'"
    )
    player.evaluate(
        """(root) => root.append(...["textarea", "button", "div"].map((tag) =>
          Object.assign(document.createElement(tag), { tabIndex: 0, className: "added", textContent: tag })))"""
    )
    # A region, so that its button is there too.
    player.locator(".wave").focus()
    for key in ("i", "ArrowRight", "o"):
        lab.page.keyboard.press(key)
    player.locator(".region button").wait_for()
    kinds: list[str] = player.evaluate(_KINDS)
    return kinds


def three_kinds(kinds: Sequence[str]) -> list[str]:
    """Return the waveform, the first button of the transport and a text field."""
    return [
        next(each for each in kinds if what in each) for what in ("wave", "button button  icon span set", "textarea")
    ]


def press_on_each(lab: Lab, kinds: Sequence[str], keys: Sequence[str]) -> None:
    """Press each key on each kind of element, and compare the notebook before and after."""
    before = lab.notebook()
    for kind in kinds:
        for key in keys:
            if not lab.page.evaluate("(kind) => focusKind(kind)", kind):
                # Keys on it have cleared the region, or taken the last label back: now there is one more of both.
                lab.page.evaluate("document.querySelector('.kn-player .wave').focus()")
                for each in ("i", "ArrowRight", "o", "1"):
                    lab.page.keyboard.press(each)
                wait_for(lambda kind=kind: lab.page.evaluate("(kind) => focusKind(kind)", kind), what=f"focus: {kind}")
            lab.page.keyboard.press(key)
        assert lab.notebook() == before, f"keys on <{kind}>"
        assert lab.page.evaluate("document.querySelector('.kn-player').contains(document.activeElement)"), kind
