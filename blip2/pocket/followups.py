"""Questions that only the history makes clear ("what color is it?", "and the cat?", "why?"): see `asker`.

Asked at the start of a conversation about a picture with several things, the same words have no answer, and the right
reply is that nobody knows (`no_history`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from blip2.pocket.asker import QA, Asker, Noun, State
from blip2.pocket.captions import NUMBERS, Text, group, listing
from blip2.pocket.facts import about
from blip2.pocket.kinds import KIND, KINDS
from blip2.pocket.knowledge import FACTS, TOPICS, fact
from blip2.pocket.properties import NOTHING, PROPERTIES, RELATIONS, beside, side, state_of
from blip2.pocket.questions import SCENERY, because, cells
from blip2.pocket.unknowable import DONT_KNOW
from blip2.pocket.wordings import SEEN
from blip2.pocket.wordings_facts import FOLLOW, KNOWN
from blip2.pocket.world import Thing

__all__ = ["MAKERS", "no_history"]


def _of_it(template: str) -> str:
    """A template about "the {x}" made one about "{x}"."""
    if "the {x}'s" in template:
        return template.replace("the {x}'s", "its")
    return template.replace("the {x}", "{x}").replace("that {x}", "{x}")


def _it_property(prop: str) -> Callable[[Asker], QA | None]:
    def make(asker: Asker) -> QA | None:
        thing = asker.state.thing
        answer = PROPERTIES[prop](asker, thing) if thing else None
        if thing is None or answer is None:
            return None
        state, needs = state_of(asker, prop, thing, answer), len(asker.things) > 1
        nouns = {"x": asker.it()}
        template = _of_it(asker.wording(SEEN, prop))
        return asker.say(f"it_{prop}", template, answer, nouns, state=state, needs_history=needs)

    return make


def _it_beside(asker: Asker) -> QA | None:
    thing = asker.state.thing
    relation = asker.rng.choice(tuple(RELATIONS))
    found = beside(asker, thing, relation) if thing else None
    if thing is None or found is None or len(asker.things) == 1 or (not found[1] and asker.rng.random() < 0.5):
        return None
    template = _of_it(asker.wording(SEEN, "beside")).replace("{rel}", asker.rng.choice(RELATIONS[relation][:2]))
    only = found[1][0] if len(found[1]) == 1 else None
    state = State(only, only.kind if only else None)
    nouns, region = {"x": asker.it()}, side(relation, thing.row, thing.col)
    return asker.say("it_beside", template, found[0], nouns, state=state, needs_history=True, region=region)


def _it_fact(asker: Asker) -> QA | None:
    kind = asker.state.kind
    if kind is None:
        return None
    topics = [topic for topic in TOPICS if fact(topic, kind)] + ["is_a", "category"]
    return about(asker, asker.rng.choice(topics), kind, asker.it(), "it_fact")


def _and(asker: Asker) -> QA | None:
    """ "And the cat?": the last question again, about something else."""
    frame = asker.state.frame
    template = asker.wording(FOLLOW, "and")
    if frame in PROPERTIES:
        others = [thing for thing in asker.things if thing is not asker.state.asked]
        thing = asker.rng.choice(others) if others else None
        noun = asker.refer(thing, colour=frame != "color") if thing else None
        answer = PROPERTIES[frame](asker, thing) if thing and noun else None
        if thing is None or noun is None or answer is None:
            return None
        state = state_of(asker, frame, thing, answer)
        return asker.say("and", template, answer, {"x": noun}, state=state, needs_history=True)
    if frame in ("count_kind", "exist"):
        return _and_kind(asker, frame, template)
    if frame in TOPICS or frame == "category":
        names = list(FACTS[frame]) if frame in TOPICS else [kind.name for kind in KINDS]
        kind = asker.rng.choice(names)
        if kind == asker.state.kind:
            return None
        words = "a {x}" if asker.rng.random() < 0.7 else "the {x}"
        lead = template.replace("the {x}", words).replace("that {x}", words).replace("{x}", "{t}")
        return about(asker, frame, kind, Noun(asker.word(kind)), "and", lead)
    return None


def _and_kind(asker: Asker, frame: str, template: str) -> QA | None:
    kind = asker.rng.choice(asker.things).kind if asker.rng.random() < 0.55 else asker.rng.choice(KINDS).name
    if KIND[kind].category in SCENERY.get(asker.scene.background, ()):
        return None
    things = asker.by_kind.get(kind, [])
    template = template.replace("the {x}", "{x}").replace("that {x}", "{x}")
    word = asker.word(kind, plural=frame == "count_kind")
    if frame == "exist":
        template, text = template.replace("{x}", "a {x}"), "yes" if things else "no"
    else:
        text = NUMBERS[len(things)]
    only = things[0] if len(things) == 1 else None
    state = State(only, only.kind if only else None, frame, only, because(things, kind))
    answer = Text(text, ((0, cells(things)),))
    return asker.say("and", template, answer, {"x": Noun(word, cells(things))}, state=state, needs_history=True)


def _other(asker: Asker) -> QA | None:
    """ "And the other one?": of two things in the picture, the one that was not asked about."""
    frame, thing = asker.state.frame, asker.state.asked
    if len(asker.things) != 2 or thing is None or frame not in PROPERTIES or frame == "next":
        return None
    other: Thing = asker.things[0] if asker.things[1] is thing else asker.things[1]
    answer = PROPERTIES[frame](asker, other)
    if answer is None:
        return None
    template = asker.wording(FOLLOW, "other")
    return asker.say("other", template, answer, state=state_of(asker, frame, other, answer), needs_history=True)


def _why(asker: Asker) -> QA | None:
    if asker.state.why is None:
        return None
    state = replace(asker.state, why=None, frame=None, rest=None)
    return asker.say("why", asker.wording(FOLLOW, "why"), asker.state.why, state=state, needs_history=True)


def _many(asker: Asker) -> QA | None:
    things = asker.state.many
    if things is None:
        return None
    answer = Text(NUMBERS[len(things)], ((0, cells(things)),))
    state = replace(asker.state, many=None, frame="count_kind", why=None)
    return asker.say("how_many", asker.wording(FOLLOW, "many"), answer, state=state, needs_history=True)


def _else(asker: Asker) -> QA | None:
    rest = asker.state.rest
    if rest is None:
        return None
    answer = listing(group(rest)) if rest else Text(NOTHING, ((0, ()),))
    only = rest[0] if len(rest) == 1 else None
    state = State(only, only.kind if only else None)
    needs = len(asker.things) > 1
    return asker.say("else", asker.wording(SEEN, "else"), answer, state=state, needs_history=needs)


def no_history(asker: Asker) -> QA | None:
    """A follow-up with nothing before it to follow."""
    if len(asker.things) < 2:
        return None
    choice = asker.rng.randrange(7)
    if choice == 0:
        template = _of_it(asker.wording(SEEN, asker.rng.choice(tuple(PROPERTIES)))).replace("{x}", "it")
    elif choice == 1:
        template = asker.wording(KNOWN, asker.rng.choice(TOPICS)).replace("{t}", "it")
    elif choice == 2:
        template = asker.wording(FOLLOW, "other")
    elif choice == 3:
        template = asker.wording(FOLLOW, "why")
    elif choice == 4:
        template = asker.wording(SEEN, "else") if asker.rng.random() < 0.5 else asker.wording(FOLLOW, "many")
    elif choice == 5:
        word = Noun(asker.word(asker.rng.choice(KINDS).name))
        return asker.say("no_history", asker.wording(FOLLOW, "and"), DONT_KNOW, {"x": word})
    else:
        template = _of_it(asker.wording(SEEN, "beside")).replace("{x}", "it")
        template = template.replace("{rel}", asker.rng.choice(RELATIONS[asker.rng.choice(tuple(RELATIONS))]))
    return asker.say("no_history", template, DONT_KNOW)


MAKERS: dict[str, Callable[[Asker], QA | None]] = {
    **{f"it_{prop}": _it_property(prop) for prop in PROPERTIES},
    "it_beside": _it_beside,
    "it_fact": _it_fact,
    "and": _and,
    "other": _other,
    "why": _why,
    "how_many": _many,
    "else": _else,
}
