"""Stopping, abandoning and interrupting an answer."""

import pytest
from chatting import CHOICE, RED, last, make

from blip2.ui.chat_actions import ALREADY
from blip2.ui.visit import QUIET, Step, Visit
from blip2.values import Finish


def halting(moment: int) -> Visit:
    """The visit after a stop that comes when `moment` steps were seen."""
    actions = make(lambda prompt: "one two three four five six")
    visit = Visit()
    for count, step in enumerate(actions.ask(Visit(), RED, "Count!", CHOICE)):
        visit = step.visit or visit
        if count == moment:
            actions.halt(visit)
    return visit


@pytest.mark.parametrize("moment", [0, 1, 2, 4])
def test_stop_stops_at_any_moment_and_keeps_what_is_written(moment: int):
    visit = halting(moment)
    assert visit.running == ""
    if moment:  # a stop before the prompt is built leaves no turn, or one without an answer
        turn = visit.conversation.turns[-1]
        assert turn.finish is Finish.CANCELLED
        assert len(turn.answer.split()) < 6


def test_clearing_while_an_answer_runs_ends_its_stream_without_another_word():
    actions = make(lambda prompt: "one two three four")
    steps = actions.ask(Visit(), RED, "Count!", CHOICE)
    next(steps)
    next(steps)
    visit = next(steps).visit
    assert visit
    cleared = actions.clear(visit).visit
    assert cleared
    assert cleared.conversation.turns == ()
    assert cleared.running == ""
    assert list(steps) == [Step()]
    assert actions.backend.stats().running["pocket"] == 0


def test_a_second_question_waits_its_turn():
    actions = make()
    steps = actions.ask(Visit(), RED, "What is it?", CHOICE)
    running = next(steps).visit
    assert running
    for second in (
        actions.ask(running, RED, "Why?", CHOICE),
        actions.retry(running, CHOICE),
        actions.edit(running, 0, "x", CHOICE),
    ):
        (step,) = second
        assert step.notice
        assert step.notice.text == ALREADY
        assert step.visit is None
    end = last(steps)
    assert end.busy is False
    assert end.notice == QUIET, "what was said of the answer being written is true no more"
    (asked,) = [step for step in actions.ask(Visit(), RED, "What is it?", CHOICE) if step.busy is False]
    assert asked.notice is None, "nothing was refused this time"


def test_an_abandoned_answer_leaves_the_backend():
    actions = make(lambda prompt: "one two three four")
    steps = actions.ask(Visit(), RED, "Count!", CHOICE)
    for _ in range(4):
        next(steps)
    assert actions.backend.stats().running["pocket"] == 1
    steps.close()  # what a closed tab does
    assert actions.backend.stats().running["pocket"] == 0
