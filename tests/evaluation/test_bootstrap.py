"""The paired bootstrap against every possible draw of a small sample."""

from itertools import product

import numpy as np
import pytest

from blip2.evaluation.bootstrap import paired
from blip2.evaluation.scores import Value


def every_draw(mine: list[Value], theirs: list[Value]) -> list[float]:
    """The differences of all n ** n samples, each as likely as any other."""

    def figure(values: list[Value]) -> float:
        pairs = [value if isinstance(value, tuple) else (value, 1) for value in values]
        return 100 * sum(total for total, _ in pairs) / sum(n for _, n in pairs)

    places = range(len(mine))
    return [
        figure([mine[at] for at in drawn]) - figure([theirs[at] for at in drawn])
        for drawn in product(places, repeat=len(mine))
    ]


@pytest.mark.parametrize(
    ("mine", "theirs"),
    [
        ([1.0, 0.6, 0.3, 1.0, 1.0], [0.0, 0.6, 0.3, 0.9, 0.0]),
        ([(3.0, 5), (5.0, 6), (1.0, 5), (4.0, 5)], [(2.0, 5), (5.0, 6), (2.0, 5), (0.0, 5)]),
    ],
)
def test_the_interval_is_that_of_all_draws(mine: list[Value], theirs: list[Value]) -> None:
    all_ = np.array(every_draw(mine, theirs))
    found = paired(mine, theirs, draws=200_000)
    low, high = np.percentile(all_, [2.5, 97.5])
    assert found.low == pytest.approx(low, abs=0.8)
    assert found.high == pytest.approx(high, abs=0.8)
    assert found.p == pytest.approx(min(1.0, 2 * min((all_ <= 0).mean(), (all_ >= 0).mean())), abs=0.01)
    plain = every_draw(mine, theirs)
    identity = sum(at * len(mine) ** (len(mine) - 1 - at) for at in range(len(mine)))
    assert found.difference == pytest.approx(plain[identity])


def test_a_run_does_not_differ_from_itself() -> None:
    found = paired([0.3, 1.0, 0.0], [0.3, 1.0, 0.0])
    assert (found.difference, found.low, found.high, found.p) == (0.0, 0.0, 0.0, 1.0)


def test_the_seed_repeats_the_interval() -> None:
    values = [float(at % 3 == 0) for at in range(50)], [float(at % 4 == 0) for at in range(50)]
    assert paired(*values, seed=5) == paired(*values, seed=5)
    assert paired(*values, seed=5) != paired(*values, seed=6)
