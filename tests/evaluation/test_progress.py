"""Rate and time left, with a clock of our own."""

import io

import pytest

from blip2.evaluation.progress import Progress, duration


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_rate_and_time_left_count_this_session_only() -> None:
    clock, out = Clock(), io.StringIO()
    progress = Progress(1000, before=400, out=out, clock=clock)
    for _ in range(100):
        clock.now += 0.5
        progress.add()
    progress.broken += 2
    assert progress.text() == "500/1000 examples, 2.0/s, 4:10 left, 2 broken"
    assert out.getvalue().splitlines() == ["460/1000 examples, 2.0/s, 4:30 left"]  # a line each half minute in a log
    progress.close()
    assert out.getvalue().endswith("2 broken\n")


def test_a_slow_run_is_told_by_the_minute() -> None:
    clock = Clock()
    progress = Progress(10, out=io.StringIO(), clock=clock)
    clock.now = 60.0
    progress.add()
    assert progress.text() == "1/10 examples, 1.0/min, 9:00 left"


@pytest.mark.parametrize(
    ("seconds", "text"), [(7, "0:07"), (750, "12:30"), (11_100, "3:05:00"), (187_200, "2 d 4:00:00")]
)
def test_durations(seconds: float, text: str) -> None:
    assert duration(seconds) == text
