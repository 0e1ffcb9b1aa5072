"""`report`: one page to send."""

from __future__ import annotations

import base64
import re
import time
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import kataven_notebook as kn
from kataven_notebook import errors
from kataven_notebook.publish import figures
from kataven_notebook.publish.reporting import report

pytestmark = [pytest.mark.core, pytest.mark.filterwarnings("ignore:the report has no figures:UserWarning")]

CALLS = Path(kn.__file__).parent / "demo" / "calls"


MOMENTS = pd.DataFrame(
    {
        "session_id": ["session-0010", "session-0001"],
        "start_s": [1.0, 2.0],
        "end_s": [2.0, 3.0],
        "text": ["first", "second"],
        "moment_id": ["m1", "m2"],
    }
)


KEY = "sk_live_acme_1234"
_BY_P = {"by": "p", "metric": "x"}


class _Text(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.parts: list[str] = []
        self.is_style = False
        self.attributes: list[tuple[str, str, str | None]] = []

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.is_style = tag == "style"
        self.attributes += [(tag, *each) for each in attrs]

    def handle_endtag(self, tag: str) -> None:
        self.is_style = self.is_style and tag != "style"

    def handle_data(self, data: str) -> None:
        if not self.is_style:
            self.parts.append(data)


@pytest.fixture(autouse=True)
def _without_figures(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """They take most of the time, and have tests of their own."""
    if "figures" not in request.function.__name__:
        monkeypatch.setattr(figures, "is_possible", lambda: False)


def read(path: Path) -> _Text:
    """The page as a browser takes it apart."""
    found = _Text()
    found.feed(path.read_text(encoding="utf-8"))
    return found


def text_of(path: Path) -> str:
    """What the page says."""
    return " ".join(" ".join(read(path).parts).replace("\N{NO-BREAK SPACE}", " ").split())


def test_the_finding_comes_first(measured: pd.DataFrame, tmp_path: Path) -> None:
    """Then what was measured, comparison, numbers, definitions, versions, in this order."""
    text = text_of(report(measured, tmp_path / "a.html", by="prompt"))
    order = [
        "Response latency, median: v2 is 1.20 s faster than v1 (95 % interval",
        "What was measured Calls 17 Measured 16 Sound 3.2 min Period 2026-03-02 to 2026-03-09",
        "missing 1 6 % the session has no recording",
        "Numbers by prompt; differences are to v1",
        "Numbers of all calls",
        "Median time from the caller's last speech to the agent's response.",
        "Speech found by level (16 calls)",
        "none in this file",
        f"Made by kataven-notebook {kn.__version__} on 20",
    ]
    places = [text.find(each) for each in order]
    assert -1 not in places, [each for each, place in zip(order, places, strict=True) if place < 0]
    assert places == sorted(places)


def test_the_frame_is_not_changed_and_the_path_comes_back(measured: pd.DataFrame, tmp_path: Path) -> None:
    """Whatever was asked of it."""
    before = measured.copy()
    assert report(measured, str(tmp_path / "a.html"), by="prompt", clips=MOMENTS) == tmp_path / "a.html"
    pd.testing.assert_frame_equal(measured, before)


def test_counts_are_compared_by_means_and_booleans_by_shares(measured: pd.DataFrame, tmp_path: Path) -> None:
    """A median of counts says nothing."""
    text = text_of(report(measured, tmp_path / "a.html", by="prompt", metric=["interruptions_by_caller", "happy"]))
    assert "Interruptions by the caller, mean" in text
    assert "Happy, share" in text
    assert "median" not in text.partition("Definitions")[0]


def test_sound_is_in_it_only_where_asked(measured: pd.DataFrame, tmp_path: Path) -> None:
    """With clips it plays, says whose it is, and can be cited."""
    silent = report(measured, tmp_path / "a.html").read_text()
    assert "<audio" not in silent
    assert "audio/" not in silent.replace("media-src data:", "")
    spoken = kn.from_files([CALLS / "call_01.wav", CALLS / "call_07.mp3"]).assign(agent_channel=1)
    loud = report(spoken, tmp_path / "b.html", metric="duration_s", clips=2)
    page = read(loud)
    sources = [value for tag, name, value in page.attributes if (tag, name) == ("audio", "src")]
    assert len(sources) == 2
    text = text_of(loud)
    assert "This file holds recordings of private calls." in text
    assert "2 clips, MP3" in text
    worst = kn.moments(spoken, agent_channel="agent_channel", progress=False)[:2]
    for row in worst.itertuples():
        assert f"{row.text} call {row.session_id} · at 0:" in text
        assert f"moment {row.moment_id}" in text


def test_moments_of_ones_own_are_played(measured: pd.DataFrame, tmp_path: Path) -> None:
    """In their order, with their texts."""
    text = text_of(report(measured, tmp_path / "a.html", by="prompt", clips=MOMENTS))
    assert text.index("1. Moment: first call session-0010 · v2") < text.index(
        "2. Moment: second call session-0001 · v1"
    )


def test_masked_ids_are_nowhere_in_the_file(measured: pd.DataFrame, tmp_path: Path) -> None:
    """Not in texts of moments, names of groups, clips' bytes, figures or titles."""
    chosen = MOMENTS.assign(text="session-0001 says session-0002")
    frame = measured.assign(prompt=["see session-0003", "b"] * 8 + ["b"])
    path = report(frame, tmp_path / "a.html", by="prompt", clips=chosen, mask_ids=True, title="Of session-0003")
    data = path.read_bytes()
    sounds = re.findall(rb'src="data:audio/mpeg;base64,([^"]*)"', data)
    assert len(sounds) == 2
    for part in (data, *map(base64.b64decode, sounds)):
        assert b"session-0" not in part
    assert "call 2 says call 3" in text_of(path)


@pytest.mark.filterwarnings("ignore:the report holds no sound", "ignore:calls= has none")
def test_ids_of_moments_are_masked_too(measured: pd.DataFrame, tmp_path: Path) -> None:
    """Also of calls that the frame has not."""
    strange = MOMENTS.assign(session_id=["elsewhere-0001", "elsewhere-0002"], text="of elsewhere-0001")
    path = report(measured, tmp_path / "a.html", clips=strange, mask_ids=True)
    assert "elsewhere" not in path.read_text()
    assert "of call 18" in text_of(path)


def test_texts_of_other_directions_are_no_markup_where_none_is_read(measured: pd.DataFrame, tmp_path: Path) -> None:
    """The title of a tab, and what those hear who don't see it."""
    frame = measured.rename(columns={"prompt": "größe"})
    text = report(frame, tmp_path / "a.html", by="größe", title="Überblick & <mehr>").read_text()
    assert "<title>Überblick &amp; &lt;mehr&gt;</title>" in text
    assert "<bdi>größe</bdi>" in text
    labels = re.findall(r'aria-label="([^"]*)"', text)
    assert any("größe" in each for each in labels)
    assert not any("bdi" in each for each in labels)


def test_what_users_wrote_is_text_and_secrets_stay_out(measured: pd.DataFrame, tmp_path: Path) -> None:
    """Ids, groups, columns and titles with markup, from right to left, very long; URLs and keys."""
    bad = '<script>alert(1)</script>\u202e<img src=x onerror=alert(1)>" onload="x' + "y" * 500
    frame = measured.rename(columns={"prompt": bad, "talk_ratio": bad + "_2"})
    frame[bad] = [f"{bad[:60]}{each}" for each in frame[bad]]
    frame["session_id"] = [f"{bad[:80]}{each}" for each in range(17)]
    moments = MOMENTS.assign(session_id=frame["session_id"][:2], text=bad, kind=bad, moment_id=bad)
    path = report(
        frame, tmp_path / "a.html", by=bad, metric=[bad + "_2"], clips=moments, title=bad + "sk_live_acme_1234"
    )
    page = read(path)
    assert {tag for tag, _, _ in page.attributes} <= {
        *(
            "html",
            "meta",
            "link",
            "div",
            "th",
            "td",
            "tr",
            "svg",
            "line",
            "circle",
            "rect",
            "path",
            "text",
            "audio",
            "p",
        ),
        *("dl", "ol", "i", "use", "g", "clippath", "time", "span", "small"),
    }
    assert not [name for _, name, _ in page.attributes if name.startswith("on")]
    raw = path.read_text()
    for secret in ("storage.example", "X-Amz", "sk_live_acme", "\u202e"):
        assert secret not in raw


def test_the_same_frame_gives_the_same_bytes(measured: pd.DataFrame, tmp_path: Path) -> None:
    """But for the date."""
    first, second = (
        re.sub(
            r"\d{4}-\d\d-\d\d(?=[^\n]*</footer>)",
            "",
            report(measured, tmp_path / name, by="prompt", clips=MOMENTS).read_text(),
        )
        for name in ("a.html", "b.html")
    )
    assert first == second


def test_nothing_is_fetched_and_nothing_runs(measured: pd.DataFrame, tmp_path: Path) -> None:
    """No address but of what is in the file, no script, no frame."""
    page = read(report(measured, tmp_path / "a.html", by="prompt", clips=MOMENTS))
    addresses = [value or "" for _, name, value in page.attributes if name in ("src", "href", "xlink:href", "srcset")]
    assert addresses
    assert all(each.startswith(("data:", "#")) for each in addresses)
    assert not {tag for tag, _, _ in page.attributes} & {"script", "iframe", "object", "embed", "form", "a"}


@pytest.mark.parametrize(
    ("frame", "options", "said"),
    [
        ({"session_id": pd.Series(dtype="string")}, {}, "The frame has no calls."),
        ({"session_id": ["a"]}, {}, "1 call, of which no number is known: metrics() measures them."),
        ({"session_id": ["a"], "p": [None], "x": [1.0]}, _BY_P, "No call has a group"),
        ({"session_id": ["a"], "p": ["v1"], "x": [np.inf]}, _BY_P, "no call of v1 has"),
        ({"session_id": ["a"], "p": ["v1"], "x": [1.0]}, _BY_P, "1 call of v1; no interval"),
        (
            {"session_id": list("ab"), "p": ["v1", "v2"], "x": [1.0, 2.0]},
            _BY_P,
            "is 1.00 higher than v1 in these calls",
        ),
    ],
)
def test_a_frame_that_says_little_is_a_page_that_says_so(frame: Any, options: Any, said: str, tmp_path: Path) -> None:
    """No calls, no numbers, no groups, one call."""
    assert said in text_of(report(pd.DataFrame(frame), tmp_path / "a.html", **options))


def test_clips_without_sound_are_a_sentence_and_a_warning(measured: pd.DataFrame, tmp_path: Path) -> None:
    """The page is written all the same."""
    silent = measured.assign(audio=None)[16:]
    with pytest.warns(UserWarning, match="the report holds no sound"):
        path = report(silent, tmp_path / "a.html", metric="duration_s", clips=3)
    assert "There is no sound in which a moment worth hearing was found." in text_of(path)


@pytest.mark.parametrize(
    ("options", "kind", "said"),
    [
        ({"by": "promt"}, errors.FrameError, "did you mean 'prompt'"),
        ({"by": ["prompt", "nothing"]}, errors.FrameError, "no column 'nothing'"),
        ({"metric": "prompt"}, errors.FrameError, "not numbers"),
        ({"session": "call"}, errors.FrameError, "session="),
        ({"by": "prompt", "reference": "v9"}, errors.KatavenError, "v9"),
        ({"statistic": "modus"}, errors.ConfigurationError, "modus"),
        ({"confidence_level": 95}, errors.ConfigurationError, "between 0 and 1"),
        ({"clips": -1}, errors.ConfigurationError, "clips=-1"),
        ({"clips": "all"}, errors.ConfigurationError, "clips='all'"),
        ({"clips": True}, errors.ConfigurationError, "clips=True"),
        ({"mask_ids": "yes"}, errors.ConfigurationError, "True or False"),
        ({"prefix": 7}, errors.FrameError, "prefix=7"),
        ({"title": None}, errors.ConfigurationError, "title=None"),
    ],
)
def test_what_cannot_work_is_one_sentence_and_no_file(
    measured: pd.DataFrame, tmp_path: Path, options: Any, kind: type[Exception], said: str
) -> None:
    """Before anything is measured or written."""
    with pytest.raises(kind, match=said):
        report(measured, tmp_path / "a.html", **options)
    assert list(tmp_path.iterdir()) == []


def test_what_is_no_frame_is_refused(tmp_path: Path) -> None:
    """With the way to one."""
    with pytest.raises(errors.FrameError, match="DataFrame"):
        report(["a"], tmp_path / "a.html")


def test_more_groups_than_a_page_holds_are_refused(tmp_path: Path) -> None:
    """Ten thousand rows of a table are no report."""
    frame = pd.DataFrame({"session_id": [f"s{each}" for each in range(10_000)], "x": 1.0})
    with pytest.raises(errors.FrameError, match=r"by='session_id' makes 10,000 groups, and a page holds 40"):
        report(frame, tmp_path / "a.html", by="session_id", metric="x")


def test_frames_come_in_every_shape(measured: pd.DataFrame, tmp_path: Path) -> None:
    """Ids in a duplicated index, categorical groups, objects, two factors, a prefix; the same numbers."""
    plain = text_of(report(measured, tmp_path / "a.html", by="prompt", metric="talk_ratio"))
    finding = plain[: plain.index("What was measured")]
    odd = measured.astype({"prompt": pd.CategoricalDtype(["v1", "v2", "v3"]), "talk_ratio": "Float64"})
    odd = odd.rename(columns={"talk_ratio": "kn_talk_ratio"}).set_index("session_id")
    assert finding in text_of(report(odd, tmp_path / "b.html", by="prompt", metric="kn_talk_ratio", prefix="kn_"))
    two = measured.assign(hour=[9.0, 10.0] * 8 + [9.0])
    assert "v1, 10" in text_of(report(two, tmp_path / "c.html", by=["prompt", "hour"], metric="talk_ratio"))


def test_rows_of_one_call_count_as_one(measured: pd.DataFrame, tmp_path: Path) -> None:
    """A frame put together with itself knows no more."""
    twice = text_of(report(pd.concat([measured, measured]), tmp_path / "a.html", by="prompt", metric="talk_ratio"))
    assert "8 and 8 calls" in twice
    assert "Calls 17 in 34 rows" in twice


def test_figures_are_drawn_with_the_extra_and_named_without(
    measured: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who made the page is told how to get them; who reads it, that there are none."""
    if figures.is_possible():
        path = report(measured, tmp_path / "a.html", by="prompt")
        assert path.read_text().count('role="img"') >= 2
        assert "Response latency by prompt" in text_of(path)
    monkeypatch.setattr(figures, "is_possible", lambda: False)
    with pytest.warns(UserWarning, match=r'pip install "kataven-notebook\[plots\]"'):
        path = report(measured, tmp_path / "a.html", by="prompt")
    assert "matplotlib was not installed" in text_of(path)


@pytest.mark.long
def test_a_hundred_thousand_calls_take_seconds(tmp_path: Path) -> None:
    """Exact intervals, one pass over each column."""
    draw = np.random.default_rng(0)
    n = 100_000
    frame = pd.DataFrame(
        {
            "session_id": [f"session-{each:06}" for each in range(n)],
            "prompt": np.where(draw.random(n) < 0.5, "v1", "v2"),
            "recording_status": "downloaded",
            "response_latency_p50_s": draw.gamma(4, 0.25, n),
            "interruptions_by_caller": draw.poisson(0.3, n),
            "duration_s": 60.0,
        }
    )
    started = time.process_time()
    path = report(frame, tmp_path / "a.html", by="prompt", mask_ids=True)
    assert time.process_time() - started < 20
    assert path.stat().st_size < 1_000_000
