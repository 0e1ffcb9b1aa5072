"""A column of recordings in Arrow: an extension type over what is written of each; needs the extra `[parquet]`."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any, Self

import pandas as pd
import pyarrow as pa

from kataven_notebook.errors import FrameError
from kataven_notebook.frame.references import Reference
from kataven_notebook.redact import encodable

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from kataven_notebook.sound.recording import Recording

_NUMBERS = {"sample_rate": pa.int32(), "channels": pa.int32(), "frames": pa.int64(), "size_bytes": pa.int64()}
_TYPES = {**_NUMBERS, "is_derived": pa.bool_(), "sound": pa.large_binary()}
STORAGE = pa.struct([(name, _TYPES.get(name, pa.string())) for name in Reference._fields])


class RecordingType(pa.ExtensionType):  # type: ignore[misc]  # pyarrow ships no types
    """The Arrow type of a column of recordings, over a struct of the fields of `Reference`.

    Parameters
    ----------
    storage
        The struct; another version may write more fields.
    """

    def __init__(self, storage: pa.DataType = STORAGE) -> None:
        super().__init__(storage, "kataven.recording")

    def __arrow_ext_serialize__(self) -> bytes:
        return b""

    @classmethod
    def __arrow_ext_deserialize__(cls, storage: pa.DataType, _: bytes) -> Self:
        return cls(storage)

    def to_pandas_dtype(self) -> Any:
        """Return the dtype that pandas has for it, also where no pandas wrote the table."""
        return pd.api.types.pandas_dtype("recording")


def _register() -> None:
    """Let pyarrow read its columns as such, and not as structs, which `references_in` takes as well."""
    # Before 17 pyarrow crashes on a Parquet file without rows that has a registered type.
    if int(pa.__version__.partition(".")[0]) >= 17:
        with contextlib.suppress(pa.ArrowKeyError):  # it is registered: the module was loaded anew
            pa.register_extension_type(RecordingType())


_register()


def written(recordings: Iterable[Recording | None], *, with_bytes: bool = False) -> pa.ExtensionArray:
    """Return the Arrow array of a column of recordings.

    Parameters
    ----------
    recordings
        One a row.
    with_bytes
        Write the sound itself, too.

    Raises
    ------
    FrameError
        The sound of some is in memory alone, and is not to be written.
    OSError
        Sound that is to be written can't be read.
    """
    references = [None if each is None else Reference.of(each, with_bytes=with_bytes) for each in recordings]
    lost = [each for each in references if each is not None and not each.is_lasting]
    if lost:
        raise FrameError(_way_out(lost, len(references) - references.count(None)))
    nothing = (None,) * len(STORAGE)
    fields = zip(*(each or nothing for each in references), strict=True) if references else [()] * len(STORAGE)
    arrays = [_array(values, field) for values, field in zip(fields, STORAGE, strict=True)]
    mask = pa.array([each is None for each in references], pa.bool_())
    storage = pa.StructArray.from_arrays(arrays, fields=list(STORAGE), mask=mask)
    return pa.ExtensionArray.from_storage(RecordingType(), storage)


def _way_out(lost: Sequence[Reference], count: int) -> str:
    keep = 'keep it in a store with audio(calls, store="calls/")'
    if any(each.is_derived for each in lost):  # which no store takes
        keep = 'write it too, with calls.astype({"audio": "recording[bytes]"})'
    return (
        f"the sound of {len(lost):,} of {count:,} recordings is in memory alone (the first is of session "
        f"{str(lost[0].session_id)!r}), and the table names only where sound lies: {keep}, or leave the column out "
        'with calls.drop(columns="audio")'
    )


def _array(values: Sequence[Any], field: pa.Field) -> pa.Array:
    if pa.types.is_string(field.type):
        values = [each if each is None else encodable(each) for each in values]
    return pa.array(values, field.type)


def references_in(column: pa.Array | pa.ChunkedArray) -> list[Reference | None]:
    """Return what a column that was read says of each recording, None where there is none."""
    chunks = column.chunks if isinstance(column, pa.ChunkedArray) else [column]
    found: list[Reference | None] = []
    for chunk in chunks:
        storage = chunk.storage if isinstance(chunk, pa.ExtensionArray) else chunk
        found += [None if each is None else Reference.of_mapping(each) for each in storage.to_pylist()]
    return found
