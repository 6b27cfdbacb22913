"""The badge: which answers are measured, by which model, and what is remembered."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
from chatting import CHOICE, POCKET, RED, asked, visit_after

from blip2.backends.scripted import ScriptedBackend
from blip2.chat import clear
from blip2.errors import Busy
from blip2.ui.chat_actions import ChatActions
from blip2.ui.chat_fit import Fits, wording
from blip2.ui.chat_view import messages
from blip2.ui.visit import Visit
from blip2.values import Finish, Match, ModelInfo, Picture


class Measuring(ScriptedBackend):
    """Remembers what was measured."""

    def __init__(self, models: Sequence[ModelInfo] = POCKET) -> None:
        super().__init__(default="a red square", models=models)
        self.texts: list[str] = []

    def match(self, model: str, images: Sequence[Picture], texts: Sequence[str]) -> Match:
        self.texts += texts
        return super().match(model, images, texts)


def talked(backend: ScriptedBackend) -> Visit:
    return visit_after(ChatActions(backend).ask(Visit(), RED, "What is it?", CHOICE))


@pytest.mark.parametrize(
    ("answer", "measured"),
    [
        ("a dog", "a dog"),
        ("The  white\nsquare", "The white square"),
        ("there are two cats", "there are two cats"),
        ("dogs playing in the snow", "dogs playing in the snow"),
        ("there is no cake", ""),
        ("yes", ""),
        ("two", ""),
        ("i don't know", ""),
        ("because it is raining outside", ""),
        ("", ""),
    ],
)
def test_only_an_answer_that_names_something_is_measured(answer: str, measured: str) -> None:
    turn = talked(Measuring()).conversation.turns[0]
    assert wording(replace(turn, answer=answer)) == measured
    assert wording(replace(turn, answer=answer, finish=Finish.CANCELLED)) == ""
    assert wording(replace(turn, answer=answer, finish=None)) == ""


def test_a_measured_answer_says_how_well_it_fits_and_is_measured_once() -> None:
    backend = Measuring()
    fits, visit = Fits(backend), talked(backend)
    assert fits.known(visit) == {}
    fits.measure(visit)
    fits.measure(visit)
    assert backend.texts == ["a red square"]
    fit = fits.known(visit)[0]
    assert fit.probability == pytest.approx(float(backend.match("itm", [RED], ["a red square"]).itm[0, 0]))
    shown = messages(visit.conversation, (), fits.known(visit))[1]["content"]
    assert f"fits the picture {fit.probability:.0%}" in shown
    assert "Matching, which does not read the question" in shown
    assert "fits the picture" not in messages(visit.conversation)[1]["content"]


def test_what_was_said_again_is_known_already() -> None:
    backend = Measuring()
    fits = Fits(backend)
    fits.measure(talked(backend))
    assert fits.known(asked(ChatActions(backend), "What is it?", "And now?")).keys() == {0, 1}
    assert fits.known(Visit(clear(talked(backend).conversation))) == {}


def test_without_a_matching_model_there_is_no_badge_and_no_failure() -> None:
    backend = Measuring(POCKET[:2])
    fits, visit = Fits(backend), talked(backend)
    fits.measure(visit)
    assert fits.known(visit) == {}
    assert backend.texts == []


def test_a_pocket_matcher_says_nothing_of_a_foreign_picture() -> None:
    pocket, real = replace(POCKET[2], pocket=True), replace(POCKET[2], name="real/itm", title="Real matching")
    for models, matchers in (((*POCKET[:2], pocket), []), ((*POCKET[:2], pocket, real), ["Real matching"])):
        backend = Measuring(models)
        fits, visit = Fits(backend), replace(talked(backend), foreign=True)
        fits.measure(visit)
        assert [fit.matcher for fit in fits.known(visit).values()] == matchers


def test_a_failure_leaves_the_answer_as_it_is() -> None:
    class Failing(Measuring):
        def match(self, model: str, images: Sequence[Picture], texts: Sequence[str]) -> Match:
            self.texts += texts
            raise Busy("too much") if len(self.texts) == 1 else KeyError("a fault")

    backend = Failing()
    fits, visit = Fits(backend), talked(backend)
    for _ in range(2):
        fits.measure(visit)
        assert fits.known(visit) == {}
    assert len(backend.texts) == 2
