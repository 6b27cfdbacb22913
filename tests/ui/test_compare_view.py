"""The rounds as a visitor reads them, and what the page says of a vote."""

import re
from pathlib import Path

from chatting import RED
from comparing import CHOICES, START, TwoVoices, make, visit_after

from blip2.errors import Busy
from blip2.ui.compare_view import AGAIN, rounds, spoken, verdict_line

HOSTILE = '<img src=x onerror=alert(1)> ${alert(1)} {{value}} & "b"'


def test_an_empty_tab_says_what_to_do(tmp_path: Path):
    actions = make(tmp_path)
    assert "One question, two answers" in rounds(START, actions.models)
    assert "Nothing to compare" in rounds(START, [])
    assert verdict_line(START) == ""


def test_each_answer_has_its_time_tokens_and_confidence(tmp_path: Path):
    actions = make(tmp_path)
    shown = rounds(visit_after(actions.ask(START, RED, "What is it?", CHOICES)), actions.models, {"t5"})
    left, right = shown.split("<section ")[1:]
    assert 'aria-label="Left: Big OPT"' in left
    assert "a red square" in re.sub("<[^>]*>", "", left)
    assert "3 tokens" in left
    assert "2 tokens" in right
    for side in (left, right):
        assert "50% confident" in side
        assert "Question: What is it? Answer:" in side
    assert ("A guess" in left, "A guess" in right) == (False, True)


def test_while_both_think_both_columns_say_so(tmp_path: Path):
    actions = make(tmp_path)
    steps = actions.ask(START, RED, "What is it?", CHOICES)
    begun = next(steps).visit
    assert begun
    assert rounds(begun, actions.models).count("working on the answer") == 2
    assert verdict_line(begun) == "A vote needs two finished answers."
    steps.close()


def test_a_failure_stands_in_its_own_column(tmp_path: Path):
    def failing(model: str, question: str) -> str:
        if model == "t5":
            raise Busy("64 requests are <waiting>; try again.")
        return "a red square"

    actions = make(tmp_path, failing)
    visit = visit_after(actions.ask(START, RED, "What is it?", CHOICES))
    left, right = rounds(visit, actions.models).split("<section ")[1:]
    assert "64 requests" not in left
    assert "64 requests are &lt;waiting>; try again." in right
    assert AGAIN in right
    assert spoken(visit) == "Left: a red square. Right: 64 requests are &lt;waiting>; try again."
    after = rounds(visit_after(actions.ask(visit, RED, "Why?", (CHOICES[0], CHOICES[0]))), actions.models)
    assert AGAIN not in after


def test_nothing_of_models_and_visitors_is_markup(tmp_path: Path):
    actions = make(tmp_path, backend=TwoVoices(lambda model, question: HOSTILE))
    for blind in (False, True):
        visit = visit_after(actions.ask(START, RED, HOSTILE, CHOICES, blind))
        assert "<img" not in rounds(visit, actions.models)


def test_an_earlier_rounds_vote_is_said_under_it(tmp_path: Path):
    actions = make(tmp_path)
    visit = actions.vote(visit_after(actions.ask(START, RED, "What is it?", CHOICES)), "neither").visit
    assert visit
    assert "Until the next question" in verdict_line(visit)
    visit = visit_after(actions.ask(visit, RED, "Why?", CHOICES, True))
    assert "Your vote: Both are wrong" in rounds(visit, actions.models)
    assert "names are shown after the vote" in verdict_line(visit)
