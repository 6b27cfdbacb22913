"""The values of the compare tab: two conversations about one picture, and the rounds of questions put to both.

Frozen, and without gradio. Everything in a pair belongs to the first and the second chosen model, in this order,
whichever of them stands on the left.
"""

import uuid
from dataclasses import dataclass, field, replace
from typing import Self

from blip2.chat import Conversation, Turn
from blip2.ui.visit import Notice, Visit
from blip2.values import Finish, Picture
from blip2.votes import Side, Verdict, Vote

COMPLETE = (Finish.END, Finish.LENGTH, Finish.STOP)  # an answer that was cut off by a person or a clock is none


@dataclass(frozen=True, slots=True)
class Round:
    """One question to both models. A side has either a turn in its conversation or a sentence in `failures`.

    `swapped`: the first model stands on the right. `blind`: the names are hidden until they are `revealed`.
    """

    question: str
    models: tuple[str, str]
    failures: tuple[str, str] = ("", "")
    swapped: bool = False
    blind: bool = False
    revealed: bool = False
    verdict: Verdict | None = None
    id: str = field(default_factory=lambda: uuid.uuid4().hex)

    @property
    def hidden(self) -> bool:
        return self.blind and not self.revealed

    @property
    def order(self) -> tuple[int, int]:
        """Which of the pair stands on the left, which on the right."""
        return (1, 0) if self.swapped else (0, 1)

    def failing(self, index: int, sentence: str) -> Self:
        first, second = self.failures
        return replace(self, failures=(sentence, second) if index == 0 else (first, sentence))


@dataclass(frozen=True, slots=True)
class CompareVisit:
    """All that the tab keeps of a visitor. `visitor` is a random id that votes carry, made by the first question."""

    sides: tuple[Visit, Visit] = (Visit(), Visit())
    rounds: tuple[Round, ...] = ()
    visitor: str = ""

    @property
    def running(self) -> bool:
        return any(side.running for side in self.sides)

    @property
    def picture(self) -> Picture | None:
        return self.sides[0].conversation.picture

    @property
    def foreign(self) -> bool:
        return self.sides[0].foreign

    def with_side(self, index: int, side: Visit) -> Self:
        first, second = self.sides
        return replace(self, sides=(side, second) if index == 0 else (first, side))

    def with_last(self, last: Round) -> Self:
        return replace(self, rounds=(*self.rounds[:-1], last))

    def positions(self, at: int) -> tuple[int | None, int | None]:
        """Where the turns of round `at` stand in the two conversations; None for a side without one."""
        first, second = (self._position(index, at) for index in (0, 1))
        return first, second

    def turns(self, at: int = -1) -> tuple[Turn | None, Turn | None]:
        """The two turns of a round; None for a side that failed or has not begun."""
        places = self.positions(at % len(self.rounds)) if self.rounds else (None, None)
        first, second = (
            None if place is None else side.conversation.turns[place]
            for side, place in zip(self.sides, places, strict=True)
        )
        return first, second

    @property
    def complete(self) -> bool:
        """Whether both answers of the last round are finished, and so can be voted on."""
        return not self.running and all(turn is not None and turn.finish in COMPLETE for turn in self.turns())

    def _position(self, index: int, at: int) -> int | None:
        if self.rounds[at].failures[index]:
            return None
        place = sum(not earlier.failures[index] for earlier in self.rounds[:at])
        return place if place < len(self.sides[index].conversation.turns) else None


def empty(first: str, second: str) -> CompareVisit:
    """The visit of one who has done nothing yet."""
    return CompareVisit((Visit(Conversation(first)), Visit(Conversation(second))))


@dataclass(frozen=True, slots=True)
class CompareStep:
    """What the page must show next; None leaves a part as it is. `text` goes into the question box."""

    visit: CompareVisit | None = None
    busy: bool | None = None
    text: str | None = None
    notice: Notice | None = None


def ballot(visit: CompareVisit, verdict: Verdict) -> Vote:
    """The vote on the last round of a visit that is complete."""
    last = visit.rounds[-1]
    turns = visit.turns()
    left, right = (turns[index] for index in last.order)
    assert left is not None, "only complete rounds are voted on"
    assert right is not None, "only complete rounds are voted on"
    return Vote(
        question=left.question,
        picture=visit.picture.digest if visit.picture else "",
        left=Side.of(left),
        right=Side.of(right),
        verdict=verdict,
        blind=last.hidden,
        swapped=last.swapped,
        visitor=visit.visitor,
        id=last.id,
    )
