"""Plain-knowledge questions about a named kind ("what does a cow eat?"): a function a type, see `asker`."""

from __future__ import annotations

from collections.abc import Callable

from blip2.pocket.asker import QA, Asker, Noun, State
from blip2.pocket.captions import Text, article
from blip2.pocket.kinds import KIND, KINDS
from blip2.pocket.knowledge import CLASSES, FACTS, TOPICS, fact, is_a, why_fact
from blip2.pocket.wordings_facts import KNOWN

__all__ = ["BECAUSE_LEARNT", "MAKERS", "about", "plural_form"]

BECAUSE_LEARNT = Text("because i learned it")
GROUPS = (*CLASSES, "animal", "fruit", "food", "vehicle", "building", "plant", "toy", "instrument", "shape")
_PLURAL_VERBS = (("does {t}", "do {t}"), ("is {t}", "are {t}"), ("has {t}", "have {t}"))
_VERBS = ("eats", "makes", "lives", "has", "is", "grows", "goes", "flies", "tastes")
_SINGULAR_ONLY = tuple(f"{{t}} {verb}" for verb in _VERBS)


def plural_form(template: str) -> str | None:
    """A template with its verb for several, or None where it cannot simply be turned."""
    if any(words in template for words in _SINGULAR_ONLY) or "{g}" in template:
        return None
    for single, plural in _PLURAL_VERBS:
        template = template.replace(single, plural)
    return template


def _answer(asker: Asker, topic: str, kind: str) -> tuple[str, str, Text] | None:
    """(what replaces {g}, answer, reason) for a question about this kind."""
    if topic == "category":
        category = KIND[kind].category
        named = None if category == "thing" else category if category == "weather" else article(category)
        return ("", named, BECAUSE_LEARNT) if named else None
    if topic != "is_a":
        known = fact(topic, kind)
        return ("", known, Text(why_fact(topic, kind) or BECAUSE_LEARNT.text)) if known else None
    own = KIND[kind].category
    choices = CLASSES if own == "animal" and asker.rng.random() < 0.6 else GROUPS
    group = own if own in GROUPS and asker.rng.random() < 0.35 else asker.rng.choice(choices)
    known = is_a(kind, group)
    return (article(group), known, Text(why_fact(group, kind) or BECAUSE_LEARNT.text)) if known else None


def _kind_with(asker: Asker, topic: str) -> str | None:
    """A kind that has such a fact: one of the picture half the time, if there is one."""
    if asker.rng.random() < 0.5:
        there = [k for k in asker.by_kind if topic not in FACTS or fact(topic, k)]
        if there:
            return asker.rng.choice(there)
    if topic in FACTS:
        return asker.rng.choice(list(FACTS[topic]))
    return asker.rng.choice(KINDS).name


def about(asker: Asker, topic: str, kind: str, noun: Noun | None, type_: str, lead: str = "") -> QA | None:
    """The question about this kind in words; `noun` is None where the kind is to be named."""
    found = _answer(asker, topic, kind)
    if found is None:
        return None
    group, answer, reason = found
    template = lead or asker.wording(KNOWN, topic).replace("{g}", group)
    here = asker.by_kind.get(kind, [])
    if noun is None:
        noun, template = _name(asker, kind, template, len(here) == 1)
    thing = here[0] if len(here) == 1 else None
    state = State(thing, kind, topic if topic != "is_a" else None, why=reason)
    needs = type_ != topic and not (type_ == "it_fact" and len(asker.things) == 1 and here)
    evidence = ((0, (thing.cell,)),) if thing and type_ == "it_fact" else ()
    return asker.say(type_, template, Text(answer, evidence), {"t": noun}, state=state, needs_history=needs)


def _name(asker: Asker, kind: str, template: str, single: bool) -> tuple[Noun, str]:
    """Words for the kind - "the cow" of the picture, "a cow" or "cows" - and the template to fit them."""
    draw = asker.rng.random()
    if single and draw < 0.5:
        cells = tuple(thing.cell for thing in asker.by_kind[kind])
        word = asker.word(kind)
        return Noun(word, cells), template.replace("{t}", "the {t}")
    if draw < 0.75 and kind not in ("sheep", "fish"):
        turned = plural_form(template)
        if turned:
            return Noun(asker.word(kind, plural=True)), turned
    return Noun(article(asker.word(kind))), template


def _maker(topic: str) -> Callable[[Asker], QA | None]:
    def make(asker: Asker) -> QA | None:
        kind = _kind_with(asker, topic)
        return None if kind is None else about(asker, topic, kind, None, topic)

    return make


MAKERS: dict[str, Callable[[Asker], QA | None]] = {topic: _maker(topic) for topic in (*TOPICS, "is_a", "category")}
