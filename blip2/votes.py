"""Votes on two answers to one question, kept in an SQLite file.

A vote that `cast` has returned from is on the disk: the file is in WAL mode with full synchronisation, so a killed
process loses nothing that was acknowledged. Any number of threads and processes may share the file. It holds no picture
but its digest, and no more of a visitor than a random id. The module knows no models and no page.
"""

import json
import sqlite3
import time
import uuid
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass, field, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, Self, get_args

from blip2.chat import Turn, samples
from blip2.errors import VotesUnusable
from blip2.prompts import Mode
from blip2.tally import Pair, Tally, tally
from blip2.values import Decoding

Verdict = Literal["left", "right", "tie", "neither"]
VERDICTS: tuple[Verdict, ...] = get_args(Verdict)
FILE = "votes.sqlite"  # in the data folder
APPLICATION = 0x42325654  # what marks the file as ours
VERSION = 1
PATIENCE = 30.0  # seconds to wait for another process that is writing
TABLE = """
CREATE TABLE IF NOT EXISTS votes (
    id TEXT PRIMARY KEY,
    time TEXT NOT NULL,
    visitor TEXT NOT NULL,
    verdict TEXT NOT NULL CHECK (verdict IN ('left', 'right', 'tie', 'neither')),
    blind INTEGER NOT NULL,
    swapped INTEGER NOT NULL,
    question TEXT NOT NULL,
    picture TEXT NOT NULL,
    left_name TEXT NOT NULL,
    right_name TEXT NOT NULL,
    left_side TEXT NOT NULL,
    right_side TEXT NOT NULL
)
"""
COLUMNS = "id, time, visitor, verdict, blind, swapped, question, picture, left_side, right_side"
PAIRS = """
SELECT min(left_name, right_name) AS first, max(left_name, right_name) AS second,
    sum(verdict = iif(left_name < right_name, 'left', 'right')),
    sum(verdict = iif(left_name < right_name, 'right', 'left')),
    sum(verdict = 'tie'), sum(verdict = 'neither'), sum(blind), count(DISTINCT visitor)
FROM votes WHERE left_name <> right_name GROUP BY first, second
"""


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two answers, with all that is needed to repeat it beside the picture. Times are in seconds."""

    model: str
    source: str
    revision: str
    dtype: str
    decoding: Decoding
    seed: int
    mode: Mode
    prompt: str
    answer: str
    new_tokens: int = 0
    seconds: float = 0.0
    confidence: float = 0.0

    @classmethod
    def of(cls, turn: Turn) -> Self:
        """The side that a finished turn is."""
        same = (each.name for each in fields(cls) if each.name not in ("new_tokens", "seconds"))
        kept: dict[str, Any] = {name: getattr(turn, name) for name in same}
        return cls(**kept, new_tokens=turn.usage.new_tokens, seconds=turn.usage.total)

    @property
    def settings(self) -> str:
        """The settings that are not the usual ones, in words."""
        usual = Decoding()
        changed = [
            f"{each.name} {getattr(self.decoding, each.name)}"
            for each in fields(Decoding)
            if getattr(self.decoding, each.name) != getattr(usual, each.name)
        ]
        drawn = [f"seed {self.seed}"] if samples(self.decoding) else []
        raw = ["raw prompt"] if self.mode == "raw" else []
        return ", ".join([*changed, *drawn, *raw]) or "usual settings"

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "decoding": self.decoding.to_json()}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        return cls(**{**data, "decoding": Decoding.from_json(data["decoding"])})


@dataclass(frozen=True, slots=True)
class Vote:
    """What a visitor thought of two answers, as they stood on the page.

    `swapped`: the model chosen first stood on the right. `picture` is a digest, `time` in UTC, `visitor` a random id.
    """

    question: str
    picture: str
    left: Side
    right: Side
    verdict: Verdict
    blind: bool
    swapped: bool
    visitor: str
    id: str = field(default_factory=lambda: uuid.uuid4().hex)
    time: str = field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="seconds"))

    @property
    def names(self) -> tuple[str, str]:
        """The contestants, left and right: the models, told apart by their settings where it is one and the same."""
        if self.left.model != self.right.model:
            return self.left.model, self.right.model
        left, right = (f"{side.model} ({side.settings})" for side in (self.left, self.right))
        return left, right

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "left": self.left.to_json(), "right": self.right.to_json()}


class VoteBook:
    """The votes in the file at `path`, which is made with its folder by the first vote.

    Every method opens and closes the file, so that a file that was mended or moved away is taken as it is now. All
    raise `VotesUnusable` with a sentence for one that cannot be read or written, or is none of ours.
    """

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)

    def cast(self, vote: Vote) -> None:
        """Write a vote, in place of the one with the same id if there is one. On return it is on the disk."""
        left, right = vote.names
        row = {
            **{name: getattr(vote, name) for name in ("id", "time", "visitor", "verdict", "blind", "swapped")},
            "question": _writable(vote.question),
            "picture": vote.picture,
            "left_name": left,
            "right_name": right,
            "left_side": json.dumps(vote.left.to_json()),
            "right_side": json.dumps(vote.right.to_json()),
        }
        places = ", ".join(f":{name}" for name in row)
        with self._open() as book:
            book.execute(f"INSERT OR REPLACE INTO votes ({', '.join(row)}) VALUES ({places})", row)

    def withdraw(self, id_: str) -> bool:
        """Take a vote back; whether it was there."""
        with self._open() as book:
            return book.execute("DELETE FROM votes WHERE id = ?", (id_,)).rowcount > 0

    def votes(self, visitor: str | None = None) -> list[Vote]:
        """All votes, or one visitor's, the oldest first."""
        if not self.path.exists():
            return []
        chosen, values = ("", ()) if visitor is None else (" WHERE visitor = ?", (visitor,))
        with self._open() as book:
            return [
                _vote(row) for row in book.execute(f"SELECT {COLUMNS} FROM votes{chosen} ORDER BY time, id", values)
            ]

    def tally(self) -> Tally:
        """What the votes say; those between two sides that differed in nothing are left out."""
        if not self.path.exists():
            return Tally()
        with self._open() as book:
            return tally([Pair(*row) for row in book.execute(PAIRS)])

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        """A connection in autocommit: each statement is a transaction of its own, on the disk when it returns."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with closing(sqlite3.connect(self.path, timeout=PATIENCE, isolation_level=None)) as book:
                self._prepare(book)
                yield book
        except (sqlite3.Error, OSError, ValueError, TypeError, KeyError) as error:
            raise VotesUnusable(self._sorry(error)) from error

    def _prepare(self, book: sqlite3.Connection) -> None:
        """See that the file is ours, and set it up if it is new."""
        until = time.monotonic() + PATIENCE
        while True:
            try:
                return self._identify(book)
            except sqlite3.OperationalError as error:
                # While others set up or recover the file, SQLite says so at once instead of waiting.
                if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                    raise
                time.sleep(0.01)

    def _identify(self, book: sqlite3.Connection) -> None:
        # In this order: another process makes the table and marks the file in one transaction.
        tables = book.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
        application = book.execute("PRAGMA application_id").fetchone()[0]
        version = book.execute("PRAGMA user_version").fetchone()[0]
        if application != APPLICATION and (tables or application or version):
            raise VotesUnusable(
                f"The file {self.path} is a database of something else; move it away, or name another data folder."
            )
        if application == APPLICATION and version != VERSION:
            raise VotesUnusable(
                f"The file of votes {self.path} has version {version} and {VERSION} can be read here; "
                "update the studio, or name another data folder."
            )
        book.execute("PRAGMA journal_mode=WAL")
        book.execute("PRAGMA synchronous=FULL")
        if application != APPLICATION:
            book.executescript(
                f"BEGIN IMMEDIATE; {TABLE}; PRAGMA application_id={APPLICATION}; PRAGMA user_version={VERSION}; COMMIT"
            )

    def _sorry(self, error: Exception) -> str:
        if isinstance(error, sqlite3.OperationalError | OSError):
            return f"The file of votes {self.path} cannot be used: {error}. Check that its folder can be written to."
        return f"The file of votes {self.path} is damaged or no file of votes ({error}); move it away to begin anew."


def _vote(row: tuple[Any, ...]) -> Vote:
    id_, when, visitor, verdict, blind, swapped, question, picture, left, right = row
    left_side, right_side = (Side.from_json(json.loads(side)) for side in (left, right))
    return Vote(question, picture, left_side, right_side, verdict, bool(blind), bool(swapped), visitor, id_, when)


def _writable(text: str) -> str:
    """`text` without halves of characters, which no file can hold."""
    return text.encode("utf-8", "replace").decode("utf-8")
