"""An API server on scripted answers in this process, and requests to send it."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn

from blip2.api import examples
from blip2.api.server import app
from blip2.api.service import Service
from blip2.backends.base import Backend
from blip2.backends.scripted import ScriptedBackend
from blip2.settings import Settings

MODELS = ("scripted/opt", "scripted/t5", "scripted/itm")
ANSWERS = {
    "Question: What is in the picture? Answer:": "a red ball on a beach",
    "Question: What is in the picture? Answer: a red ball on a beach. Question: why? Answer:": "it is round",
    "a photo of": "a photo of a beach",
}
PNG = examples.PNG
HERE = "http://localhost"  # a name that every server answers to


def scripted(**options: Any) -> ScriptedBackend:
    return ScriptedBackend(ANSWERS, default="i don't know", **options)


def made(backend: Backend | None = None, **settings: Any) -> Service:
    service = Service(backend or scripted(), Settings(**({"models": MODELS} | settings)))
    service.warm().join()
    return service


@contextmanager
def listening(service: Service) -> Iterator[str]:
    """The server on a free port; its address."""
    config = uvicorn.Config(app(service), port=0, log_config=None, access_log=False, timeout_graceful_shutdown=2)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.005)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(10)


def ask(text: str = "What is in the picture?", **fields: Any) -> dict[str, Any]:
    """A chat request about the example picture."""
    content = [{"type": "text", "text": text}, {"type": "image_url", "image_url": {"url": PNG}}]
    return {"messages": [{"role": "user", "content": content}], **fields}


def events(text: str) -> list[dict[str, Any]]:
    """The values of a stream, whose end mark must be there."""
    lines = [line.removeprefix("data: ") for line in text.split("\n\n") if line and not line.startswith(":")]
    assert lines[-1] == "[DONE]"
    return [json.loads(line) for line in lines[:-1]]


def soon(condition: Callable[[], bool], seconds: float = 60.0) -> bool:
    """Whether the condition comes true within the time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.005)
    return condition()
