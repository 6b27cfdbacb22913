"""An index of pictures in one file: their projected features, thumbnails, names and digests, and the model they are of.

The file is laid out as a safetensors file: a header in JSON, then plain arrays, which are mapped and never unpickled.
It is written beside its place and moved there, so that it is whole or not there. It knows no model and no page.
"""

import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from blip2.errors import BadInput
from blip2.values import ModelInfo

Array = np.ndarray[Any, Any]
KEY, VERSION = "blip2_index", "1"
LARGEST_HEADER = 1 << 20
TYPES = {"F16": np.float16, "F32": np.float32, "I64": np.int64, "U8": np.uint8}
PARTS = ("features", "ends", "thumbnails", "facts")


@dataclass(frozen=True, slots=True)
class Row:
    """A picture: its `name` in the album, the SHA-256 of its file, the file's size and time of change, and where it is.

    `file` is empty in an index that was given away, and `error` says why a picture could not be read.
    """

    name: str
    digest: str = ""
    size: int = 0
    mtime: float = 0.0
    file: str = ""
    error: str = ""


@dataclass(frozen=True, slots=True)
class IndexModel:
    """The model whose features are in an index."""

    name: str
    source: str
    revision: str = ""
    dtype: str = ""

    @classmethod
    def of(cls, info: ModelInfo) -> "IndexModel":
        return cls(info.name, info.source, info.revision, info.dtype)

    def is_same(self, info: ModelInfo) -> bool:
        """Whether a model would make the same features, but for the rounding of its numbers."""
        return (self.source, self.revision) == (info.source, info.revision)


@dataclass(frozen=True, eq=False)
class Index:
    """An opened index. `features` [n, Q, P] are mapped, not read; `rows` are the n pictures, `broken` all others."""

    path: Path
    model: IndexModel
    rows: tuple[Row, ...]
    broken: tuple[Row, ...]
    features: Array
    ends: Array
    thumbnails: Array

    def __len__(self) -> int:
        return len(self.rows)

    def thumbnail(self, at: int) -> bytes:
        """The small JPEG of picture `at`."""
        start = int(self.ends[at - 1]) if at else 0
        return self.thumbnails[start : int(self.ends[at])].tobytes()

    @cached_property
    def places(self) -> Mapping[str, int]:
        """The place of each picture by its name."""
        return {row.name: at for at, row in enumerate(self.rows)}

    def __deepcopy__(self, memo: object) -> "Index":
        """Itself: nothing in it changes."""
        return self


def open_index(path: Path, trusted: bool = False) -> Index:
    """Open an index. Raises `BadInput` for a file that is none, is cut short, or is of another version.

    Only an index that is `trusted`, one's own, keeps where the pictures are: no other may have this machine open files.
    """
    try:
        parts = _mapped(path)
        facts = json.loads(parts["facts"].tobytes())
        rows = tuple(Row(**row) for row in facts["rows"])
        broken = tuple(Row(**row) for row in facts["broken"])
        model = IndexModel(**facts["model"])
        ends, features = np.array(parts["ends"]), parts["features"]
        is_sound = (
            features.ndim == 3
            and features.dtype in (np.float16, np.float32)
            and len(rows) == len(features) == len(ends)
            and bool((np.diff(ends, prepend=0) >= 0).all())
            and (int(ends[-1]) if len(ends) else 0) == len(parts["thumbnails"])
            and all(isinstance(each, str) for row in rows + broken for each in (row.name, row.file, row.error))
        )
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        is_sound = False
    if not is_sound:
        raise BadInput(f"The file {path.name!r} is damaged and cannot be searched; index the pictures anew.")
    if not trusted:
        rows = tuple(replace(row, file="") for row in rows)
    return Index(path, model, rows, broken, features, ends, parts["thumbnails"])


def _mapped(path: Path) -> dict[str, Array]:
    """The arrays of the file, mapped. Raises `BadInput` for what is no index of ours; whatever, where it is damaged."""
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            head = file.read(length) if 2 <= length <= LARGEST_HEADER else b""
    except OSError as error:
        raise BadInput(f"The index {str(path)!r} cannot be read ({error.strerror}); check the path.") from None
    try:
        header = json.loads(head)
        version = header["__metadata__"][KEY]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise BadInput(f"The file {path.name!r} is no index of pictures; choose one that was saved here.") from None
    if version != VERSION:
        raise BadInput(
            f"The index {path.name!r} is of version {str(version)[:20]}, and this program reads version {VERSION}; "
            "index the pictures anew."
        )
    made, at, base = {}, 0, 8 + length
    for name in PARTS:
        part = header[name]
        kind, shape = np.dtype(TYPES[part["dtype"]]), tuple(int(each) for each in part["shape"])
        start, end = part["data_offsets"]
        if start != at or min(shape, default=0) < 0 or end - start != kind.itemsize * int(np.prod(shape, dtype=object)):
            raise ValueError(f"The part {name} is not where it should be.")
        made[name], at = (kind, shape, base + start), end
    if size != base + at:
        raise BadInput(f"The index {path.name!r} is cut short or damaged; save or send it again.")
    return {name: _map(path, *part) for name, part in made.items()}


def _map(path: Path, kind: "np.dtype[Any]", shape: tuple[int, ...], offset: int) -> Array:
    if 0 in shape:  # nothing can be mapped to nothing
        return np.zeros(shape, kind)
    return np.memmap(path, kind, "r", offset, shape)


class IndexWriter:
    """Collects pictures in files of its own: as many as the disk holds may be added. `save` writes the index."""

    def __init__(self, model: IndexModel) -> None:
        self.model = model
        self.rows: list[Row] = []
        self.broken: list[Row] = []
        self._ends: list[int] = []
        self._shape = (0, 0)
        self._features: BinaryIO = tempfile.TemporaryFile(prefix="blip2-index-")  # noqa: SIM115 - `close` does
        self._thumbnails: BinaryIO = tempfile.TemporaryFile(prefix="blip2-index-")  # noqa: SIM115 - `close` does

    def add(self, row: Row, features: Array, thumbnail: bytes) -> None:
        """A picture with its projected queries [Q, P], which are kept in float16."""
        self._shape = (features.shape[0], features.shape[1])
        self._features.write(np.ascontiguousarray(features, np.float16).tobytes())
        self._thumbnails.write(thumbnail)
        self._ends.append((self._ends[-1] if self._ends else 0) + len(thumbnail))
        self.rows.append(row)

    def save(self, path: Path, given_away: bool = False) -> None:
        """Write the index; more may be added and saved after. `given_away` leaves out where the pictures are.

        Raises `BadInput` where it cannot be written.
        """
        rows, broken = ([_plain(row, given_away) for row in rows] for rows in (self.rows, self.broken))
        facts = {"model": asdict(self.model), "rows": rows, "broken": broken}
        told = json.dumps(facts).encode()
        ends = np.asarray(self._ends, np.int64).tobytes()
        thumbnails = self._ends[-1] if self._ends else 0
        shape = (len(self.rows), *self._shape)
        sizes = (
            ("features", "F16", shape, 2 * int(np.prod(shape))),
            ("ends", "I64", (len(self._ends),), len(ends)),
            ("thumbnails", "U8", (thumbnails,), thumbnails),
            ("facts", "U8", (len(told),), len(told)),
        )
        with _replacing(path) as file:
            file.write(_header(sizes))
            _copy(self._features, file)
            file.write(ends)
            _copy(self._thumbnails, file)
            file.write(told)

    def close(self) -> None:
        """Drop what was collected."""
        self._features.close()
        self._thumbnails.close()


def given_away(index: Index, path: Path) -> None:
    """Copy an index without saying where its pictures are on this machine."""
    writer = IndexWriter(index.model)
    try:
        for at, row in enumerate(index.rows):
            writer.add(row, index.features[at], index.thumbnail(at))
        writer.broken += index.broken
        writer.save(path, given_away=True)
    finally:
        writer.close()


def _plain(row: Row, given_away: bool) -> dict[str, Any]:
    return {key: value for key, value in asdict(row).items() if value and not (given_away and key == "file")}


def _header(sizes: Sequence[tuple[str, str, tuple[int, ...], int]]) -> bytes:
    header: dict[str, Any] = {"__metadata__": {KEY: VERSION}}
    at = 0
    for name, kind, shape, size in sizes:
        header[name] = {"dtype": kind, "shape": list(shape), "data_offsets": [at, at + size]}
        at += size
    head = json.dumps(header).encode()
    head += b" " * (-len(head) % 8)
    return len(head).to_bytes(8, "little") + head


def _copy(source: BinaryIO, target: BinaryIO) -> None:
    source.seek(0)
    shutil.copyfileobj(source, target, 1 << 20)  # which leaves the source at its end, where more is added


@contextmanager
def _replacing(path: Path) -> Iterator[BinaryIO]:
    """A file beside `path` that takes its place once it is whole. Raises `BadInput` where nothing can be written."""
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with partial.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except OSError as error:
        raise BadInput(
            f"The index cannot be written to {str(path)!r} ({error.strerror}); choose another place."
        ) from error
    finally:
        with suppress(OSError):
            partial.unlink()
