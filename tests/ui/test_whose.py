"""A host that lends GPUs learns whose request an API route answers, on the threads that answer it too."""

import threading
from typing import Any

from apiserver import made
from gradio.context import LocalContext
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from blip2.settings import Settings
from blip2.ui.shell import before
from blip2.ui.whose import Whose


def whose() -> Any:
    """What the lender asks gradio for."""
    request = LocalContext.request.get(None)
    return None if request is None else request.headers.get("x-ip-token")


def app(*middleware: Middleware) -> Starlette:
    service = made()

    async def answer(_: Request) -> JSONResponse:
        spawned: list[Any] = []
        done = threading.Event()

        def work(word: str) -> None:
            spawned.append(whose())
            done.set()

        service.spawn(work, "a word")
        await service.call(done.wait, 10)
        return JSONResponse([await service.call(whose), await service.match(whose), *spawned])

    return Starlette(routes=[Route("/v1/x", answer)], middleware=middleware)


def test_the_threads_that_answer_know_whose_request_it_is() -> None:
    with TestClient(app(Middleware(Whose))) as client:
        assert client.get("/v1/x", headers={"X-IP-Token": "ann"}).json() == ["ann"] * 3
        assert client.get("/v1/x", headers={"X-IP-Token": "bob"}).json() == ["bob"] * 3
        assert client.get("/v1/x").json() == [None] * 3
    with TestClient(app()) as client:
        assert client.get("/v1/x", headers={"X-IP-Token": "ann"}).json() == [None] * 3
    assert whose() is None


def test_it_is_asked_for_only_where_gpus_are_lent() -> None:
    assert Whose in [each.cls for each in before(Settings(zerogpu=True))]
    assert Whose not in [each.cls for each in before(Settings())]
