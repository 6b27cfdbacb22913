"""Borrowing: the package that lends is asked for by name, and forks, with which loans begin, come one by one."""

import os
import sys
import threading

import pytest

from blip2.backends.lending import lender, one_fork_at_a_time
from blip2.errors import MissingHardware


def test_without_the_package_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "spaces", None)
    with pytest.raises(MissingHardware, match="leave out --zerogpu here"):
        lender(60)


def test_threads_that_fork_wait_for_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    meeting, met = threading.Barrier(2), []

    def fork() -> int:
        """Would meet another thread in here."""
        try:
            meeting.wait(0.3)
            met.append(True)
        except threading.BrokenBarrierError:
            meeting.reset()
        return 7

    monkeypatch.setattr(os, "fork", fork)
    one_fork_at_a_time()
    one_fork_at_a_time()
    made: list[int] = []
    threads = [threading.Thread(target=lambda: made.append(os.fork())) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert made == [7, 7]
    assert met == []
