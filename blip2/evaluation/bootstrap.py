"""Paired bootstrap: how far the difference of two runs would move if other examples had been drawn.

Examples are drawn with replacement, the same ones for both runs. Examples with equal values are drawn together, from
the multinomial distribution that drawing them one by one has; VQA's few values make that thousands of times faster.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from blip2.evaluation.recall import Array
from blip2.evaluation.scores import Value

DRAWS = 10_000
BLOCK = 4_000_000  # counts drawn at once


@dataclass(frozen=True, slots=True)
class Interval:
    """A difference in percent points, its 95% interval, and the two-sided share of draws that contradict its sign."""

    difference: float
    low: float
    high: float
    p: float

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def paired(mine: Sequence[Value], theirs: Sequence[Value], draws: int = DRAWS, seed: int = 0) -> Interval:
    """The difference `mine` - `theirs` of 100 times the means of paired values."""
    table = np.array([[*_pair(a), *_pair(b)] for a, b in zip(mine, theirs, strict=True)], float)  # [n, 4]
    if not len(table):
        return Interval(0.0, 0.0, 0.0, 1.0)
    observed = float(_differences(np.ones((1, len(table))), table)[0])
    kinds, counts = np.unique(table, axis=0, return_counts=True)
    rng = np.random.default_rng(seed)
    step = max(1, BLOCK // len(kinds))
    found = []
    for at in range(0, draws, step):
        drawn = rng.multinomial(len(table), counts / len(table), size=min(step, draws - at))
        found.append(_differences(drawn, kinds))
    all_ = np.concatenate(found)
    low, high = np.percentile(all_, [2.5, 97.5])
    against = min(float((all_ <= 0).mean()), float((all_ >= 0).mean()))
    return Interval(observed, float(low), float(high), min(1.0, 2 * against))


def _differences(counts: Array, table: Array) -> Array:
    """Differences of the two figures, for each row of counts [draws, kinds] of the kinds' sums and weights."""
    sums = counts @ table  # [draws, 4]
    mine = np.divide(sums[:, 0], sums[:, 1], out=np.zeros(len(sums)), where=sums[:, 1] > 0)
    theirs = np.divide(sums[:, 2], sums[:, 3], out=np.zeros(len(sums)), where=sums[:, 3] > 0)
    return np.asarray(100 * (mine - theirs))


def _pair(value: Value) -> tuple[float, int]:
    return (value[0], value[1]) if isinstance(value, tuple | list) else (value, 1)
