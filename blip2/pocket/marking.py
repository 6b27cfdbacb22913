"""Marks: answers held against the right ones, and shares of right ones.

A `Paper` collects the marks of one language model while a report runs and turns them into the report's figures. It
knows no model. An answer is right if it is the expected one to the letter, capitals, spaces at its ends and a final
full stop apart.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from blip2.pocket.exam import Ask
from blip2.pocket.reading import read, shown
from blip2.pocket.world import Scene

__all__ = ["Paper", "Share", "right"]

FEWEST = 10  # answers that a type needs before it can be the worst one


def right(given: str, expected: str) -> bool:
    """Whether an answer is the expected one."""
    return given.strip().rstrip(".").lower() == expected.strip().rstrip(".").lower()


@dataclass
class Share:
    """How many of how many."""

    hits: int = 0
    n: int = 0

    def add(self, hit: bool) -> None:
        self.hits += hit
        self.n += 1

    @property
    def value(self) -> float | None:
        """The share in [0, 1], to four places; None of nothing."""
        return round(self.hits / self.n, 4) if self.n else None


@dataclass
class Paper:
    """The marks of one model. `mark_…` may be called from any thread."""

    shares: dict[str, Share] = field(default_factory=lambda: defaultdict(Share))
    types: dict[str, Share] = field(default_factory=lambda: defaultdict(Share))
    turns: dict[int, Share] = field(default_factory=lambda: defaultdict(Share))
    mistakes: list[dict[str, str]] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def mark_talk(self, ask: Ask, given: str) -> None:
        """A turn asked with the right answers before it."""
        hit = right(given, ask.answer)
        with self._lock:
            self.shares["all"].add(hit)
            self.types[ask.type].add(hit)
            if ask.needs_history:
                self.shares["history"].add(hit)
            if not hit:
                self.mistakes.append(
                    {"type": ask.type, "question": ask.question, "expected": ask.answer, "given": given}
                )

    def mark(self, figure: str, ask: Ask, given: str) -> None:
        """A question that counts for one figure: history_withheld, unseen_wordings or unknowable."""
        with self._lock:
            self.shares[figure].add(right(given, ask.answer))

    def mark_turn(self, turn: int, ask: Ask, given: str) -> None:
        """A turn (from 0) of a conversation whose earlier answers are the model's own."""
        with self._lock:
            self.turns[turn].add(right(given, ask.answer))

    def mark_caption(self, scene: Scene, given: str) -> None:
        """A caption: right if it names exactly the things, colours and counts that there are."""
        said, true = read(given), shown(scene)
        with self._lock:
            self.shares["captions"].add(said.things == true.things)
            self.shares["captions_with_place"].add(said == true)

    def figures(self) -> dict[str, Any]:
        """The report's figures: shares in [0, 1], None where nothing was asked; `n` says of how many."""
        order = sorted(self.types)
        enough = [name for name in order if self.types[name].n >= FEWEST] or order
        worst = min(enough, key=lambda name: self.types[name].value or 0.0, default=None)
        names = (
            "all",
            "history",
            "history_withheld",
            "unseen_wordings",
            "unknowable",
            "captions",
            "captions_with_place",
        )
        shares = {name: self.shares[name] for name in names}
        return {
            "all": shares["all"].value,
            "worst_type": self.types[worst].value if worst else None,
            "worst_type_name": worst,
            "by_type": {name: self.types[name].value for name in order},
            **{name: shares[name].value for name in names[1:3]},
            "by_turn": [self.turns[turn].value for turn in sorted(self.turns)],
            **{name: shares[name].value for name in names[3:]},
            "n": {
                **{name: share.n for name, share in shares.items()},
                "by_type": {name: self.types[name].n for name in order},
                "by_turn": [self.turns[turn].n for turn in sorted(self.turns)],
            },
        }
