"""A recorded conversation asked again: the same prompts, models, decodings and seeds, and whether the answers are too.

The module knows the backend's seam and the conversation; it knows no files.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from blip2.backends.base import Backend, answer
from blip2.chat import Conversation, Turn
from blip2.errors import BadInput
from blip2.prompts import defuse
from blip2.values import Finish, Request

CUT_SHORT = (None, Finish.CANCELLED, Finish.DEADLINE)

Outcome = Literal["same", "different", "interrupted"]


@dataclass(frozen=True, slots=True)
class Replayed:
    """A turn asked again. `interrupted`: the recorded answer was cut short, so there is nothing to compare with.

    `note` says what differs between then and now (source, revision, dtype), or is empty.
    """

    index: int
    turn: Turn
    answer: str
    outcome: Outcome
    note: str = ""

    def to_json(self) -> dict[str, Any]:
        """The outcome with what was asked, what was answered then, and what now."""
        return {
            "question": self.turn.question,
            "model": self.turn.model,
            "recorded": self.turn.answer,
            "answer": self.answer,
            "outcome": self.outcome,
            "note": self.note,
        }


def replay(
    backend: Backend, conversation: Conversation, *, visitor: str = "", deadline: float | None = None
) -> Iterator[Replayed]:
    """Send each turn's recorded prompt again, with its own model, decoding and seed; yields what came of each.

    Raises `BadInput` without a picture, and what the backend raises. `deadline` is in seconds for each turn.
    """
    if conversation.picture is None:
        raise BadInput("The conversation has no picture, so it cannot be replayed; add the picture first.")
    for index, turn in enumerate(conversation.turns):
        info = backend.describe(turn.model)
        changes = [
            f"{name} was {then or 'unknown'} and is {now or 'unknown'}"
            for name, then, now in (
                ("source", turn.source, info.source),
                ("revision", turn.revision, info.revision),
                ("dtype", turn.dtype, info.dtype),
            )
            if then != now
        ]
        request = Request(
            model=turn.model,
            picture=conversation.picture,
            prompt=defuse(turn.prompt)[0],  # a file may hold what the page would not have sent
            decoding=turn.decoding,
            seed=turn.seed,
            deadline=deadline,
            visitor=visitor,
        )
        now = answer(backend, request)
        outcome: Outcome = "same" if now.text == turn.answer else "different"
        if turn.finish in CUT_SHORT or now.finish in CUT_SHORT:
            outcome = "interrupted"
        yield Replayed(index, turn, now.text, outcome, "; ".join(changes))
