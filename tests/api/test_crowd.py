"""A hundred clients of the chat route at once and a small queue: an answer, or 429 with a time to come back."""

from collections.abc import Callable

import httpx
import pytest
from apiserver import ask, events, listening, made, soon
from crowd import PATIENCE, SAID, Crowd, SmallQueue

from blip2.backends.scripted import MODELS
from blip2.settings import BATCH

CLIENTS, SLOTS, WAITING = 100, 4, 8
LIMITS = httpx.Limits(max_connections=None)
BUSY = "already; please try again in a moment."


def asking(http: httpx.Client) -> Callable[[int], httpx.Response]:
    """What a client does: every other one streams."""
    return lambda number: http.post("chat/completions", json=ask(stream=bool(number % 2)))


def said(answer: httpx.Response) -> str:
    """The answer's text, or nothing where the client was sent away."""
    if answer.status_code != 200:
        return ""
    if "stream" not in answer.headers["content-type"]:
        return str(answer.json()["choices"][0]["message"]["content"])
    pieces = [choice for event in events(answer.text) for choice in event["choices"]]
    return "".join(piece["delta"].get("content", "") for piece in pieces)


@pytest.mark.parametrize(("slots", "taken"), [(SLOTS, SLOTS + WAITING), (CLIENTS, BATCH + WAITING)])
def test_each_of_a_hundred_is_answered_or_told_when_to_come_back(slots: int, taken: int) -> None:
    """In the first case the model's queue is full, in the second all that the server takes on at a time."""
    backend = SmallQueue(slots, WAITING, MODELS)
    service = made(backend, max_waiting=WAITING)
    with listening(service) as url, httpx.Client(base_url=f"{url}/v1/", timeout=PATIENCE, limits=LIMITS) as http:
        crowd = Crowd(CLIENTS, asking(http))
        there = soon(lambda: crowd.gone == CLIENTS - taken and sum(backend.under_way) == taken)
        found = backend.under_way
        backend.let_go(CLIENTS)  # before anything is held to be true: whoever is held would hold up the test's end
        assert there
        assert found == (min(slots, taken), max(0, taken - slots))
        told = crowd.told()
        answered = [each for each in told if each.status_code == 200]
        assert len(answered) == taken
        assert {said(each) for each in answered} == {SAID}
        for each in told:
            if each.status_code != 200:
                assert each.status_code == 429
                assert int(each.headers["retry-after"]) >= 1
                assert each.json()["error"]["message"].endswith(BUSY)
                assert (each.json()["error"]["type"], each.json()["error"]["code"]) == ("rate_limit_error", "busy")
        assert soon(lambda: backend.under_way == (0, 0) and service.lifecycle.generating == 0)
        assert [said(asking(http)(number)) for number in (0, 1)] == [SAID, SAID]
    backend.close()
