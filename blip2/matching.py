"""How well texts match pictures, and which of some labels a picture shows. It knows the seam, no tensors."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from blip2.backends.base import Backend
from blip2.errors import BadInput
from blip2.values import Match, Picture

SLICE = 8  # pictures compared between two looks at whether anyone still wants the result
SLICE_PAIRS = 200  # and pairs of picture and text, at most, unless a single picture has more
TEMPLATE = "a photo of a {}"


@dataclass(frozen=True, slots=True)
class Label:
    """A label of a zero-shot classification: `itm` probability, `itc` cosine, and its `share` among the labels."""

    name: str
    text: str
    itm: float
    itc: float
    share: float


def match(backend: Backend, model: str, pictures: Sequence[Picture], texts: Sequence[str]) -> Match:
    """ITM probabilities and ITC cosines [pictures, texts]. Raises `BadInput` where there is nothing to compare."""
    parts = list(match_slices(backend, model, pictures, texts))
    return Match(np.concatenate([part.itm for part in parts]), np.concatenate([part.itc for part in parts]))


def match_slices(backend: Backend, model: str, pictures: Sequence[Picture], texts: Sequence[str]) -> Iterator[Match]:
    """The rows of `match`, a few pictures at a time, for progress and for stopping in between."""
    if not pictures:
        raise BadInput("There is no picture to compare; add at least one.")
    if not texts or not all(text.strip() for text in texts):
        raise BadInput("There is no text to compare, or an empty one; add at least one text and leave none empty.")
    size = slice_size(len(texts))
    for start in range(0, len(pictures), size):
        yield backend.match(model, pictures[start : start + size], texts)


def slice_size(texts: int) -> int:
    """How many pictures are compared at a time with so many texts."""
    return max(1, min(SLICE, SLICE_PAIRS // max(texts, 1)))


def classify(
    backend: Backend, model: str, picture: Picture, labels: Sequence[str], template: str = TEMPLATE
) -> list[Label]:
    """The labels, likeliest first by ITM. Shares are the ITM probabilities, scaled to sum to one.

    Raises `BadInput` where the template has no `{}` for the label.
    """
    if "{}" not in template:
        raise BadInput(
            f"The template {template!r:.200} has no place for the label; write it with {{}}, such as {TEMPLATE!r}."
        )
    texts = [template.replace("{}", label.strip()) for label in labels]
    made = match(backend, model, [picture], texts)
    itm, itc = made.itm[0], made.itc[0]
    total = max(float(itm.sum()), 1e-12)
    found = [
        Label(label, text, float(p), float(c), float(p) / total)
        for label, text, p, c in zip(labels, texts, itm, itc, strict=True)
    ]
    return sorted(found, key=lambda each: -each.itm)
