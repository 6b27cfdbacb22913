"""The backend of the browser tests: scripted answers, one of which waits until it is stopped."""

import threading
from collections.abc import Iterator
from contextlib import closing
from typing import Any

from blip2.backends.scripted import ScriptedBackend
from blip2.errors import Busy
from blip2.values import Chunk, ModelInfo, Request

MODELS = (
    ModelInfo("pocket/opt", "Pocket OPT", "opt", "pocket_opt", "abc123", pocket=True),
    ModelInfo("pocket/t5", "Pocket FlanT5", "t5", "pocket_t5", "def456", pocket=True),
    ModelInfo("pocket/itm", "Pocket matching", "itm", "pocket_itm", "fed654", pocket=True),
)
HOSTILE = "<img src=http://elsewhere.example/x.png> a < b & <b>c</b>"


def answer(prompt: str) -> str:
    question = prompt.rsplit("Question: ", 1)[-1].lower()
    if "busy" in question:
        raise Busy("64 requests are waiting; try again in a moment.")
    if "slowly" in question:
        return "one two three four five six seven"
    if "hostile" in question:
        return HOSTILE
    return "meat" if "eat" in question else "a dog"


class PatientBackend(ScriptedBackend):
    """Pauses an answer to a question with "slowly" in it after three words, until the request is cancelled.

    While it pauses it goes on streaming the words so far. `left` is set when such a request has left the backend.
    """

    def __init__(self) -> None:
        super().__init__(answer, models=MODELS)
        self.gates: dict[str, threading.Event] = {}
        self.left = threading.Event()

    def generate(self, request: Request) -> Iterator[Chunk]:
        gate = self.gates.setdefault(request.id, threading.Event())
        slowly = "slowly" in request.prompt.rsplit("Question: ", 1)[-1]
        try:
            with closing(super().generate(request)) as chunks:
                for count, chunk in enumerate(chunks, 1):
                    yield chunk
                    while slowly and count == 3 and not gate.wait(0.1):
                        yield chunk
        finally:
            if slowly:
                self.left.set()

    def cancel(self, request_id: str) -> None:
        super().cancel(request_id)
        self.gates.setdefault(request_id, threading.Event()).set()


def is_plain(picture: Any) -> bool:
    """A stand-in for the measure of foreign pictures: those of a single colour."""
    return picture.image.getcolors(1) is not None
