"""Yes-or-no questions about the picture, and questions about its place: a function a type, see `asker`."""

from __future__ import annotations

from collections.abc import Callable

from blip2.pocket.asker import QA, Asker, Noun, State
from blip2.pocket.captions import BACKGROUND_SLOT, POSITIONS, Text, painted
from blip2.pocket.kinds import CATEGORY_PLURALS, KIND, KINDS
from blip2.pocket.questions import ASKED, SCENERY, because, cells, of_category
from blip2.pocket.wordings import SEEN
from blip2.pocket.world import BACKGROUND, BACKGROUNDS, Thing

__all__ = ["MAKERS", "PLACE_EVIDENCE", "spotted"]

PLACE_EVIDENCE = {
    "beach": "because there is sand and water",
    "meadow": "because there is green grass",
    "night": "because there are stars in a dark sky",
    "snow": "because the ground is white",
    "city": "because there are tall buildings",
    "desert": "because there is only sand",
    "sea": "because there is water everywhere",
    "room": "because there are walls and a floor",
    "forest": "because there are many trees",
    "street": "because there are lit windows and a road",
}
# Places that could each be called the other's name.
_ALIKE = {"street": {"city", "night"}, "city": {"street"}, "night": {"street"}, "beach": {"sea"}}
_SLOT = ((0, (BACKGROUND_SLOT,)),)


def spotted(things: list[Thing], none: str) -> Text:
    """Why a thing is said to be there: where the only one is, or how many there are."""
    if len(things) != 1:
        return because(things, none)
    reason = because(things, none)
    return Text(f"{reason.text} at the {POSITIONS[things[0].cell]}", reason.marks)


def _exist(asker: Asker, things: list[Thing], words: str, plural: str, singular: str) -> QA:
    """`singular` is the plain name for the answer to "why?"."""
    template = asker.wording(SEEN, "exist")
    nouns = {"x": Noun(words, cells(things))} if "{x}" in template else {"xs": Noun(plural, cells(things))}
    only = things[0] if len(things) == 1 else None
    state = State(only, only.kind if only else None, "exist", only, spotted(things, singular), tuple(things))
    answer = Text("yes" if things else "no", ((0, cells(things)),))
    kind = "exist_category" if singular in CATEGORY_PLURALS else "exist"
    return asker.say(kind, template, answer, nouns, state=state)


def _exist_kind(asker: Asker) -> QA | None:
    """Half yes; a no is a kind of the same category or another colour of what is there, half the time."""
    thing = asker.rng.choice(asker.things)
    things = asker.by_kind[thing.kind]
    kind, paint = thing.kind, None
    if asker.rng.random() < 0.5:
        near = asker.rng.random() < 0.5
        paints = [paint for paint in KIND[kind].paints if all(painted(other) != paint for other in things)]
        if near and paints:
            paint, things = asker.rng.choice(paints), []
        else:
            absent = [k for k in KINDS if k.name not in asker.by_kind]
            wanted = [k for k in absent if k.category == KIND[kind].category] if near else absent
            if not wanted:
                return None
            kind, things = asker.rng.choice(wanted).name, []
    elif painted(thing) and asker.rng.random() < 0.4:
        paint = painted(thing)
        things = [other for other in things if painted(other) == paint]
    if KIND[kind].category in SCENERY.get(asker.scene.background, ()):
        return None
    lead = f"{paint} " if paint else ""
    return _exist(asker, things, lead + asker.word(kind), lead + asker.word(kind, plural=True), lead + kind)


def _exist_category(asker: Asker) -> QA | None:
    there = KIND[asker.rng.choice(asker.things).kind].category
    category = asker.rng.choice(ASKED) if asker.rng.random() < 0.6 else there
    things = of_category(asker, category) if category in ASKED else None
    if things is None:
        return None
    return _exist(asker, things, category, CATEGORY_PLURALS[category], category)


def _place(asker: Asker) -> QA | None:
    state = State(why=Text(PLACE_EVIDENCE[asker.background.name], _SLOT))
    return asker.say("place", asker.wording(SEEN, "place"), Text(asker.background.place, _SLOT), state=state)


def _is_place(asker: Asker) -> QA | None:
    name = asker.background.name
    yes = asker.rng.random() < 0.5
    asked = asker.background if yes else asker.rng.choice(BACKGROUNDS)
    if (asked.name == name) != yes or asked.name in _ALIKE.get(name, ()):
        return None
    template = asker.wording(SEEN, "is_place").replace("{place}", asked.place).replace("{onplace}", asked.phrase)
    state = State(why=Text(PLACE_EVIDENCE[name], _SLOT))
    return asker.say("is_place", template, Text("yes" if yes else "no", _SLOT), state=state)


def _daytime(asker: Asker) -> QA | None:
    night = BACKGROUND[asker.scene.background].night
    state = State(why=Text("because the sky is dark" if night else "because it is light", _SLOT))
    return asker.say("daytime", asker.wording(SEEN, "daytime"), Text("night" if night else "day", _SLOT), state=state)


def _indoors(asker: Asker) -> QA | None:
    state = State(why=Text(PLACE_EVIDENCE[asker.background.name], _SLOT))
    answer = Text("outdoors" if asker.background.outdoors else "indoors", _SLOT)
    return asker.say("indoors", asker.wording(SEEN, "indoors"), answer, state=state)


MAKERS: dict[str, Callable[[Asker], QA | None]] = {
    "exist": _exist_kind,
    "exist_category": _exist_category,
    "place": _place,
    "is_place": _is_place,
    "daytime": _daytime,
    "indoors": _indoors,
}
