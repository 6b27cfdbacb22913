"""Reliability, written out answer by answer, and the choice of a threshold."""

import random

import pytest

from blip2.errors import BadSetting
from blip2.evaluation.calibration import calibrate, choose
from blip2.evaluation.reliability import card, of

RNG = random.Random(3)
SURE = [round(RNG.random(), 2) for _ in range(400)] + [0.0, 1.0, 1.0]
RIGHT = [float(RNG.random() < one**2) for one in SURE]


def slow_ece(sure: list[float], right: list[float], bins: int) -> float:
    total = 0.0
    for at in range(bins):
        low, high = at / bins, (at + 1) / bins
        inside = [(s, r) for s, r in zip(sure, right, strict=True) if low < s <= high or (at == 0 and s == 0)]
        if inside:
            gap = sum(s for s, _ in inside) / len(inside) - sum(r for _, r in inside) / len(inside)
            total += len(inside) / len(sure) * abs(gap)
    return total


@pytest.mark.parametrize("bins", [5, 10])
def test_calibration_error_equals_its_definition(bins: int) -> None:
    found = calibrate(SURE, RIGHT, bins)
    assert found.ece == pytest.approx(slow_ece(SURE, RIGHT, bins))
    assert found.ece > 0.1  # these answers are less often right than they are sure
    assert sum(each.n for each in found.bins) == found.n == len(SURE)
    assert found.brier == pytest.approx(sum((s - r) ** 2 for s, r in zip(SURE, RIGHT, strict=True)) / len(SURE))


def test_the_curve_is_what_answering_from_a_threshold_gives() -> None:
    found = calibrate(SURE, RIGHT, points=10_000)
    assert found.curve[0].coverage == 1.0
    for point in found.curve:
        kept = [r for s, r in zip(SURE, RIGHT, strict=True) if s >= point.threshold]
        assert point.coverage == pytest.approx(len(kept) / len(SURE))
        assert point.accuracy == pytest.approx(sum(kept) / len(kept))
    assert len(calibrate(SURE, RIGHT, points=7).curve) == 7


def test_a_threshold_for_a_wish() -> None:
    curve = calibrate(SURE, RIGHT, points=10_000).curve
    widest = choose(curve, accuracy=0.8)
    assert widest is not None
    assert widest.accuracy >= 0.8
    assert all(point.accuracy < 0.8 for point in curve if point.coverage > widest.coverage)
    best = choose(curve, share=0.5)
    assert best is not None
    assert best.coverage >= 0.5
    assert all(point.accuracy <= best.accuracy for point in curve if point.coverage >= 0.5)
    assert choose(curve, accuracy=1.1) is None


def test_nothing_to_calibrate() -> None:
    found = calibrate([], [])
    assert (found.n, found.bins, found.curve) == (0, (), ())


def test_the_card_and_the_wish() -> None:
    report = {"calibration": {"of": "the answer", **calibrate(SURE, RIGHT).to_json()}}
    made = of(report, accuracy=0.6)
    assert made["threshold"]["accuracy"] >= 0.6
    assert "are answered" in card(made)
    assert "No threshold" in card(of(report, accuracy=1.0)) or of(report, accuracy=1.0)["threshold"]["accuracy"] == 1.0
    with pytest.raises(BadSetting, match="between 0 and 1"):
        of(report, coverage=2.0)
