"""The store of encoded pictures."""

import torch

from blip2.engine.cache import ByteLRU


def test_bytes_are_bounded_and_the_least_recently_used_goes_first() -> None:
    cache = ByteLRU(limit=3 * 400)
    for name in "abc":
        cache.put(name, torch.zeros(100))
    assert cache.get("a") is not None
    cache.put("d", torch.zeros(100))
    assert [name for name in "abcd" if name in cache] == ["a", "c", "d"]
    assert cache.bytes == 1200


def test_hits_and_misses_are_counted() -> None:
    cache = ByteLRU(1000)
    assert cache.get("a") is None
    cache.put("a", torch.ones(2))
    value = cache.get("a")
    assert value is not None
    assert value.tolist() == [1, 1]
    assert (cache.hits, cache.misses) == (1, 1)


def test_putting_again_replaces_and_one_too_large_is_kept_alone() -> None:
    cache = ByteLRU(400)
    cache.put("a", torch.zeros(50))
    cache.put("a", torch.zeros(100))
    assert cache.bytes == 400
    cache.put("big", torch.zeros(1000))
    assert (len(cache), cache.bytes) == (1, 4000)
