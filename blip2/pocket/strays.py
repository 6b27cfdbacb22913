"""Turns that neither the picture nor the taught facts answer, and small talk: a function a type, see `asker`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from blip2.pocket.asker import QA, Asker, Noun, State
from blip2.pocket.captions import Text, article
from blip2.pocket.facts import plural_form
from blip2.pocket.knowledge import TOPICS
from blip2.pocket.properties import RELATIONS
from blip2.pocket.unknowable import DONT_KNOW, HIDDEN, UNTAUGHT, made_up
from blip2.pocket.wordings import SEEN
from blip2.pocket.wordings_facts import KNOWN, TALK

__all__ = ["MAKERS", "REPLIES"]

REPLIES = {
    "hello": "hello, ask me about the picture",
    "thanks": "you are welcome",
    "bye": "goodbye",
    "self": "a small model that talks about pictures",
}
_WHY_UNKNOWN = Text("because the picture does not show it")
_SEEN_TYPES = ("color", "where", "size", "next", "exist", "count_kind", "beside")


def _unknown_word(asker: Asker) -> str:
    if asker.rng.random() < 0.6:
        return asker.rng.choice(UNTAUGHT[asker.split])
    return made_up(asker.rng, asker.split)


def _unknown_thing(asker: Asker) -> QA | None:
    """A usual question, about a kind of thing that was never taught."""
    word = _unknown_word(asker)
    plural = word if word.endswith("s") else word + "s"
    nouns = {"x": Noun(word, ()), "xs": Noun(plural, ()), "t": Noun(article(word))}
    if asker.rng.random() < 0.6:
        template = asker.wording(SEEN, asker.rng.choice(_SEEN_TYPES))
        relation = asker.rng.choice(RELATIONS[asker.rng.choice(tuple(RELATIONS))][:2])
        template = template.replace("{rel}", relation)
    else:
        template = asker.wording(KNOWN, asker.rng.choice((*TOPICS, "category")))
        turned = plural_form(template) if asker.rng.random() < 0.3 else None
        if turned:
            template, nouns["t"] = turned, Noun(plural)
        elif asker.rng.random() < 0.3:
            nouns["t"] = Noun("the " + word)
    used = {slot: noun for slot, noun in nouns.items() if f"{{{slot}}}" in template}
    return asker.say("unknown_thing", template, DONT_KNOW, used, state=State(why=_WHY_UNKNOWN))


def _unknown_fact(asker: Asker) -> QA | None:
    """A question about what no picture shows."""
    template = asker.rng.choice(HIDDEN[asker.split])
    thing = asker.rng.choice(asker.things)
    nouns = {"n": Noun(asker.word(thing.kind))} if "{n}" in template else {}
    return asker.say("unknown_fact", template, DONT_KNOW, nouns, state=State(why=_WHY_UNKNOWN))


def _talk(asker: Asker) -> QA | None:
    """A greeting or thanks: the conversation's thread goes on after it."""
    topic = asker.rng.choice(tuple(REPLIES))
    state = replace(asker.state, why=None, frame=None, many=None, rest=None)
    return asker.say("talk", asker.wording(TALK, topic), REPLIES[topic], state=state)


MAKERS: dict[str, Callable[[Asker], QA | None]] = {
    "unknown_thing": _unknown_thing,
    "unknown_fact": _unknown_fact,
    "talk": _talk,
}
