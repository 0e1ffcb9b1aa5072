"""The dtype `recording` and its array: a column of recordings that pandas, Parquet and their kin understand."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Self, cast

import numpy as np
import pandas as pd
from pandas.api.extensions import ExtensionArray, ExtensionDtype, register_extension_dtype, take
from pandas.api.indexers import check_array_indexer

from kataven_notebook.clock import duration_text
from kataven_notebook.frame.references import Reference, bytes_in_memory, recordings_in
from kataven_notebook.sound.recording import Recording

if TYPE_CHECKING:
    import builtins
    from collections.abc import Callable, Iterable, Iterator, Sequence

    import numpy.typing as npt

    Objects = npt.NDArray[np.object_]
    Truths = npt.NDArray[np.bool_]

_NAME, _WITH_BYTES = "recording", "recording[bytes]"
_LAYOUTS = {1: "mono", 2: "stereo"}


@register_extension_dtype
class RecordingDtype(ExtensionDtype):
    """The dtype of a column of recordings; a row without one holds None.

    pandas knows it by its name once the package is imported: in `frame.astype({"audio": "recording"})`, and where
    `pd.read_parquet` reads a frame that was written with such a column.

    Parameters
    ----------
    with_bytes
        Whether Parquet, Feather and other tables of Arrow get the sound itself; by default they get where it lies.
        Named "recording[bytes]".
    """

    type = Recording
    # A row without sound has always held None, and functions of callers ask for it.
    na_value = None
    _metadata = ("with_bytes",)

    def __init__(self, *, with_bytes: bool = False) -> None:
        self.with_bytes = with_bytes

    @property
    def name(self) -> str:  # type: ignore[override]  # as pandas' own dtypes with parameters do
        """The name that pandas knows it by."""
        return _WITH_BYTES if self.with_bytes else _NAME

    def __repr__(self) -> str:
        """Return the name."""
        return self.name

    def __str__(self) -> str:
        """Return the name that other libraries know a column of objects by.

        DuckDB looks it up among numpy's and refuses a frame with any other; pyarrow writes it into a Parquet file,
        which pandas could then not read in a process without this package.
        """
        return "object"

    @classmethod
    def construct_from_string(cls, string: str) -> Self:
        """Return the dtype of a name.

        Raises
        ------
        TypeError
            It is none of ours.
        """
        if not isinstance(string, str):
            raise TypeError(f"'construct_from_string' expects a string, got {type(string)}")
        if string not in (_NAME, _WITH_BYTES):
            raise TypeError(f"Cannot construct a '{cls.__name__}' from '{string}'")
        return cls(with_bytes=string == _WITH_BYTES)

    @classmethod
    def construct_array_type(cls) -> builtins.type[RecordingArray]:
        """Return the class of its arrays."""
        return RecordingArray

    def _get_common_dtype(self, dtypes: Sequence[Any]) -> RecordingDtype | None:
        """Return the dtype of columns that are put together, None for one of any objects."""
        return RecordingDtype() if all(isinstance(each, RecordingDtype) for each in dtypes) else None

    def __from_arrow__(self, array: Any) -> RecordingArray:
        """Return the recordings of a column that pyarrow has read."""
        from kataven_notebook.frame.arrow_recordings import references_in  # noqa: PLC0415 - an extra

        return RecordingArray(_objects(recordings_in(references_in(array))), self)


class RecordingArray(ExtensionArray):
    """Recordings, one a row or None; two are equal where they are the same object.

    Parameters
    ----------
    values
        An object array of recordings and None, which is neither checked nor copied.
    dtype
        "recording" by default.
    is_readonly
        Refuse to set rows: pandas hands out such arrays since its version 3.

    Examples
    --------
    >>> sound = Recording.from_samples([[0.1, 0.2]] * 8000, 8000)
    >>> column = pd.Series([sound, None], dtype="recording")
    >>> column
    0    0:01 wav stereo
    1               None
    dtype: recording
    >>> column.dropna()[0] is sound
    True
    """

    def __init__(self, values: Objects, dtype: RecordingDtype | None = None, *, is_readonly: bool = False) -> None:
        self._recordings = values
        self._dtype = dtype or RecordingDtype()
        self._readonly = is_readonly

    @classmethod
    def _from_sequence(
        cls, scalars: Iterable[Any], *, dtype: RecordingDtype | str | None = None, copy: bool = False
    ) -> Self:
        wanted: Any = None if dtype is None else pd.api.types.pandas_dtype(dtype)
        if isinstance(scalars, cls):
            return cls(np.array(scalars) if copy else np.asarray(scalars), wanted or scalars.dtype)
        values = list(scalars)
        # What pyarrow read in a process that did not know the type yet, or another tool gives back.
        written = {at: Reference.of_mapping(each) for at, each in enumerate(values) if Reference.is_written_in(each)}
        if written:
            for at, found in zip(written, recordings_in(list(written.values())), strict=True):
                values[at] = found
        return cls(_objects([_recording(each) for each in values]), wanted)

    @classmethod
    def _from_scalars(cls, scalars: Iterable[Any], *, dtype: RecordingDtype) -> Self:
        """Return the array of what a caller's function made of one, or raise: other values are none of this dtype."""
        values = list(scalars)
        if not all(isinstance(each, Recording) or each is None for each in values):
            raise TypeError("not all of these are recordings")
        return cls(_objects(values), dtype)

    @classmethod
    def _from_factorized(cls, values: Objects, original: RecordingArray) -> Self:
        return cls(values, original.dtype)

    @classmethod
    def _concat_same_type(cls, to_concat: Sequence[Self]) -> Self:
        return cls(np.concatenate([np.asarray(each) for each in to_concat]), to_concat[0].dtype)

    @property
    def dtype(self) -> RecordingDtype:
        """The dtype `recording`, or `recording[bytes]`."""
        return self._dtype

    @property
    def nbytes(self) -> int:
        """The memory of the array in bytes, without what its recordings take."""
        return self._recordings.nbytes

    def memory_usage(self, *, deep: bool = False) -> int:
        """Return the memory of the array in bytes; with `deep` that of its recordings too, and of sound in memory."""
        if not deep:
            return self.nbytes
        each_once = {id(each): each for each in self._recordings if each is not None}.values()
        return self.nbytes + sum(sys.getsizeof(each) + bytes_in_memory(each) for each in each_once)

    def __iter__(self) -> Iterator[Recording | None]:
        return iter(self._recordings)

    def __len__(self) -> int:
        return len(self._recordings)

    def __getitem__(self, item: Any) -> Any:
        if isinstance(item, tuple):  # as in array[..., 0]
            item = next((each for each in item if each is not Ellipsis), slice(None))
        found = self._recordings[check_array_indexer(self, item)]
        if not isinstance(found, np.ndarray):
            return found
        return type(self)(found, self._dtype, is_readonly=self._readonly and found.base is not None)

    def __setitem__(self, key: Any, value: Any) -> None:
        if self._readonly:
            raise ValueError("Cannot modify read-only array")
        is_many = pd.api.types.is_list_like(value)
        if is_many and pd.api.types.is_integer(key):
            raise ValueError("setting an array element with a sequence.")
        values = np.asarray(self._from_sequence(value)) if is_many else _recording(value)
        self._recordings[check_array_indexer(self, key)] = values

    def __array__(self, dtype: npt.DTypeLike | None = None, copy: bool | None = None) -> npt.NDArray[Any]:  # noqa: FBT001 - numpy's signature
        values = self._recordings
        if self._readonly and copy is not True:
            values = values.view()
            values.flags.writeable = False
        return np.array(values, dtype=dtype) if copy else np.asarray(values, dtype=dtype)

    __hash__ = ExtensionArray.__hash__  # raises

    def __eq__(self, other: object) -> Any:
        return self._is_same(other)

    def __ne__(self, other: object) -> Any:
        same = self._is_same(other)
        return same if same is NotImplemented else ~same

    def _is_same(self, other: object) -> Any:
        """Return where both are the same recording; nothing is the same as a missing one."""
        if isinstance(other, pd.Series | pd.DataFrame | pd.Index):
            return NotImplemented  # they know which rows to compare
        others = list(other) if pd.api.types.is_list_like(other) else [other] * len(self)  # type: ignore[call-overload]  # a list
        if len(others) != len(self):
            raise ValueError(f"Lengths must match to compare: {len(self)} and {len(others)}")
        pairs = zip(self._recordings, others, strict=True)
        return np.fromiter((a is b and a is not None for a, b in pairs), dtype=bool, count=len(self))

    def isna(self) -> Truths:
        """Return where there is no recording."""
        return np.asarray(pd.isna(self._recordings))

    def copy(self) -> Self:
        """Return an array of the same recordings, whose sound is not copied."""
        return type(self)(self._recordings.copy(), self._dtype)

    def take(self, indices: Any, *, allow_fill: bool = False, fill_value: Any = None) -> Self:
        """Return the rows at some positions; with `allow_fill` -1 is a row with `fill_value`."""
        taken = cast("Objects", take(self._recordings, indices, allow_fill=allow_fill))
        if allow_fill:  # pandas fills with NaN
            taken[np.asarray(indices) == -1] = _recording(fill_value)
        return type(self)(taken, self._dtype)

    def tolist(self) -> list[Recording | None]:
        """Return the recordings as a list."""
        found: list[Recording | None] = self._recordings.tolist()
        return found

    def unique(self) -> Self:
        """Return each recording once, in the order in which they come."""
        once: Objects = pd.unique(self._recordings)
        return type(self)(once, self._dtype)

    def value_counts(self, *, dropna: bool = True) -> pd.Series[int]:
        """Return how often each recording is there."""
        return pd.Series(self._recordings, dtype=object).value_counts(dropna=dropna)

    def _values_for_factorize(self) -> tuple[Objects, None]:
        return self._recordings, None

    def _values_for_json(self) -> Objects:
        # pandas would ask a recording for all that it has, decoded sound first.
        return _objects([None if each is None else str(each) for each in self._recordings])

    def _groupby_op(
        self, *, how: str, has_dropped_na: bool, min_count: int, ngroups: int, ids: npt.NDArray[np.intp], **kwargs: Any
    ) -> Any:
        if how in ("first", "last") and min_count <= 1 and kwargs.get("skipna", True):
            # Before 3.1 pandas calls a function for each group: 0.8 s for 50,000 groups, which take 5 ms here.
            there = np.flatnonzero(~self.isna() & (ids >= 0))
            rows = np.full(ngroups, -1, dtype=np.intp)
            ordered = there[::-1] if how == "first" else there
            rows[ids[ordered]] = ordered
            return self.take(rows, allow_fill=True)
        return super()._groupby_op(  # type: ignore[misc]  # the stubs lack it
            how=how, has_dropped_na=has_dropped_na, min_count=min_count, ngroups=ngroups, ids=ids, **kwargs
        )

    def _formatter(self, boxed: bool = False) -> Callable[[Any], str]:  # noqa: ARG002, FBT001, FBT002 - pandas' signature
        return _shown

    def __arrow_array__(self, type: Any = None) -> Any:  # noqa: A002 - pyarrow's signature
        """Return the column as pyarrow writes it: of each recording where its sound lies, and what its header says.

        Raises
        ------
        FrameError
            A recording's sound is in memory alone; not of the dtype `recording[bytes]`.
        OSError
            Sound that is to be written can't be read.
        """
        from kataven_notebook.frame.arrow_recordings import written  # noqa: PLC0415 - an extra

        return written(self._recordings, with_bytes=self._dtype.with_bytes)


def recordings_in_column(column: pd.Series[Any]) -> list[Recording | None]:
    """Return the recording of each row of a column of any dtype, None where a row holds none."""
    if not isinstance(column.array, RecordingArray):
        values = [each if isinstance(each, Recording) or Reference.is_written_in(each) else None for each in column]
        column = pd.Series(values, dtype=RecordingDtype())
    found: list[Recording | None] = column.array.tolist()
    return found


def _objects(values: Sequence[Any]) -> Objects:
    array = np.empty(len(values), dtype=object)
    array[:] = values
    return array


def _recording(value: Any) -> Recording | None:
    """Return a recording, or None for whatever pandas takes for missing."""
    if isinstance(value, Recording):
        return value
    if value is None or (pd.api.types.is_scalar(value) and pd.isna(value)):
        return None
    raise TypeError(f"a column of recordings holds recordings or nothing, not {type(value).__name__}")


def _shown(value: Recording | None) -> str:
    if value is None:
        return str(None)
    layout = _LAYOUTS.get(value.channels, f"{value.channels} channels")
    return f"{duration_text(value.duration_s)} {value.format} {layout}"


# Without the type's name pyarrow reads structs. pandas has imported pyarrow already, wherever it is installed.
if "pyarrow" in sys.modules:
    import kataven_notebook.frame.arrow_recordings  # noqa: F401 - registers it
