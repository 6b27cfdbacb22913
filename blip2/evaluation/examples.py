"""One thing to ask a model, and a data set of them. Values; they know no model and no file format."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from blip2.values import Picture


@dataclass(frozen=True, slots=True)
class Example:
    """A picture with a question, or to be captioned, or with sentences to be matched.

    `references` are the right answers or captions; `prompt`, where given, is sent as it stands instead of the
    protocol's; `type` and `answer_type` group the tables; `texts` are (sentence, whether it is true).
    """

    id: str
    image: str
    picture: Callable[[], Picture] = field(repr=False, compare=False)
    references: tuple[str, ...] = ()
    question: str = ""
    prompt: str | None = None
    type: str = ""
    answer_type: str = ""
    texts: tuple[tuple[str, bool], ...] = ()


@dataclass(frozen=True, slots=True)
class Dataset:
    """Examples in the order of the official file, and what they were read from. `notes` are for the report."""

    name: str
    split: str
    examples: tuple[Example, ...] = field(repr=False)
    files: tuple[Path, ...] = ()
    notes: tuple[str, ...] = ()

    def limited(self, limit: int | None) -> "Dataset":
        """The first `limit` examples; all of them with None."""
        return self if limit is None else replace(self, examples=self.examples[:limit])


def opener(path: Path) -> Callable[[], Picture]:
    """Opens a picture when it is wanted. Raises `BadImage` then, not now."""
    return partial(_open, path)


def shard(examples: Sequence[Example], number: int, of: int) -> list[Example]:
    """Part `number` (from 1) of `of` parts; examples of one picture stay together as far as they follow each other."""
    if of == 1:
        return list(examples)
    made, turn, last = [], -1, None
    for example in examples:
        if example.image != last:
            turn, last = turn + 1, example.image
        if turn % of == number - 1:
            made.append(example)
    return made


def _open(path: Path) -> Picture:
    from blip2.images import open_picture  # torch, which reading annotations does not need

    return open_picture(path)
