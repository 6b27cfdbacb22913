"""How things are named: noun phrases, lists and the caption of a scene. One right wording each, so it can be scored.

    caption(scene).text -> "a red ball, two dogs and a cat on a beach"

Things of one kind and one painted colour form a group; groups come in reading order of their first thing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from blip2.pocket.kinds import KIND
from blip2.pocket.world import BACKGROUND, Scene, Thing

__all__ = ["BACKGROUND_SLOT", "NUMBERS", "Group", "Text", "article", "caption", "group", "listing", "one", "positions"]

NUMBERS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
POSITIONS = ("top left", "top", "top right", "left", "middle", "right", "bottom left", "bottom", "bottom right")
BACKGROUND_SLOT = 9  # slots 0 to 8 are the cells of the grid

Marks = tuple[tuple[int, tuple[int, ...]], ...]


@dataclass(frozen=True)
class Text:
    """An answer, and which slots of the picture each part is evidence of: (character where the part starts, slots)."""

    text: str
    marks: Marks = ()


@dataclass(frozen=True)
class Group:
    """Things of one look, named together."""

    kind: str
    colour: str | None  # only where the kind comes in several
    cells: tuple[int, ...]

    @property
    def text(self) -> str:
        count = len(self.cells)
        noun = KIND[self.kind].name if count == 1 else KIND[self.kind].plural
        words = f"{self.colour} {noun}" if self.colour else noun
        return article(words) if count == 1 else f"{NUMBERS[count]} {words}"


def article(words: str) -> str:
    """The words with "a" or "an" before them."""
    return ("an " if words[0] in "aeiou" and not words.startswith("un") else "a ") + words


def painted(thing: Thing) -> str | None:
    """The colour that tells things of its kind apart, or None for a kind of one look."""
    return thing.colour if KIND[thing.kind].paints else None


def one(thing: Thing) -> str:
    """A single thing: "a dog", "a red ball"."""
    return Group(thing.kind, painted(thing), (thing.cell,)).text


def group(things: Iterable[Thing]) -> list[Group]:
    """The things as groups, in the order of each group's first thing."""
    cells: dict[tuple[str, str | None], list[int]] = {}
    for thing in things:
        cells.setdefault((thing.kind, painted(thing)), []).append(thing.cell)
    return [Group(kind, colour, tuple(members)) for (kind, colour), members in cells.items()]


def listing(groups: Sequence[Group], start: str = "") -> Text:
    """ "a, b and c" after `start`, each part marked with its cells."""
    text, marks = start, []
    for place, member in enumerate(groups):
        if place:
            text += " and " if place == len(groups) - 1 else ", "
        marks.append((len(text), member.cells))
        text += member.text
    return Text(text, tuple(marks))


def caption(scene: Scene) -> Text:
    """The one caption of a scene."""
    things = listing(group(scene.things))
    mark = (len(things.text) + 1, (BACKGROUND_SLOT,))
    return Text(f"{things.text} {BACKGROUND[scene.background].phrase}", (*things.marks, mark))


def positions(cells: Iterable[int]) -> list[str]:
    """Where these cells are, in words."""
    return [POSITIONS[cell] for cell in cells]
