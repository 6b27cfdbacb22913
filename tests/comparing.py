"""Comparing actions over a scripted backend, and a visitor's steps in short."""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path

from blip2.backends.base import Backend
from blip2.backends.scripted import ScriptedBackend
from blip2.ui.chat_actions import ChatActions
from blip2.ui.compare_actions import Choices, CompareActions
from blip2.ui.compare_visit import CompareStep, CompareVisit, empty
from blip2.ui.visit import Choice
from blip2.values import Chunk, ModelInfo, Request
from blip2.votes import VoteBook

OPT = ModelInfo("opt", "Big OPT", "opt", "opt-source", "r1")
T5 = ModelInfo("t5", "Big T5", "t5", "t5-source", "r2", pocket=True)
ITM = ModelInfo("itm", "Matching", "itm", "itm-source")
CHOICES: Choices = (Choice("opt"), Choice("t5"))
START = empty("opt", "t5")

Answers = Callable[[str, str], str]  # of the model and the question


class TwoVoices(ScriptedBackend):
    """A scripted backend whose answers depend on the model too.

    A model with a gate stops after two words until the gate is opened or a request is cancelled. `left` is set when a
    request has left that had to wait.
    """

    def __init__(self, answers: Answers, models: Sequence[ModelInfo] = (OPT, T5, ITM)) -> None:
        super().__init__(models=models)
        self.voices = {
            info.name: ScriptedBackend(partial(_asked, answers, info.name), models=[info]) for info in models
        }
        self.gates: dict[str, threading.Event] = {}
        self.left = threading.Event()

    def gate(self, model: str) -> threading.Event:
        return self.gates.setdefault(model, threading.Event())

    def generate(self, request: Request) -> Iterator[Chunk]:
        gate = self.gates.get(request.model)
        try:
            with closing(self.voices[request.model].generate(request)) as chunks:
                for count, chunk in enumerate(chunks, 1):
                    yield chunk
                    if gate is not None and count == 2:
                        gate.wait()
        finally:
            if gate is not None:
                self.left.set()

    def cancel(self, request_id: str) -> None:
        for voice in self.voices.values():
            voice.cancel(request_id)
        for gate in self.gates.values():
            gate.set()

    def running(self) -> int:
        return sum(sum(voice.stats().running.values()) for voice in self.voices.values())


def _asked(answers: Answers, model: str, prompt: str) -> str:
    return answers(model, prompt.rsplit("Question: ", 1)[-1].removesuffix(" Answer:"))


def voices(model: str, question: str) -> str:
    return "a red square" if model == "opt" else "a box"


def make(
    folder: Path,
    answers: Answers = voices,
    swap: Callable[[], bool] = lambda: True,
    backend: Backend | None = None,
) -> CompareActions:
    return CompareActions(ChatActions(backend or TwoVoices(answers)), VoteBook(folder / "votes.sqlite"), swap)


def last(steps: Iterator[CompareStep]) -> CompareStep:
    *_, step = steps
    return step


def visit_after(steps: Iterator[CompareStep]) -> CompareVisit:
    visit = last(steps).visit
    assert visit is not None
    return visit
