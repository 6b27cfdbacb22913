"""A visitor's captions of many pictures: a line for each, in the pictures' order, and their thumbnails.

The sheet lives in that visitor's state and is handed around, never copied: lines are added to it, thumbnails lie in a
file of its own, which goes with it. It knows no gradio and makes no captions.
"""

import threading
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from blip2.captioning import Captioned, Halt
from blip2.gathering import Shelf

RECENT = 24  # lines shown while more are being made


@dataclass(frozen=True, slots=True)
class Line:
    """A picture's captions. `key` stands for its content and the settings; `edited` is what the visitor wrote.

    `thumbnail` is where its JPEG lies in the sheet's file: offset and length.
    """

    name: str
    made: Captioned
    key: str = ""
    edited: str | None = None
    thumbnail: tuple[int, int] = (0, 0)

    @property
    def text(self) -> str:
        """The caption to use."""
        return self.made.text if self.edited is None else self.edited

    def to_json(self) -> dict[str, Any]:
        return self.made.to_json() | {"caption": self.text, "edited": self.edited is not None}


@dataclass(frozen=True, slots=True)
class Counts:
    """How many pictures there are, how many have a caption, and how many cannot have one."""

    total: int = 0
    done: int = 0
    failed: int = 0

    @property
    def left(self) -> int:
        return self.total - self.done - self.failed


class Sheet:
    """The lines so far. Any thread may add one; one run at a time."""

    def __init__(self) -> None:
        self.shelf = Shelf()
        self._file = (self.shelf.path / "thumbnails").open("w+b")
        self._names: tuple[str, ...] = ()
        self._known: frozenset[str] = frozenset()
        self._lines: dict[str, Line] = {}
        self._recent: deque[str] = deque(maxlen=RECENT)
        self._failed = 0
        self._halt: Halt | None = None
        self._lock = threading.Lock()

    def __deepcopy__(self, memo: object) -> "Sheet":
        return self

    @property
    def running(self) -> bool:
        return self._halt is not None

    def begin(self, names: Iterable[str], halt: Halt) -> bool:
        """Take up these pictures, and forget the lines of others. False, and nothing done, while a run goes on."""
        with self._lock:
            if self._halt is not None:
                return False
            self._halt, self._names = halt, tuple(names)
            self._known = frozenset(self._names)
            self._lines = {name: self._lines[name] for name in self._names if name in self._lines}
            self._failed = sum(bool(line.made.error) for line in self._lines.values())
            self._recent.clear()
            return True

    def end(self) -> None:
        """The run is over."""
        self._halt = None

    def stop(self) -> None:
        """Give up the run; what is done stays."""
        halt = self._halt
        if halt is not None:
            halt.set()

    def clear(self) -> None:
        """Forget everything; a run that goes on is given up, and what it still brings is not taken."""
        self.stop()
        with self._lock:
            self._names, self._known, self._lines, self._failed = (), frozenset(), {}, 0
            self._recent.clear()

    def kept(self, name: str, key: str) -> bool:
        """Whether the picture has this very caption already, or one that the visitor wrote."""
        line = self._lines.get(name)
        return line is not None and not line.made.error and (line.key == key or line.edited is not None)

    def put(self, name: str, key: str, made: Captioned, thumbnail: bytes = b"") -> None:
        """Add a line, or put it in place of an earlier one."""
        slim = replace(made, captions=tuple(replace(each, tokens=(), ids=()) for each in made.captions))
        with self._lock:
            if name not in self._known:  # forgotten since
                return
            at = self._file.seek(0, 2)
            self._file.write(thumbnail)
            before = self._lines.get(name)
            self._failed += bool(made.error) - bool(before is not None and before.made.error)
            self._lines[name] = Line(name, slim, key, None, (at, len(thumbnail)))
            self._recent.append(name)

    def edit(self, at: int, text: str) -> bool:
        """Put the visitor's own words into the line of picture `at`. False where there is none with a caption."""
        with self._lock:
            name = self._names[at] if 0 <= at < len(self._names) else ""
            line = self._lines.get(name)
            if line is None or line.made.error:
                return False
            self._lines[name] = replace(line, edited=None if text == line.made.text else text)
            return True

    def counts(self) -> Counts:
        return Counts(len(self._names), len(self._lines) - self._failed, self._failed)

    def failed(self) -> frozenset[str]:
        """The names of the pictures that have no caption for a reason."""
        return frozenset(name for name, line in tuple(self._lines.items()) if line.made.error)

    def lines(self) -> list[Line]:
        """All lines, in the pictures' order."""
        return [self._lines[name] for name in self._names if name in self._lines]

    def numbered(self, start: int, count: int) -> list[tuple[int, Line]]:
        """`count` lines from the `start`th on, each with the number of its picture."""
        found = [(at, self._lines[name]) for at, name in enumerate(self._names) if name in self._lines]
        return found[start : start + count]

    def recent(self) -> list[Line]:
        """The lines added last, the newest first."""
        return [self._lines[name] for name in reversed(self._recent)]

    def thumbnail(self, line: Line) -> bytes:
        """The JPEG of a line's picture; nothing where it could not be opened."""
        at, length = line.thumbnail
        if not length:
            return b""
        with self._lock:
            self._file.seek(at)
            return self._file.read(length)


def shown_range(start: int, lines: Sequence[object], total: int) -> str:
    """`1 to 200 of 1,000`."""
    return f"{start + 1:,} to {start + len(lines):,} of {total:,}"
