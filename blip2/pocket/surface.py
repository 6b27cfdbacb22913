"""How a question looks when it is typed: politeness, question marks, capitals, British spelling, slips."""

from __future__ import annotations

import random

from blip2.pocket.kinds import KINDS
from blip2.pocket.knowledge import SYNONYMS

__all__ = ["WORDS", "slip", "typed"]

_BEFORE = ("ok, ", "so, ", "hey, ", "please, ", "well, ", "um, ", "tell me, ", "sorry, ", "now ")
_AFTER = (" please", ", please", " now", ", do you know", " then", " exactly", " here")
_PICTURE = ("picture", "image", "photo", "scene", "picture", "picture", "drawing")
WORDS = (*_BEFORE, *_AFTER, *_PICTURE)
_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_NOUNS = frozenset(
    [kind.name for kind in KINDS]
    + [kind.plural for kind in KINDS]
    + [word for pairs in SYNONYMS.values() for pair in pairs for word in pair]
)


def slip(word: str, rng: random.Random) -> str:
    """The word with one letter lost, doubled, swapped or wrong after its first; never another thing's name."""
    if len(word) < 4 or not word.isalpha():
        return word
    for _ in range(8):
        at = rng.randrange(1, len(word))
        kind = rng.randrange(4)
        if kind == 0:
            slipped = word[:at] + word[at + 1 :]
        elif kind == 1:
            slipped = word[:at] + word[at] + word[at:]
        elif kind == 2 and at + 1 < len(word):
            slipped = word[:at] + word[at + 1] + word[at] + word[at + 2 :]
        else:
            slipped = word[:at] + rng.choice(_LETTERS) + word[at + 1 :]
        if slipped != word and slipped not in _NOUNS:
            return slipped
    return word


def _slip_template(template: str, rng: random.Random) -> str:
    """A template with a slip in one of its own words, its slots untouched."""
    words = template.split(" ")
    long = [i for i, word in enumerate(words) if len(word) >= 4 and word.isalpha()]
    if long:
        at = rng.choice(long)
        words[at] = slip(words[at], rng)
    return " ".join(words)


def typed(template: str, fills: dict[str, str], rng: random.Random, noisy: bool = True) -> str:
    """The template as a visitor would type it, its slots filled. `noisy` allows politeness and slips."""
    draw = rng.random()
    if noisy and draw < 0.05:
        template = _slip_template(template, rng)
    elif noisy and draw < 0.15:
        template = rng.choice(_BEFORE) + template
    elif noisy and draw < 0.22 and ", right" not in template:
        template += rng.choice(_AFTER)
    if "{pic}" in template:
        template = template.replace("{pic}", rng.choice(_PICTURE))
    if "color" in template and rng.random() < 0.35:
        template = template.replace("color", "colour")
    for slot, words in fills.items():
        if words[0] in "aeiou":
            template = template.replace(f"a {{{slot}}}", f"an {{{slot}}}")
        template = template.replace(f"{{{slot}}}", words)
    draw = rng.random()
    if draw < 0.3:
        template = template[0].upper() + template[1:]
    return template + ("?" if rng.random() < 0.6 else "")
