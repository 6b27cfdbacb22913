"""A hundred visitors at once, a small queue: each has an answer, a place that shrinks, or the sentence that says busy.

They come through gradio's HTTP queue, as browsers do, each from an address and with a session of their own.
"""

import io
import json
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from apiserver import soon
from crowd import PATIENCE, SAID, Crowd, SmallQueue
from patient import MODELS
from PIL import Image

from blip2.settings import BATCH, Settings
from blip2.ui.shell import TABS, page, serve
from blip2.ui.studio import Studio

VISITORS, SLOTS, WAITING = 100, 4, 8
Told = dict[str, Any]


class Served:
    """A page over a small queue, and what each visitor was told so far."""

    def __init__(self, address: str, backend: SmallQueue) -> None:
        self.address = f"{address.rstrip('/')}/gradio_api"
        self.http = httpx.Client(timeout=PATIENCE, limits=httpx.Limits(max_connections=None))  # a new one costs 0.1 s
        self.backend = backend
        self.told: dict[int, list[Told]] = {number: [] for number in range(VISITORS)}
        parameters = self.http.get(f"{self.address}/info").json()["named_endpoints"]["/ask"]["parameters"]
        picture = {"path": self._uploaded(), "meta": {"_type": "gradio.FileData"}}
        knobs = [each["parameter_default"] for each in parameters[2:]]
        self.question = [picture, "What is it?", *knobs]

    def _uploaded(self) -> str:
        file = io.BytesIO()
        Image.new("RGB", (40, 30), "teal").save(file, "PNG")
        sent = self.http.post(f"{self.address}/upload", files={"files": ("teal.png", file.getvalue(), "image/png")})
        return str(sent.json()[0])

    def begin(self, number: int, name: str, data: list[Any]) -> str:
        """Have visitor `number` call an endpoint; where to listen for what it says."""
        body = {"data": data, "session_hash": f"visitor{number}"}
        headers = {"X-Forwarded-For": f"10.0.0.{number}"}
        joined = self.http.post(f"{self.address}/call/{name}", json=body, headers=headers)
        assert joined.status_code == 200, joined.text
        return f"{self.address}/call/{name}/{joined.json()['event_id']}"

    def ask(self, number: int) -> Told:
        """The last that visitor `number` is told in answer to a question. A session has one stream for all it does."""
        listening, event = self.begin(number, "ask", self.question), ""
        with self.http.stream("GET", listening) as lines:
            for line in lines.iter_lines():
                kind, _, value = line.partition(": ")
                event = value if kind == "event" else event
                said = json.loads(value) if kind == "data" else None
                if said and len(said) == 2:  # the visit, which stays there, and the answer; others are a stop's
                    self.told[number].append(said[1] or {})
                    if event == "complete":
                        return self.told[number][-1]
        raise AssertionError(f"Visitor {number} was told nothing to the end: {event}")

    def places(self, number: int) -> list[int]:
        """The places in the queue that a visitor was told, in their order."""
        return list(dict.fromkeys(told["waiting"] for told in self.told[number] if told.get("waiting")))


@pytest.fixture
def served_by() -> Iterator[Callable[[SmallQueue], Served]]:
    opened: list[tuple[Any, SmallQueue]] = []

    def serving(backend: SmallQueue) -> Served:
        settings = Settings(port=0, max_waiting=WAITING, trust_proxy=True)
        blocks = page(Studio(settings, backend, lambda picture: False), TABS[:1])
        opened.append((blocks, backend))
        return Served(serve(blocks, settings), backend)

    yield serving
    for blocks, backend in opened:
        backend.close()
        blocks.close(verbose=False)


def test_a_small_queue_tells_each_of_a_hundred_an_answer_a_place_or_that_it_is_busy(
    served_by: Callable[[SmallQueue], Served],
) -> None:
    served = served_by(SmallQueue(SLOTS, WAITING, MODELS))
    backend = served.backend
    crowd = Crowd(VISITORS, served.ask)
    refused = VISITORS - SLOTS - WAITING
    assert soon(lambda: crowd.gone == refused and backend.under_way == (SLOTS, WAITING)), backend.under_way
    assert soon(lambda: sorted(place[-1] for n in served.told if (place := served.places(n))) == [*range(1, 9)])
    (last,) = [number for number in served.told if served.places(number) == [WAITING]]
    (middle,) = [number for number in served.told if served.places(number) == [WAITING // 2]]
    served.begin(middle, "stop", [])  # whoever waits can stop, however many there are, and the others move up
    assert soon(lambda: served.places(last) == [8, 7])
    for left in range(WAITING - 2, -1, -1):
        backend.let_go(1)
        assert soon(lambda left=left: backend.under_way == (SLOTS, left))  # type: ignore[misc]
        assert soon(lambda left=left: served.places(last)[-1] == max(left, 1))  # type: ignore[misc]
    assert served.places(last) == [8, 7, 6, 5, 4, 3, 2, 1]
    backend.let_go(SLOTS + 1)  # the last one is for the question below
    told = crowd.told()
    assert sum(each.get("answer") == SAID for each in told) == SLOTS + WAITING - 1
    busy = [each["error"] for each in told if "error" in each]
    assert len(busy) == refused
    assert all(each.endswith("already; please try again in a moment.") for each in busy), set(busy)
    assert (told[middle]["answer"], told[middle]["finish"]) == ("", "cancelled")
    assert backend.under_way == (0, 0)
    assert served.ask(told.index(next(each for each in told if "error" in each)))["answer"] == SAID


def test_the_studio_says_busy_itself_where_the_models_would_take_more_than_it_has_threads_for(
    served_by: Callable[[SmallQueue], Served],
) -> None:
    served = served_by(SmallQueue(VISITORS, VISITORS, MODELS))
    crowd = Crowd(VISITORS, served.ask)
    taken = BATCH + WAITING
    assert soon(lambda: crowd.gone == VISITORS - taken and served.backend.under_way == (taken, 0))
    served.backend.let_go(VISITORS)
    told = crowd.told()
    assert sum(each.get("answer") == SAID for each in told) == taken
    busy = [each["error"] for each in told if "error" in each]
    assert set(busy) == {f"{taken} requests are under way here already; please try again in a moment."}
    assert served.backend.under_way == (0, 0)
    assert served.ask(0)["answer"] == SAID
