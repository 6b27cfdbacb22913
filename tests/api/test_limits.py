"""Rates: a burst of a minute's worth, then evenly, each client apart."""

from blip2.api.limits import RateLimiter


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_burst_then_an_even_pace() -> None:
    clock = Clock()
    limiter = RateLimiter(clock)
    assert [limiter.take("ada", 3).remaining for _ in range(3)] == [2, 1, 0]
    refused = limiter.take("ada", 3)
    assert (refused.allowed, refused.retry) == (False, 20)
    clock.now = 19.9
    assert not limiter.take("ada", 3).allowed
    clock.now = 20.0
    assert limiter.take("ada", 3).allowed
    assert not limiter.take("ada", 3).allowed
    clock.now = 1000.0
    assert [limiter.take("ada", 3).allowed for _ in range(4)] == [True, True, True, False]


def test_clients_do_not_share_and_zero_is_no_limit() -> None:
    limiter = RateLimiter(Clock())
    assert limiter.take("ada", 1).allowed
    assert not limiter.take("ada", 1).allowed
    assert limiter.take("bob", 1).allowed
    assert all(limiter.take("eve", 0).allowed for _ in range(100))


def test_what_is_remembered_is_bounded() -> None:
    limiter = RateLimiter(Clock(), kept=2)
    for client in ("a", "b", "c"):
        limiter.take(client, 1)
    assert not limiter.take("c", 1).allowed
    assert not limiter.take("b", 1).allowed
    assert limiter.take("a", 1).allowed
