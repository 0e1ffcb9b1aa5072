"""Makes two-party calls with known truth, in voices that no part of the package was tuned with.

    python benchmarks/made_calls.py FOLDER --count 10 --seed 1

writes `call_NN.clean.flac` (8 kHz, channel 0 caller, channel 1 agent) and `call_NN.json`, in the form that
`benchmarks/speech.py --calls` reads. Voices are those of `espeak-ng` (seven languages, men and women) and `flite`; both
have to be installed. What is said comes from short lists of sentences; who speaks when is drawn from a seed:
answers after 0.1 to 2.5 s, hesitations, barge-ins with slow and fast yields, backchannels, silences.

True speech times are measured on each utterance before it is mixed, as `kataven_notebook.demo.make_calls` does.
"""

from __future__ import annotations

import argparse
import functools
import json
import subprocess
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import soundfile as sf
import soxr

from kataven_notebook.demo.make_calls import segments

Sound = npt.NDArray[np.float64]

RATE = 8_000
FLITE = ("slt", "rms", "awb", "kal16")
SENTENCES = {
    "en": (
        "Good morning, how can I help you today?",
        "I would like to change the date of my booking, please.",
        "Let me check what is free in the week after next.",
        "The earliest that I can offer is Thursday at half past four in the afternoon.",
        "No, that is too late for me.",
        "Could you tell me the number that is printed on the invoice?",
        "It is seven four nine, two two one, zero.",
        "Thank you. I have found your order, and it left our house on Monday.",
        "The driver rang twice, but nobody opened the door, so the parcel went back to the depot.",
        "I was at home the whole day.",
        "I am sorry about that. Would tomorrow between nine and twelve suit you?",
        "Tomorrow is fine.",
        "Is there anything else that I can do for you?",
        "Yes, one more thing. How much does it cost to send it abroad?",
        "That depends on the weight. Up to two kilos it is eleven pounds, and up to five kilos nineteen.",
    ),
    "de": (
        "Guten Tag, was kann ich für Sie tun?",
        "Ich möchte meinen Termin am Donnerstag verschieben.",
        "Einen Augenblick bitte, ich sehe im Kalender nach.",
        "Am Freitag um zehn Uhr wäre noch etwas frei, oder am Montag nach fünfzehn Uhr.",
        "Freitag passt mir gut.",
        "Dann trage ich Sie für Freitag ein. Bringen Sie bitte Ihre Karte mit.",
        "Kann ich auch mit dem Auto kommen?",
        "Ja, hinter dem Haus gibt es Plätze, die Einfahrt liegt links neben dem Tor.",
    ),
    "es": (
        "Buenos días, ¿en qué puedo ayudarle?",
        "Quería saber cuándo llega mi pedido.",
        "Déjeme comprobarlo, tardo solo un momento.",
        "El paquete salió ayer por la tarde y llega mañana antes de las doce.",
        "Mañana no estoy en casa.",
        "Podemos dejarlo en la tienda de la esquina, si le parece bien.",
        "Sí, eso me viene mejor, gracias.",
    ),
    "fr": (
        "Bonjour, que puis-je faire pour vous?",
        "Je voudrais réserver une table pour quatre personnes.",
        "Pour quel jour et à quelle heure, s'il vous plaît?",
        "Samedi soir, vers huit heures et demie.",
        "Il me reste une table près de la fenêtre, mais seulement à partir de neuf heures.",
        "Neuf heures, c'est parfait.",
    ),
    "hi": (
        "नमस्ते, मैं आपकी क्या मदद कर सकता हूँ?",
        "मुझे अपने खाते के बारे में कुछ पूछना है।",
        "कृपया अपना नंबर बताइए, मैं अभी देखता हूँ।",
        "आपका अनुरोध कल शाम तक पूरा हो जाएगा।",
        "ठीक है, धन्यवाद।",
    ),
    "cmn": (
        "您好,请问有什么可以帮您?",
        "我想查一下我的订单什么时候到。",
        "请稍等,我帮您看一下。",
        "您的包裹明天上午十点以前送到。",
        "好的,谢谢。",
    ),
    "pl": (
        "Dzień dobry, w czym mogę pomóc?",
        "Chciałbym przełożyć wizytę na przyszły tydzień.",
        "Proszę chwilę poczekać, sprawdzę wolne terminy.",
        "Mam wolny wtorek o jedenastej albo środę po południu.",
        "Wtorek będzie dobry.",
    ),
}
BACKCHANNELS = {"en": "uh huh", "de": "ja", "es": "sí", "fr": "oui", "hi": "हाँ", "cmn": "嗯", "pl": "tak"}
STOPS = {
    "en": "no, stop, wait a moment",
    "de": "nein, halt, Moment mal",
    "es": "no, espere un momento",
    "fr": "non, attendez un instant",
    "hi": "नहीं, रुकिए",
    "cmn": "不是,等一下",
    "pl": "nie, proszę poczekać",
}
YES = {"en": "yes", "de": "ja", "es": "sí", "fr": "oui", "hi": "हाँ", "cmn": "是", "pl": "tak"}


@dataclass(frozen=True, slots=True)
class Voice:
    """One synthetic voice: its program, name, language, and how fast and high it speaks."""

    program: str
    name: str
    language: str
    words_per_minute: int = 165
    pitch: int = 50

    def says(self, text: str) -> Sound:
        """Return a text at 8 kHz, its loudest stretches at about -20 dBFS RMS."""
        return _spoken(self, text)


@functools.lru_cache(maxsize=4_096)
def _spoken(voice: Voice, text: str) -> Sound:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "speech.wav"
        if voice.program == "flite":
            command = ["flite", "-voice", voice.name, "-t", text, "-o", str(path)]
        else:
            speed, pitch = str(voice.words_per_minute), str(voice.pitch)
            command = ["espeak-ng", "-v", voice.name, "-s", speed, "-p", pitch, "-w", str(path), text]
        subprocess.run(command, check=True, capture_output=True)
        samples, rate = sf.read(path)
    sound: Sound = soxr.resample(samples, rate, RATE)
    loud = np.flatnonzero(np.abs(sound) > 10 ** (-50 / 20) * np.abs(sound).max())
    sound = sound[loud[0] : loud[-1] + 1]
    scaled: Sound = sound * (10 ** (-20 / 20) / np.sqrt(np.mean(sound**2)))
    return scaled


def draw_voices(rng: np.random.Generator, language: str) -> tuple[Voice, Voice]:
    """Return an agent's and a caller's voice of one language."""
    variants = [f"{language}+{sex}{n}" for sex, count in (("f", 5), ("m", 7)) for n in range(1, count + 1)]
    names = rng.permutation(variants)[:2]
    voices = [
        Voice("espeak-ng", str(name), language, int(rng.integers(140, 190)), int(rng.integers(30, 70)))
        for name in names
    ]
    if language == "en" and rng.random() < 0.7:
        voices[int(rng.integers(2))] = Voice("flite", str(rng.choice(FLITE)), "en")
    return voices[0], voices[1]


@dataclass
class Call:
    """A call being put together, and what is true of it."""

    agent: Voice
    caller: Voice
    said: list[tuple[int, float, Sound]] = field(default_factory=list)
    turns: list[dict[str, Any]] = field(default_factory=list)
    now_s: float = 0.5

    def say(self, role: str, text: str, start_s: float, *, until_s: float | None = None, kind: str = "turn") -> float:
        """Place an utterance, cut at `until_s` where it is given; return when it ends."""
        sound = (self.agent if role == "agent" else self.caller).says(text)
        if until_s is not None:
            kept = max(int((until_s - start_s) * RATE), RATE // 5)
            sound = sound[:kept].copy()
            fade = min(RATE * 3 // 100, len(sound))
            sound[-fade:] *= np.linspace(1, 0, fade)
        channel = int(role == "agent")
        spoken = [[start_s + a, start_s + b] for a, b in segments(sound, RATE)]
        self.said.append((channel, start_s, sound))
        self.turns.append({"role": role, "channel": channel, "kind": kind, "segments": spoken})
        return start_s + len(sound) / RATE

    def length_s(self, role: str, text: str) -> float:
        """Return how long a role needs for a text."""
        return len((self.agent if role == "agent" else self.caller).says(text)) / RATE


def make_call(
    rng: np.random.Generator,
    *,
    voices: tuple[Voice, Voice] | None = None,
    language: str = "en",
    exchanges: int = 7,
    outbound: bool = False,
    level_dbfs: tuple[float, float] = (-24.0, -21.0),
) -> tuple[npt.NDArray[np.float32], dict[str, Any]]:
    """Return a clean call, (frames, 2) float32 at 8 kHz (caller, agent), and its truth.

    Parameters
    ----------
    voices
        The agent's and the caller's; drawn where not given.
    exchanges
        How many times agent and caller speak in turn.
    outbound
        The callee says hello first.
    level_dbfs
        Of the caller and the agent.
    """
    agent, caller = voices or draw_voices(rng, language)
    call = Call(agent, caller, now_s=float(rng.uniform(0.3, 1.5)))
    lines = [*rng.permutation(SENTENCES[agent.language])]
    theirs = [*rng.permutation(SENTENCES[caller.language])]
    if outbound:
        call.now_s = call.say("caller", YES[caller.language] + "?", call.now_s) + float(rng.uniform(0.5, 2.0))
    for number in range(exchanges):
        _agent_speaks(call, " ".join(_some(rng, lines, number)), rng)
        _caller_speaks(call, " ".join(_some(rng, theirs, number)[:1]), rng)
    call.now_s = call.say("agent", lines[0], call.now_s + float(rng.uniform(0.3, 1.5)))
    return _mixed(call, level_dbfs)


def _some(rng: np.random.Generator, lines: list[Any], number: int) -> list[str]:
    first = (2 * number) % len(lines)
    return [str(line) for line in (lines + lines)[first : first + int(rng.integers(1, 3))]]


def _agent_speaks(call: Call, text: str, rng: np.random.Generator) -> None:
    """Let the agent speak after 0.1 to 2.5 s, and the caller now and then say something in between."""
    start_s = call.now_s + float(np.clip(rng.lognormal(-0.3, 0.5), 0.1, 2.5)) if call.turns else call.now_s
    length_s = call.length_s("agent", text)
    event = rng.random()
    language = call.caller.language
    if event < 0.35 and length_s > 2.5:
        barge_s = start_s + float(rng.uniform(0.3, 0.6)) * length_s
        stop_s = barge_s + float(np.clip(rng.lognormal(-0.4, 0.5), 0.25, 1.8))
        call.say("agent", text, start_s, until_s=stop_s)
        ended_s = call.say("caller", STOPS[language], barge_s, kind="interruption")
        call.now_s = max(stop_s, ended_s) + float(rng.uniform(0.05, 0.4))
        return
    if event < 0.55 and length_s > 2.5:
        said_s = start_s + float(rng.uniform(0.2, 0.6)) * length_s
        call.say("caller", BACKCHANNELS[language], said_s, kind="backchannel")
    call.now_s = call.say("agent", text, start_s)


def _caller_speaks(call: Call, text: str, rng: np.random.Generator) -> None:
    """Let the caller answer, at times with a hesitation of its own or after a long silence."""
    start_s = call.now_s + float(np.clip(rng.lognormal(-0.5, 0.6), 0.15, 3.0))
    if rng.random() < 0.08:
        start_s += float(rng.uniform(3.0, 5.0))
    end_s = call.say("caller", text, start_s)
    if rng.random() < 0.3:
        end_s = call.say("caller", YES[call.caller.language], end_s + float(rng.uniform(0.3, 0.8)))
    call.now_s = end_s


def _mixed(call: Call, level_dbfs: tuple[float, float]) -> tuple[npt.NDArray[np.float32], dict[str, Any]]:
    frames = int((call.now_s + 0.7) * RATE)
    sound = np.zeros((frames + 10 * RATE, 2))
    for channel, start_s, said in call.said:
        first = round(start_s * RATE)
        sound[first : first + len(said), channel] += said * 10 ** ((level_dbfs[channel] + 20) / 20)
    sound = sound[: max(frames, *(round(s * RATE) + len(x) for _, s, x in call.said))]
    truth = {
        "sample_rate": RATE,
        "duration_s": len(sound) / RATE,
        "channels": ["caller", "agent"],
        "turns": sorted(call.turns, key=lambda turn: turn["segments"][0][0]),
    }
    return np.clip(sound, -1, 1).astype(np.float32), truth


def main() -> None:
    """Write calls to a folder."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--count", type=int, default=10)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    languages = [*SENTENCES]
    for number in range(options.count):
        rng = np.random.default_rng([options.seed, number])
        language = "en" if number % 2 == 0 else languages[1 + number // 2 % (len(languages) - 1)]
        samples, truth = make_call(rng, language=language)
        sf.write(options.folder / f"call_{number:02d}.clean.flac", samples, RATE, subtype="PCM_16")
        (options.folder / f"call_{number:02d}.json").write_text(json.dumps(truth))


if __name__ == "__main__":
    main()
