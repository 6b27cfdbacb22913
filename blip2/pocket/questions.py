"""Questions about what is in the picture that need no history: a function a type, see `asker`."""

from __future__ import annotations

from collections.abc import Callable

from blip2.pocket.asker import QA, Asker, Noun, State, look
from blip2.pocket.captions import NUMBERS, POSITIONS, Text, caption, group, listing, one, painted
from blip2.pocket.kinds import CATEGORY_PLURALS, KIND, KINDS, PAINTS
from blip2.pocket.properties import BECAUSE_SEEN, NOTHING, PROPERTIES, RELATIONS, beside, holds, side, state_of
from blip2.pocket.wordings import SEEN
from blip2.pocket.world import Thing

__all__ = ["MAKERS", "because", "cells", "of_category"]

ASKED = ("animal", "fruit", "food", "vehicle", "building", "plant", "toy", "instrument", "shape")
# Things that a background may show by itself: nobody could say whether they are "there".
SCENERY = {
    "forest": {"plant"},
    "city": {"building"},
    "street": {"building"},
    "meadow": {"plant"},
    "snow": {"plant"},
}
_CORNERS_AND_MIDDLE = (0, 2, 4, 6, 8)
_EDGES = {1: (0, 1, 2), 3: (0, 3, 6), 5: (2, 5, 8), 7: (6, 7, 8)}
_AT = {
    True: ("at the {p}", "in the {p}", "in the {p} corner", "at the {p} of the {pic}"),
    False: ("at the {p}", "on the {p}", "at the {p} of the {pic}", "on the {p} side"),
}


def cells(things: tuple[Thing, ...] | list[Thing]) -> tuple[int, ...]:
    return tuple(thing.cell for thing in things)


def because(things: list[Thing] | tuple[Thing, ...], none: str) -> Text:
    """ "because there is a dog and a cat", or that there is none."""
    if not things:
        return Text(f"because there is no {none}", ((0, ()),))
    return listing(group(things), f"because there {'is' if len(group(things)[0].cells) == 1 else 'are'} ")


def of_category(asker: Asker, category: str) -> list[Thing] | None:
    """The things of a category, or None where the question would be unclear (a fruit is food too; scenery)."""
    if category in SCENERY.get(asker.scene.background, ()):
        return None
    if category == "food" and any(KIND[thing.kind].category == "fruit" for thing in asker.things):
        return None
    return [thing for thing in asker.things if KIND[thing.kind].category == category]


def _named(things: tuple[Thing, ...] | list[Thing], asker: Asker) -> State:
    """The state after an answer that names these things."""
    rest = tuple(thing for thing in asker.things if thing not in things)
    if len(things) == 1:
        return State(thing=things[0], kind=things[0].kind, why=BECAUSE_SEEN, rest=rest)
    return State(why=BECAUSE_SEEN, rest=rest if things else None)


def _what(asker: Asker) -> QA | None:
    state = _named(asker.things, asker)
    return asker.say("what", asker.wording(SEEN, "what"), listing(group(asker.things)), state=state)


def _describe(asker: Asker) -> QA | None:
    state = _named(asker.things, asker)
    return asker.say("describe", asker.wording(SEEN, "describe"), caption(asker.scene), state=state)


def _a_category(asker: Asker) -> tuple[str, list[Thing]] | None:
    """A category to ask about: seven in ten times one that the picture has."""
    there = [category for category in {KIND[thing.kind].category for thing in asker.things} if category in ASKED]
    category = asker.rng.choice(sorted(there) if there and asker.rng.random() < 0.7 else ASKED)
    things = of_category(asker, category)
    return None if things is None else (category, things)


def _which(asker: Asker) -> QA | None:
    asked = _a_category(asker)
    if asked is None:
        return None
    category, things = asked
    answer = listing(group(things)) if things else Text(f"there is no {category}", ((0, ()),))
    template = asker.wording(SEEN, "which").replace("{g}", category)
    return asker.say("which", template, answer, state=_named(things, asker))


def _absent_kind(asker: Asker) -> str | None:
    """A kind that is not there: half the time of the category of one that is."""
    near = asker.rng.random() < 0.5
    category = KIND[asker.rng.choice(asker.things).kind].category
    for _ in range(10):
        kind = asker.rng.choice(KINDS)
        unclear = kind.category in SCENERY.get(asker.scene.background, ())
        if kind.name not in asker.by_kind and not unclear and (not near or kind.category == category):
            return kind.name
    return None


def _absent(asker: Asker) -> QA | None:
    """A question about a thing that is not there."""
    kind = _absent_kind(asker)
    if kind is None:
        return None
    template = asker.wording(SEEN, asker.rng.choice(("color", "where", "size", "next")))
    answer = Text(f"there is no {kind}", ((0, ()),))
    return asker.say("absent", template, answer, {"x": Noun(asker.word(kind), ())}, state=State(kind=kind))


def _property(prop: str) -> Callable[[Asker], QA | None]:
    def make(asker: Asker) -> QA | None:
        picked = asker.pick(colour=prop != "color")
        answer = PROPERTIES[prop](asker, picked[0]) if picked else None
        if picked is None or answer is None:
            return None
        state = state_of(asker, prop, picked[0], answer)
        return asker.say(prop, asker.wording(SEEN, prop), answer, {"x": picked[1]}, state=state)

    return make


def _position(asker: Asker) -> tuple[str, list[Thing], tuple[int, ...]]:
    """Words for a part of the picture, the things there and its cells. "On the left" means the whole left column."""
    spot = asker.rng.choice(asker.things).cell if asker.rng.random() < 0.75 else asker.rng.randrange(9)
    region = _EDGES.get(spot, (spot,))
    template = asker.rng.choice(_AT[spot in _CORNERS_AND_MIDDLE and spot != 4])
    if spot == 4:
        template = asker.rng.choice(("in the {p}", "in the {p} of the {pic}", "at the {p}"))
    name = asker.rng.choice(("middle", "center", "centre")) if spot == 4 else POSITIONS[spot]
    return template.replace("{p}", name), [thing for thing in asker.things if thing.cell in region], region


def _at(asker: Asker) -> QA | None:
    words, things, region = _position(asker)
    if len(things) > 1:
        return None
    answer = Text(one(things[0]) if things else NOTHING, ((0, cells(things)),))
    template = asker.wording(SEEN, "at").replace("{at}", words)
    return asker.say("at", template, answer, state=_named(things, asker), region=region)


def _color_at(asker: Asker) -> QA | None:
    words, things, region = _position(asker)
    if len(things) != 1:
        return None
    answer = Text(look(things[0]), ((0, cells(things)),))
    template = asker.wording(SEEN, "color_at").replace("{at}", words)
    state = State(things[0], things[0].kind, "color", things[0], BECAUSE_SEEN)
    return asker.say("color_at", template, answer, state=state, region=region)


def _count(asker: Asker) -> QA | None:
    answer = Text(NUMBERS[len(asker.things)], ((0, cells(asker.things)),))
    state = State(why=because(asker.things, "thing"))
    return asker.say("count", asker.wording(SEEN, "count"), answer, state=state)


def _counted(asker: Asker, type_: str, noun: str, singular: str, things: list[Thing]) -> QA:
    answer = Text(NUMBERS[len(things)], ((0, cells(things)),))
    only = things[0] if len(things) == 1 else None
    state = State(only, only.kind if only else None, "count_kind", why=because(things, singular))
    nouns = {"xs": Noun(noun, cells(things))}
    return asker.say(type_, asker.wording(SEEN, "count_kind"), answer, nouns, state=state)


def _count_kind(asker: Asker) -> QA | None:
    kind = asker.rng.choice(asker.things).kind if asker.rng.random() < 0.75 else _absent_kind(asker)
    if kind is None or KIND[kind].category in SCENERY.get(asker.scene.background, ()):
        return None
    things, noun, singular = asker.by_kind.get(kind, []), asker.word(kind, plural=True), kind
    if things and painted(things[0]) and asker.rng.random() < 0.4:
        paint = asker.rng.choice((painted(asker.rng.choice(things)), asker.rng.choice(KIND[kind].paints)))
        things = [thing for thing in things if painted(thing) == paint]
        noun, singular = f"{paint} {noun}", f"{paint} {singular}"
    return _counted(asker, "count_kind", noun, singular, things)


def _count_category(asker: Asker) -> QA | None:
    asked = _a_category(asker)
    if asked is None:
        return None
    return _counted(asker, "count_category", CATEGORY_PLURALS[asked[0]], asked[0], asked[1])


def _beside(asker: Asker) -> QA | None:
    picked = asker.pick()
    relation = asker.rng.choice(tuple(RELATIONS))
    found = beside(asker, picked[0], relation) if picked else None
    if picked is None or found is None or (not found[1] and asker.rng.random() < 0.5):
        return None
    template = asker.wording(SEEN, "beside").replace("{rel}", asker.rng.choice(RELATIONS[relation][:2]))
    state = _named(found[1], asker) if found[1] else None
    region = side(relation, picked[0].row, picked[0].col)
    return asker.say("beside", template, found[0], {"x": picked[1]}, state=state, region=region)


def _of_color(asker: Asker) -> QA | None:
    """The one thing of a colour, where nothing else could be said to be of that colour too."""
    colour = asker.rng.choice(PAINTS)
    things = [thing for thing in asker.things if colour in look(thing) or look(thing) == "many colors"]
    if len(things) != 1 or things[0].colour != colour:
        return None
    answer = Text(one(things[0]), ((0, cells(things)),))
    template = asker.wording(SEEN, "of_color").replace("{c}", colour)
    return asker.say("of_color", template, answer, state=_named(things, asker))


def _bigger(asker: Asker) -> QA | None:
    if len(asker.things) < 2:
        return None
    first, second = asker.rng.sample(asker.things, 2)
    nouns = (asker.refer(first), asker.refer(second))
    if nouns[0] is None or nouns[1] is None or first.size == second.size:
        return None
    big = first if first.size == "big" else second
    answer = Text("the " + one(big).split(" ", 1)[1], ((0, (big.cell,)),))
    state = State(big, big.kind, why=BECAUSE_SEEN)
    return asker.say("bigger", asker.wording(SEEN, "bigger"), answer, {"x": nouns[0], "y": nouns[1]}, state=state)


def _relation(asker: Asker) -> QA | None:
    if len(asker.things) < 2:
        return None
    first, second = asker.rng.sample(asker.things, 2)
    nouns = (asker.refer(first), asker.refer(second))
    if nouns[0] is None or nouns[1] is None:
        return None
    wanted = asker.rng.random() < 0.5
    fits = [relation for relation in RELATIONS if holds(relation, first, second) == wanted]
    relation = asker.rng.choice(fits)
    spots = tuple(POSITIONS[thing.cell] for thing in (first, second))
    words = [one(thing).split(" ", 1)[1] for thing in (first, second)]
    why = Text(
        f"because the {words[0]} is at the {spots[0]} and the {words[1]} is at the {spots[1]}",
        ((0, (first.cell,)), (len(f"because the {words[0]} is at the {spots[0]} and "), (second.cell,))),
    )
    answer = Text("yes" if wanted else "no", ((0, (first.cell, second.cell)),))
    region = side(relation, second.row, second.col)
    template = asker.wording(SEEN, "relation").replace("{rel}", asker.rng.choice(RELATIONS[relation]))
    return asker.say("relation", template, answer, {"x": nouns[0], "y": nouns[1]}, state=State(why=why), region=region)


MAKERS: dict[str, Callable[[Asker], QA | None]] = {
    "what": _what,
    "describe": _describe,
    "which": _which,
    "absent": _absent,
    **{prop: _property(prop) for prop in PROPERTIES},
    "at": _at,
    "color_at": _color_at,
    "count": _count,
    "count_kind": _count_kind,
    "count_category": _count_category,
    "beside": _beside,
    "of_color": _of_color,
    "bigger": _bigger,
    "relation": _relation,
}
