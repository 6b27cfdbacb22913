"""A run's answers on disk: a line of JSON each, on the disk before the next one is asked for.

A line that a killed process left half written is cut off when the journal is opened again; the example it stood for is
then asked again. One process writes a journal; several share a run by writing one part each. It knows no models.
"""

import fcntl
import json
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

from blip2.errors import BadInput, Busy

PREDICTIONS = "predictions.jsonl"
Row = dict[str, Any]


class Journal:
    """The journal of one part of a run. `rows` maps ids to the rows written so far, in their order."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        self._file = path.open("ab")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            self._file.close()
            raise Busy(f"Another process is writing {path}; wait for it, or give this one another shard.") from error
        whole = _whole(path)
        if whole < path.stat().st_size:
            os.truncate(path, whole)
        self.rows = {row["id"]: row for row in read(path)}

    def append(self, row: Row) -> None:
        """Write one row, and return when it is on the disk. Raises `BadInput` for an id that is there already."""
        if row["id"] in self.rows:
            raise BadInput(f"The example {row['id']!r} has been answered already; its id must occur once in the data.")
        self._file.write(json.dumps(row, ensure_ascii=False).encode() + b"\n")
        self._file.flush()
        os.fsync(self._file.fileno())
        self.rows[row["id"]] = row

    def close(self) -> None:
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def read(path: Path) -> Iterator[Row]:
    """The whole lines of a journal. Raises `BadInput` for a line that is no row."""
    if not path.is_file():
        return
    with path.open("rb") as lines:
        for number, line in enumerate(lines, 1):
            if not line.endswith(b"\n"):
                return
            try:
                row = json.loads(line)
                row["id"]
            except (ValueError, KeyError, TypeError) as error:
                raise BadInput(f"Line {number} of {path} is damaged; remove that line and use --resume.") from error
            yield row


def part_name(number: int, of: int) -> str:
    """The file of part `number` (from 1) of `of`."""
    return PREDICTIONS if of == 1 else f"predictions-{number}-of-{of}.jsonl"


def parts(folder: Path) -> list[Path]:
    """The journals of a run's parts, in their order; the whole run's own where it was not shared."""
    found = [path for path in folder.glob("predictions-*-of-*.jsonl") if path.stem.split("-")[1].isdigit()]
    whole = folder / PREDICTIONS
    return sorted(found, key=lambda path: int(path.stem.split("-")[1])) or ([whole] if whole.is_file() else [])


def write_all(path: Path, rows: Iterable[Row]) -> None:
    """Write a whole journal anew, in one step: readers see the old one or the new one."""
    text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    write_text(path, text)


def write_text(path: Path, text: str) -> None:
    """Write a file in one step and onto the disk."""
    with replacing(path) as temporary:
        temporary.write_text(text, "utf-8")


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A file beside `path` to write to, which takes its place at the end if nothing was raised."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        yield temporary
        with temporary.open("rb") as written:
            os.fsync(written.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _whole(path: Path) -> int:
    """Bytes up to the end of the last whole line."""
    size = path.stat().st_size
    with path.open("rb") as file:
        while size:
            step = min(size, 1 << 16)
            file.seek(size - step)
            at = file.read(step).rfind(b"\n")
            if at >= 0:
                return size - step + at + 1
            size -= step
    return 0
