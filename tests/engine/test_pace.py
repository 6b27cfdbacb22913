"""Tokens a second, on a clock of our own."""

import pytest

from blip2.engine.pace import Pace


def test_answers_at_once_count_their_time_once_and_pauses_not_at_all() -> None:
    now = [0.0]
    pace = Pace(window=100, clock=lambda: now[0])
    assert pace.rate() == 0
    now[0] = 10.0
    pace.add(begun=0.0, tokens=20)
    pace.add(begun=5.0, tokens=20)
    assert pace.rate() == pytest.approx(4.0)
    now[0] = 60.0
    pace.add(begun=50.0, tokens=40)
    assert pace.rate() == pytest.approx(4.0)
    assert pace.tokens == 80


def test_old_answers_are_forgotten_but_stay_counted() -> None:
    now = [1.0]
    pace = Pace(window=100, clock=lambda: now[0])
    pace.add(begun=0.0, tokens=7)
    now[0] = 102.0
    assert pace.rate() == 0
    assert pace.tokens == 7
