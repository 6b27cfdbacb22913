"""What a picture says about one of its things: its colour, place, size and neighbours, each with its evidence.

`PROPERTIES[name](asker, thing)` is the answer, or None where no one answer would be right.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache

from blip2.pocket.asker import Asker, State, look
from blip2.pocket.captions import POSITIONS, Text, group, listing, one
from blip2.pocket.world import GRID, Thing

__all__ = ["BECAUSE_SEEN", "NOTHING", "PROPERTIES", "RELATIONS", "beside", "holds", "side", "state_of"]

NOTHING = "nothing"
BECAUSE_SEEN = Text("because i see it")
RELATIONS = {
    "left": ("left of", "to the left of", "on the left of"),
    "right": ("right of", "to the right of", "on the right of"),
    "above": ("above", "over", "higher than"),
    "below": ("below", "under", "lower than"),
}


def holds(relation: str, first: Thing, second: Thing) -> bool:
    """Whether `first` is left of, right of, above or below `second`, by the rows and columns of the grid."""
    if relation == "left":
        return first.col < second.col
    if relation == "right":
        return first.col > second.col
    return first.row < second.row if relation == "above" else first.row > second.row


@lru_cache(maxsize=40)
def side(relation: str, row: int, col: int) -> tuple[int, ...]:
    """The cells on that side of a cell."""
    cells = [(r, c) for r in range(GRID) for c in range(GRID)]
    spread = {"left": col, "right": -col, "above": row, "below": -row}[relation]
    steps = {"left": (0, 1), "right": (0, -1), "above": (1, 0), "below": (-1, 0)}[relation]
    return tuple(r * GRID + c for r, c in cells if r * steps[0] + c * steps[1] < spread)


def _colour(asker: Asker, thing: Thing) -> Text | None:
    return Text(look(thing), ((0, (thing.cell,)),))


def _where(asker: Asker, thing: Thing) -> Text | None:
    return Text(POSITIONS[thing.cell], ((0, (thing.cell,)),))


def _size(asker: Asker, thing: Thing) -> Text | None:
    return Text(thing.size, ((0, (thing.cell,)),))


def _next(asker: Asker, thing: Thing) -> Text | None:
    """The one thing in the cells around it; where there are two, or none but others farther off, nobody could say."""
    others = [other for other in asker.things if other is not thing]
    if not others:
        return Text(NOTHING, ((0, ()),))
    near = [other for other in others if max(abs(other.row - thing.row), abs(other.col - thing.col)) <= 1]
    return Text(one(near[0]), ((0, (near[0].cell,)),)) if len(near) == 1 else None


def beside(asker: Asker, thing: Thing, relation: str) -> tuple[Text, tuple[Thing, ...]] | None:
    """What is on that side of the thing: nothing, or a list of at most two things."""
    found = tuple(other for other in asker.things if holds(relation, other, thing))
    if len(found) > 2:
        return None
    return (listing(group(found)) if found else Text(NOTHING, ((0, ()),))), found


PROPERTIES: dict[str, Callable[[Asker, Thing], Text | None]] = {
    "color": _colour,
    "where": _where,
    "size": _size,
    "next": _next,
}


def state_of(asker: Asker, prop: str, thing: Thing, answer: Text) -> State:
    """What may follow: "it" is the thing asked about, or the thing that the answer names."""
    state = State(thing=thing, kind=thing.kind, frame=prop, asked=thing, why=BECAUSE_SEEN)
    if prop != "next":
        return state
    named = [other for other in asker.things if answer.marks[0][1] == (other.cell,)]
    named_one = named[0] if named else None
    return replace(state, thing=named_one, kind=named_one.kind if named_one else None)
