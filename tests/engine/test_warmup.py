"""Warming up runs requests to their ends, says how far it is, and leaves nothing behind, nor takes anything away."""

import pytest

from blip2.engine.cache import ByteLRU
from blip2.engine.engine import Engine
from blip2.engine.warmup import warm, warmed
from blip2.errors import Closed
from blip2.loading import LoadedModel
from blip2.values import Decoding, Picture, Request


def test_all_rounds_are_told_and_the_caches_are_empty_afterwards(engine: Engine) -> None:
    told = list(warm(engine))
    assert [done for done, _ in told] == list(range(1, len(told) + 1))
    assert {all_ for _, all_ in told} == {len(told)}
    assert engine.steps > 0
    assert len(engine.images) == 0
    assert len(engine.prefixes) == 0
    assert engine.scheduler.counts() == (0, 0)


def test_an_engine_that_cannot_be_warmed_up_is_closed(engine: Engine, pictures: list[Picture]) -> None:
    def tell(said: str) -> None:
        assert said.startswith(f"Warming up {engine.loaded.info.title}: 1 of ")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        warmed(engine, tell)
    with pytest.raises(Closed):
        engine.submit(Request(engine.loaded.info.name, pictures[0], "a photo of", Decoding()))


@pytest.mark.parametrize("fails", [False, True])
def test_the_pictures_of_an_engine_that_shares_the_store_remain(
    loaded: LoadedModel, pictures: list[Picture], fails: bool
) -> None:
    store = ByteLRU(1 << 20)
    first, second = Engine(loaded, store), Engine(loaded, store)

    def ask(engine: Engine) -> bool:
        *_, last = engine.submit(Request(loaded.info.name, pictures[0], "a photo of", Decoding(max_new_tokens=2)))
        return last.usage.image_cached

    assert not ask(first)
    if fails:
        warming = warm(second)
        next(warming)
        second.close()
        with pytest.raises(Closed):
            list(warming)
    else:
        list(warm(second))
        assert ask(second), "the warmed engine shares the store as before"
        second.close()
    assert second.images is store
    assert ask(first)
    assert len(store) == 1
    first.close()
