"""The state of one conversation about one scene: what a question may refer to, and how a question is put into words.

`Asker` knows the scene, the random source and what has been said (`State`); the modules `questions`, `facts` and
`followups` hold one function a type of question, which takes the asker and returns a `QA` or None where the scene
has no question of this type with one right answer.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field

from blip2.pocket.captions import Marks, Text, painted
from blip2.pocket.kinds import KIND
from blip2.pocket.knowledge import LOOKS, SYNONYMS
from blip2.pocket.surface import slip, typed
from blip2.pocket.world import BACKGROUND, Scene, Thing

__all__ = ["QA", "Asker", "Noun", "State", "look"]

Wordings = dict[str, tuple[tuple[str, ...], tuple[str, ...]]]


@dataclass(frozen=True)
class QA:
    """One turn. Slots are cells 0 to 8 and the background, 9.

    `evidence`: (character of the answer, slots) - what the answer's words from there on rest on.
    `mentions`: (words of the question, slots) - what these words refer to, "it" included.
    `region`: the cells that the question looks at: "left of the cat", "at the top".
    """

    question: str
    answer: str
    type: str
    needs_history: bool = False
    evidence: Marks = ()
    mentions: tuple[tuple[str, tuple[int, ...]], ...] = ()
    region: tuple[int, ...] = ()


@dataclass(frozen=True)
class Noun:
    """Words in a question and the slots they refer to (None: nothing that is worth teaching)."""

    words: str
    cells: tuple[int, ...] | None = None


@dataclass(frozen=True)
class State:
    """What a next turn may refer to."""

    thing: Thing | None = None  # "it", in the picture
    kind: str | None = None  # "it", for plain knowledge
    frame: str | None = None  # the question that "and the cat?" repeats
    asked: Thing | None = None  # what that question was about
    why: Text | None = None
    many: tuple[Thing, ...] | None = None  # what "how many are there?" counts
    rest: tuple[Thing, ...] | None = None  # what "what else is there?" lists


def look(thing: Thing) -> str:
    """The colour of a thing as an answer; "many colors" where no one colour would be right."""
    return thing.colour or LOOKS[thing.kind]


@dataclass
class Asker:
    """One conversation in the making."""

    scene: Scene
    rng: random.Random
    split: str = "train"
    state: State = field(default_factory=State)

    def __post_init__(self) -> None:
        self.things = self.scene.things
        self.background = BACKGROUND[self.scene.background]
        self.by_kind: dict[str, list[Thing]] = {}
        for thing in self.things:
            self.by_kind.setdefault(thing.kind, []).append(thing)

    def wording(self, table: Wordings, key: str) -> str:
        return self.rng.choice(table[key][self.split == "test"])

    def word(self, kind: str, plural: bool = False) -> str:
        """A visitor's word for a kind: its name, at times another word, at times with a slip."""
        word = KIND[kind].plural if plural else kind
        draw = self.rng.random()
        if draw < 0.12 and kind in SYNONYMS:
            word = self.rng.choice(SYNONYMS[kind])[plural]
        elif draw > 0.95:
            word = slip(word, self.rng)
        return word

    def refer(self, thing: Thing, colour: bool = True) -> Noun | None:
        """Words that mean this thing alone ("ball", "red ball"), or None. `colour` allows naming its colour."""
        same = self.by_kind[thing.kind]
        paint = painted(thing)
        if len(same) == 1:
            name_colour = colour and paint and self.rng.random() < 0.25
        elif paint and colour and sum(painted(other) == paint for other in same) == 1:
            name_colour = True
        else:
            return None
        word = self.word(thing.kind)
        return Noun(f"{paint} {word}" if name_colour else word, (thing.cell,))

    def pick(self, colour: bool = True) -> tuple[Thing, Noun] | None:
        """A random thing that words can single out."""
        for thing in self.rng.sample(self.things, len(self.things)):
            noun = self.refer(thing, colour)
            if noun:
                return thing, noun
        return None

    def say(
        self,
        kind: str,
        template: str,
        answer: Text | str,
        nouns: dict[str, Noun] | None = None,
        *,
        state: State | None = None,
        needs_history: bool = False,
        noisy: bool = True,
        region: tuple[int, ...] = (),
    ) -> QA:
        """The turn in words; the conversation moves on to `state`."""
        nouns = nouns or {}
        text = answer if isinstance(answer, Text) else Text(answer)
        question = typed(template, {slot: noun.words for slot, noun in nouns.items()}, self.rng, noisy)
        mentions = tuple((noun.words, noun.cells) for noun in nouns.values() if noun.cells is not None)
        self.state = state or State()
        return QA(question, text.text, kind, needs_history, text.marks, mentions, region)

    def it(self) -> Noun:
        """The word "it", meaning the thing that was spoken of."""
        return Noun("it", (self.state.thing.cell,) if self.state.thing else None)
