"""Sentences about a scene, and the same with one word swapped so that it is no longer true.

    pairs(scene, random.Random(0))
    # Pair(true="two dogs on a beach", false="three dogs on a beach", kind="count"), ...

Training draws from many more forms (`describe`, `spoil`) than measuring does: parts of a scene, relations, natural
colours, colours left out. A `Sentence` keeps for each word the cells it speaks of, which supervises the words.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, replace

from blip2.pocket.captions import NUMBERS, article, group, painted
from blip2.pocket.knowledge import SYNONYMS
from blip2.pocket.properties import holds
from blip2.pocket.world import BACKGROUND, BACKGROUNDS, KIND, KINDS, PAINTS, Scene, Thing

SWAPS = ("colour", "thing", "count", "relation")
OPPOSITE = {"left of": "right of", "above": "below"}
OPPOSITE |= {second: first for first, second in OPPOSITE.items()}
_WORDINGS = {
    "left of": ("left of", "left of", "to the left of", "on the left of"),
    "right of": ("right of", "right of", "to the right of", "on the right of"),
    "above": ("above", "above", "over"),
    "below": ("below", "below", "under"),
}
_OPENINGS = ("a photo of", "a picture of", "there is", "i see")


@dataclass(frozen=True)
class Pair:
    """A true sentence and a false one that differ in one word, of the kind named in `SWAPS`."""

    true: str
    false: str
    kind: str


@dataclass(frozen=True)
class Part:
    """Some things named together. `cells` are where they are: empty if the words are not true of any thing."""

    kind: str
    colour: str | None
    count: int
    cells: tuple[int, ...]
    wrong: str = ""  # the word that was swapped: "colour", "thing" or "count"
    alias: tuple[str, str] | None = None  # another word for the kind, and its plural

    @property
    def words(self) -> list[str]:
        name, plural = self.alias or (KIND[self.kind].name, KIND[self.kind].plural)
        noun = name if self.count == 1 else plural
        text = f"{self.colour} {noun}" if self.colour else noun
        return (article(text) if self.count == 1 else f"{NUMBERS[self.count]} {text}").split()


@dataclass(frozen=True)
class Sentence:
    """What is said of a scene: parts, a relation between the first two or None, a place or None."""

    parts: tuple[Part, ...]
    relation: str | None = None
    place: str | None = None
    opening: str = ""
    wording: str = ""  # how the relation is put
    wrong_relation: bool = False
    wrong_place: bool = False

    def tokens(self) -> list[tuple[str, tuple[int, ...] | None, bool]]:
        """Words in order: the word, the cells it speaks of (None if of no things), whether it makes the text false."""
        rows: list[tuple[str, tuple[int, ...] | None, bool]] = [(word, None, False) for word in self.opening.split()]
        for index, part in enumerate(self.parts):
            if index and self.relation:
                rows += [(word, None, self.wrong_relation) for word in (self.wording or self.relation).split()]
            elif index:
                rows.append(("and" if index == len(self.parts) - 1 else ",", None, False))
            words = part.words
            wrong = {"thing": len(words) - 1, "count": 0, "colour": len(words) - 2}.get(part.wrong)
            rows += [(word, part.cells, at == wrong) for at, word in enumerate(words)]
        if self.place:
            rows += [(word, None, self.wrong_place) for word in BACKGROUND[self.place].phrase.split()]
        return rows

    @property
    def text(self) -> str:
        return " ".join(word for word, _, _ in self.tokens()).replace(" ,", ",")


def _parts(things: tuple[Thing, ...], plain: bool = False) -> list[Part]:
    """The things in groups of one look; `plain` leaves painted colours out and groups by kind alone."""
    if not plain:
        return [Part(g.kind, g.colour, len(g.cells), g.cells) for g in group(things)]
    kinds = dict.fromkeys(thing.kind for thing in things)
    cells = {kind: tuple(thing.cell for thing in things if thing.kind == kind) for kind in kinds}
    return [Part(kind, None, len(where), where) for kind, where in cells.items()]


def _related(scene: Scene, rng: random.Random) -> tuple[tuple[Part, Part], str] | None:
    """Two things that can each be named alone, and a relation that holds between them."""
    looks = [(thing.kind, painted(thing)) for thing in scene.things]
    alone = [thing for thing, look in zip(scene.things, looks, strict=True) if looks.count(look) == 1]
    if len(alone) < 2:
        return None
    first, second = rng.sample(alone, 2)
    names = {"left": "left of", "right": "right of", "above": "above", "below": "below"}
    true = [words for name, words in names.items() if holds(name, first, second)]
    parts = tuple(Part(thing.kind, painted(thing), 1, (thing.cell,)) for thing in (first, second))
    return ((parts[0], parts[1]), rng.choice(true)) if true else None


def full(scene: Scene) -> Sentence:
    """The caption of the scene."""
    return Sentence(tuple(_parts(scene.things)), place=scene.background)


def _dressed(part: Part, rng: random.Random) -> Part:
    """At times with the kind's natural colour, at times with another word for the kind."""
    row = KIND[part.kind]
    if not row.paints and row.colour and rng.random() < 0.25:
        part = replace(part, colour=row.colour)
    words = [names for names in SYNONYMS.get(part.kind, ()) if " " not in names[0] + names[1]]
    if words and rng.random() < 0.08:
        part = replace(part, alias=rng.choice(words))
    return part


def describe(scene: Scene, rng: random.Random) -> Sentence:
    """A true sentence in one of many forms: the caption, some of it, or how two things lie."""
    draw = rng.random()
    place = scene.background if rng.random() < 0.5 else None
    opening = rng.choice(_OPENINGS) if rng.random() < 0.1 else ""
    related = _related(scene, rng) if draw < 0.36 else None
    if related:
        (first, second), relation = related
        wording = rng.choice(_WORDINGS[relation])
        if rng.random() < 0.3:
            first, second = _dressed(first, rng), _dressed(second, rng)
        return Sentence((first, second), relation, place, opening, wording)
    if draw < 0.72:
        return full(scene)
    parts = tuple(_parts(scene.things, plain=rng.random() < 0.2))
    some = sorted(rng.sample(range(len(parts)), rng.randint(1, len(parts))))
    return Sentence(tuple(_dressed(parts[i], rng) for i in some), None, place, opening)


def _other_colour(part: Part, scene: Scene, rng: random.Random) -> str | None:
    """A colour that no thing of the kind has, and that takes the same article."""
    choices = KIND[part.kind].paints or PAINTS
    there = {thing.colour for thing in scene.things if thing.kind == part.kind}
    vowel = part.count == 1 and part.colour == "orange"
    fit = [c for c in choices if c not in there and (part.count > 1 or (c == "orange") == vowel)]
    return rng.choice(fit) if fit else None


def _other_kind(part: Part, scene: Scene, rng: random.Random) -> str | None:
    """A kind that is not in the scene, can be put the same way, and is half the time of the same category."""
    row = KIND[part.kind]
    there = {thing.kind for thing in scene.things}
    fit = [k for k in KINDS if k.name not in there and (not part.colour or not row.paints or part.colour in k.paints)]
    if not row.paints:
        fit = [kind for kind in fit if not kind.paints]
    if part.count == 1 and not part.colour:
        fit = [kind for kind in fit if article(kind.name)[:2] == article(row.name)[:2]]
    near = [kind for kind in fit if kind.category == row.category]
    choices = near if near and rng.random() < 0.5 else fit
    return rng.choice(choices).name if choices else None


def _spoil_part(part: Part, kind: str, scene: Scene, rng: random.Random) -> Part | None:
    """The part with its colour, its noun or its number swapped, or None where that cannot be."""
    if kind == "colour":
        colour = _other_colour(part, scene, rng) if part.colour else None
        return replace(part, colour=colour, cells=(), wrong=kind) if colour else None
    if kind == "thing":
        name = _other_kind(part, scene, rng)
        return replace(part, kind=name, cells=(), wrong=kind, alias=None) if name else None
    if part.count < 2:
        return None
    return replace(part, count=rng.choice([n for n in (2, 3, 4) if n != part.count]), wrong=kind)


def spoil(sentence: Sentence, kind: str, scene: Scene, rng: random.Random) -> Sentence | None:
    """The sentence made false by one swap of this kind ("place" too), or None where it has no such word."""
    if kind == "place":
        other = rng.choice([b.name for b in BACKGROUNDS if b.name != scene.background])
        return replace(sentence, place=other, wrong_place=True) if sentence.place else None
    if kind == "relation":
        if not sentence.relation:
            return None
        other = OPPOSITE[sentence.relation]
        wording = sentence.wording and _WORDINGS[other][_WORDINGS[sentence.relation].index(sentence.wording)]
        return replace(sentence, relation=other, wording=wording, wrong_relation=True)
    for index in rng.sample(range(len(sentence.parts)), len(sentence.parts)):
        spoilt = _spoil_part(sentence.parts[index], kind, scene, rng)
        if spoilt:
            return replace(sentence, parts=(*sentence.parts[:index], spoilt, *sentence.parts[index + 1 :]))
    return None


def swap(scene: Scene, kind: str, rng: random.Random) -> Pair | None:
    """A pair of this kind for measuring, or None where the scene allows none.

    Colours, things and counts are swapped in the scene's caption; relations in a sentence about two of its things.
    """
    sentence = full(scene)
    if kind == "relation":
        related = _related(scene, rng)
        if related is None:
            return None
        sentence = Sentence(related[0], related[1], scene.background)
    false = spoil(sentence, kind, scene, rng)
    return Pair(sentence.text, false.text, kind) if false else None


def pairs(scene: Scene, rng: random.Random) -> list[Pair]:
    """A pair of each kind that the scene allows."""
    found = [swap(scene, kind, rng) for kind in SWAPS]
    return [pair for pair in found if pair]
