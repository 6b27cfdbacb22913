"""What the scripted backend makes up: numbers out of the digests of what is compared, and how sure it was.

Always the same, and meaningless.
"""

import hashlib
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from blip2.engine.stream import cut
from blip2.values import Candidate, Chunk, Finish, Request, Token, Usage

PROBABILITY = 0.5  # of every scripted token
SIDE = 8  # patches along a side of a map


def numbers(key: str, count: int) -> "np.ndarray[Any, Any]":
    """`count` numbers in [-1, 1) that depend on `key` alone."""
    seed = int.from_bytes(hashlib.sha256(key.encode()).digest()[:8], "big")
    return np.random.default_rng(seed).uniform(-1, 1, count).astype(np.float32)


def features(keys: Sequence[str], rows: int, width: int) -> "np.ndarray[Any, Any]":
    """Unit vectors, [keys, rows, width]."""
    made = np.stack([numbers(key, rows * width).reshape(rows, width) for key in keys]) if keys else None
    if made is None:
        return np.zeros((0, rows, width), np.float32)
    return np.asarray(made / np.linalg.norm(made, axis=-1, keepdims=True), np.float32)


def maps(keys: Sequence[str]) -> "np.ndarray[Any, Any]":
    """A blot for each key, [keys, SIDE, SIDE], the sum of each 1."""
    grid = np.linspace(-1, 1, SIDE)
    places = np.stack([numbers(key, 2) for key in keys])  # [keys, 2]
    distance = (grid[None, :, None] - places[:, :1, None]) ** 2 + (grid[None, None, :] - places[:, 1:, None]) ** 2
    blots = np.exp(-4 * distance)
    return np.asarray(blots / blots.sum((1, 2), keepdims=True), np.float32)


def last(request: Request, written: Sequence[str], finish: Finish, usage: Usage) -> Chunk:
    """The end of an answer of these words."""
    text, _ = cut("".join(written).strip(), request.decoding.stop)
    tokens = tuple(Token(word, math.log(PROBABILITY)) for word in written)
    score = math.log(PROBABILITY) * len(tokens)
    best = Candidate(text, tokens, score, PROBABILITY if tokens else 0.0)
    return Chunk(request.id, text, finish, usage, (best,) * request.decoding.num_return)
