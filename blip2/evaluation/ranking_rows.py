"""How the pairs of one picture are written into a row of the journal, and read back."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from blip2.evaluation.recall import Array

BY_IMAGE, BY_TEXT = 1, 2  # which direction wants a pair


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """The pairs of one picture: texts by their places, which direction wants each, ITC cosines, ITM logits of class 1
    and probabilities."""

    texts: Array
    flags: Array
    itc: Array
    itm: Array
    chance: Array

    @property
    def scores(self) -> Array:
        """LAVIS's ranking score."""
        return self.itm + self.itc


_TYPES = {"texts": "<i4", "flags": "u1", "itc": "<f4", "itm": "<f4", "chance": "<f4"}


def packed(each: Found) -> dict[str, str]:
    """The pairs as JSON values: little-endian numbers in base 64, the same to the last bit when read back."""
    arrays = {name: np.ascontiguousarray(getattr(each, name), dtype) for name, dtype in _TYPES.items()}
    return {name: base64.b64encode(array.tobytes()).decode() for name, array in arrays.items()}


def found(row: Mapping[str, Any]) -> Found:
    """The pairs that `packed` wrote into a row."""
    return Found(**{name: np.frombuffer(base64.b64decode(row[name]), dtype) for name, dtype in _TYPES.items()})
