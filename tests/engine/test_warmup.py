"""Warming up runs requests to their ends, says how far it is, and leaves nothing behind."""

from blip2.engine.engine import Engine
from blip2.engine.warmup import warm


def test_all_rounds_are_told_and_the_caches_are_empty_afterwards(engine: Engine) -> None:
    told = list(warm(engine))
    assert [done for done, _ in told] == list(range(1, len(told) + 1))
    assert {all_ for _, all_ in told} == {len(told)}
    assert engine.steps > 0
    assert len(engine.images) == 0
    assert len(engine.prefixes) == 0
    assert engine.scheduler.counts() == (0, 0)
