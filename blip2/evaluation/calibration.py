"""Whether a confidence can be trusted: reliability bins, expected calibration error, and accuracy against coverage.

Everything is computed from pairs of a confidence in [0, 1] and how right the answer was, in [0, 1] too (VQA accuracy
is a share). Expected calibration error as in Guo et al. 2017: bins of equal width, the gap of each weighted by its n.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

BINS = 15
Array = np.ndarray[Any, Any]


@dataclass(frozen=True, slots=True)
class Bin:
    """Answers whose confidence lies in (low, high]: how many, their mean confidence and their mean accuracy."""

    low: float
    high: float
    n: int
    confidence: float
    accuracy: float


@dataclass(frozen=True, slots=True)
class Point:
    """Answering only from `threshold` on: the share of questions answered, and how right those answers are."""

    threshold: float
    coverage: float
    accuracy: float


@dataclass(frozen=True, slots=True)
class Calibration:
    """Reliability of a run. `ece` and `mce` (largest gap) in [0, 1]; `curve` from all answers to the surest ones."""

    n: int
    confidence: float
    accuracy: float
    ece: float
    mce: float
    brier: float
    bins: tuple[Bin, ...]
    curve: tuple[Point, ...]

    def to_json(self) -> dict[str, Any]:
        """All fields as plain JSON values."""
        return asdict(self) | {name: [asdict(each) for each in getattr(self, name)] for name in ("bins", "curve")}


def calibrate(confidences: Sequence[float], right: Sequence[float], bins: int = BINS, points: int = 101) -> Calibration:
    """Reliability of answers of these confidences and accuracies; empty input gives zeros and no bins."""
    sure, hits = np.asarray(confidences, float), np.asarray(right, float)
    if not len(sure):
        return Calibration(0, 0.0, 0.0, 0.0, 0.0, 0.0, (), ())
    edges = np.linspace(0.0, 1.0, bins + 1)
    place = np.clip(np.searchsorted(edges, sure, side="left") - 1, 0, bins - 1)
    count = np.bincount(place, minlength=bins)
    sums = np.bincount(place, sure, bins), np.bincount(place, hits, bins)
    made = tuple(
        Bin(float(edges[at]), float(edges[at + 1]), int(count[at]), sums[0][at] / count[at], sums[1][at] / count[at])
        for at in range(bins)
        if count[at]
    )
    gaps = [abs(each.confidence - each.accuracy) for each in made]
    ece = sum(each.n * gap for each, gap in zip(made, gaps, strict=True)) / len(sure)
    brier = float(((sure - hits) ** 2).mean())
    curve = tuple(_thinned(coverage(sure, hits), points))
    return Calibration(len(sure), float(sure.mean()), float(hits.mean()), float(ece), max(gaps), brier, made, curve)


def coverage(confidences: Array, right: Array) -> list[Point]:
    """The curve of accuracy against coverage: a point for each confidence that occurs, from the lowest up."""
    order = np.argsort(-confidences, kind="stable")
    sure, hits = confidences[order], np.cumsum(right[order])
    last = np.flatnonzero(np.append(np.diff(sure) != 0, True))  # equal confidences are answered together
    rows = [Point(float(sure[at]), float((at + 1) / len(sure)), float(hits[at] / (at + 1))) for at in last]
    return rows[::-1]


def choose(curve: Sequence[Point], accuracy: float | None = None, share: float | None = None) -> Point | None:
    """The threshold for a wish: the widest coverage with at least this `accuracy`, or the best accuracy while at least
    this `share` of the questions is answered. None where no threshold fulfils it.
    """
    fit = [
        point
        for point in curve
        if (accuracy is None or point.accuracy >= accuracy) and (share is None or point.coverage >= share)
    ]
    if not fit:
        return None
    if accuracy is not None:
        return max(fit, key=lambda point: (point.coverage, point.accuracy))
    return max(fit, key=lambda point: (point.accuracy, point.coverage))


def _thinned(curve: Sequence[Point], points: int) -> list[Point]:
    """At most so many points, both ends among them."""
    if len(curve) <= points:
        return list(curve)
    return [curve[at] for at in np.unique(np.linspace(0, len(curve) - 1, points).round().astype(int))]
