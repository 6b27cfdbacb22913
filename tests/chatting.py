"""Chat actions over a scripted backend, and a visitor's steps in short."""

from collections.abc import Callable, Iterator

from PIL import Image

from blip2.backends.scripted import ScriptedBackend
from blip2.images import picture_from
from blip2.ui.chat_actions import ChatActions
from blip2.ui.visit import Choice, Step, Visit
from blip2.values import ModelInfo, Picture

POCKET = (
    ModelInfo("pocket", "Pocket", "opt", "pocket", pocket=True),
    ModelInfo("real", "Real", "opt", "real"),
    ModelInfo("itm", "Matching", "itm", "itm"),
)
CHOICE = Choice("pocket")


def a_picture(colour: str) -> Picture:
    return picture_from(Image.new("RGB", (8, 8), colour))


RED, BLUE = a_picture("red"), a_picture("blue")


def make(
    answers: Callable[[str], str] = lambda prompt: "a red square",
    foreign: Callable[[Picture], bool] = lambda picture: False,
) -> ChatActions:
    backend = ScriptedBackend(answers, models=POCKET)
    return ChatActions(backend, {RED.digest: ("What is it?", "Why?")}, foreign)


def last(steps: Iterator[Step]) -> Step:
    *_, step = steps
    return step


def visit_after(steps: Iterator[Step]) -> Visit:
    visit = last(steps).visit
    assert visit is not None
    return visit


def asked(actions: ChatActions, *questions: str) -> Visit:
    visit = Visit()
    for question in questions:
        visit = visit_after(actions.ask(visit, RED, question, CHOICE))
    return visit
