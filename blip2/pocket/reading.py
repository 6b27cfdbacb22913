"""Reading a caption back: which things, of which colours, how many, and where - the opposite of `captions`.

    read("two dogs and a red ball on a beach") -> Reading({("dog", None): 2, ("ball", "red"): 1}, "beach")

It is written apart from what makes captions, and is less strict: order, articles and colours that go without saying
("a red apple") do not matter, other words for a thing ("a puppy") count, and unknown words do not.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass

from blip2.pocket.kinds import COLOURS, KIND, KINDS
from blip2.pocket.knowledge import SYNONYMS
from blip2.pocket.world import BACKGROUNDS, Scene

__all__ = ["Reading", "read", "shown"]

_COUNTS = {
    "a": 1,
    "an": 1,
    "one": 1,
    "two": 2,
    "three": 3,
    "four": 4,
    "five": 5,
    "six": 6,
    "seven": 7,
    "eight": 8,
    "nine": 9,
}
_ONE = {kind.name: kind.name for kind in KINDS} | {
    one: name for name, words in SYNONYMS.items() for one, _ in words if one not in KIND
}
_MANY = {kind.plural: kind.name for kind in KINDS} | {
    many: name for name, words in SYNONYMS.items() for _, many in words if many not in KIND
}
_PLACES = sorted(BACKGROUNDS, key=lambda place: -len(place.phrase))  # "on a street at night" before shorter ones


@dataclass(frozen=True)
class Reading:
    """What a caption names: how many of each (kind, colour where it is not the kind's own), and a place's name or "".

    `things` is None where a part of the caption could not be read.
    """

    things: dict[tuple[str, str | None], int] | None
    place: str


def _told(kind: str, colour: str | None) -> tuple[str, str | None]:
    """The colour counts only for kinds that come in several."""
    return kind, None if not KIND[kind].paints and colour == KIND[kind].colour else colour


def _part(words: list[str]) -> tuple[tuple[str, str | None], int] | None:
    """ "two red balls" -> (("ball", "red"), 2), or None."""
    if len(words) < 2 or words[0] not in _COUNTS:
        return None
    count, rest = _COUNTS[words[0]], words[1:]
    colour = rest.pop(0) if rest[0] in COLOURS and len(rest) > 1 else None
    kind = (_ONE if count == 1 else _MANY).get(" ".join(rest))
    return None if kind is None else (_told(kind, colour), count)


def read(caption: str) -> Reading:
    """What the caption says."""
    text = re.sub(r"\s+", " ", caption.lower().strip().rstrip(".")).removeprefix("a photo of ")
    place = next((row for row in _PLACES if text.endswith(" " + row.phrase)), None)
    if place:
        text = text[: -len(place.phrase)].strip()
    things: Counter[tuple[str, str | None]] = Counter()
    for part in re.split(r", and |, | and ", text):
        found = _part(part.split())
        if found is None:
            return Reading(None, place.name if place else "")
        things[found[0]] += found[1]
    return Reading(dict(things), place.name if place else "")


def shown(scene: Scene) -> Reading:
    """What a right caption of the scene says."""
    things = Counter(_told(thing.kind, thing.colour) for thing in scene.things)
    return Reading(dict(things), scene.background)
