"""Votes on a round: when they count, what is kept of them, and what a blind visitor gets to know."""

from pathlib import Path

import pytest
from chatting import RED
from comparing import CHOICES, START, make, visit_after, voices

from blip2.errors import Busy
from blip2.ui.compare_actions import UNFINISHED, CompareActions
from blip2.ui.compare_view import HIDDEN, rounds
from blip2.ui.compare_visit import CompareVisit


@pytest.fixture
def actions(tmp_path: Path) -> CompareActions:
    return make(tmp_path)


def asked(actions: CompareActions, *, blind: bool = False, visit: CompareVisit = START) -> CompareVisit:
    return visit_after(actions.ask(visit, RED, "What is it?", CHOICES, blind))


def voted(actions: CompareActions, visit: CompareVisit, verdict: str) -> CompareVisit:
    after = actions.vote(visit, verdict).visit
    assert after is not None
    return after


def test_a_vote_keeps_all_that_repeats_both_answers(actions: CompareActions):
    visit = voted(actions, asked(actions), "left")
    (vote,) = actions.book.votes()
    assert (vote.question, vote.picture, vote.verdict) == ("What is it?", RED.digest, "left")
    assert (vote.left.model, vote.left.revision, vote.left.dtype, vote.left.answer) == (
        "opt", "r1", "float32", "a red square",
    )  # fmt: skip
    assert (vote.right.model, vote.right.revision, vote.right.answer) == ("t5", "r2", "a box")
    assert vote.left.prompt == "Question: What is it? Answer:"
    assert (vote.blind, vote.swapped) == (False, False)
    assert vote.visitor == visit.visitor
    assert len(vote.visitor) == 32


def test_a_vote_needs_two_finished_answers(actions: CompareActions):
    assert actions.vote(START, "left").notice.text == UNFINISHED  # type: ignore[union-attr]
    steps = actions.ask(START, RED, "What is it?", CHOICES)
    running = next(steps).visit
    assert running
    assert actions.vote(running, "left").notice.text == UNFINISHED  # type: ignore[union-attr]
    steps.close()
    assert actions.book.votes() == []


def test_a_vote_is_changed_and_taken_back_until_the_next_question(actions: CompareActions):
    visit = voted(actions, asked(actions), "left")
    visit = voted(actions, visit, "neither")
    assert [vote.verdict for vote in actions.book.votes()] == ["neither"]
    pressed = actions.press(visit, "neither").visit
    assert pressed
    assert pressed.rounds[-1].verdict is None
    assert actions.book.votes() == []
    visit = voted(actions, pressed, "tie")
    visit = voted(actions, asked(actions, visit=visit), "right")
    assert [vote.verdict for vote in actions.book.votes(visit.visitor)] in (["tie", "right"], ["right", "tie"])


def test_an_unknown_vote_is_a_sentence(actions: CompareActions):
    step = actions.vote(asked(actions), "up")
    assert step.visit is None
    assert step.notice
    assert "left, right, tie, neither" in step.notice.text


def test_a_blind_round_is_shuffled_and_tells_nothing_until_the_vote(actions: CompareActions):
    visit = asked(actions, blind=True)
    assert visit.rounds[-1].order == (1, 0)
    shown = rounds(visit, actions.models, {"t5"})
    assert shown.index("a box") < shown.index("a red square")
    assert shown.count(HIDDEN) == 4
    for clue in ("Big OPT", "Big T5", "opt", "t5", "float32", "confident", "tokens", "guess"):
        assert clue not in shown
    visit = voted(actions, visit, "left")
    shown = rounds(visit, actions.models)
    assert shown.index("Big T5") < shown.index("Big OPT")
    assert "confident" in shown
    (vote,) = actions.book.votes()
    assert (vote.left.model, vote.right.model, vote.blind, vote.swapped) == ("t5", "opt", True, True)
    (pair,) = actions.book.tally().pairs
    assert (pair.first, pair.first_wins, pair.second_wins, pair.blind) == ("opt", 0, 1, 1)


def test_a_vote_changed_after_the_reveal_is_no_blind_one(actions: CompareActions):
    visit = voted(actions, asked(actions, blind=True), "left")
    visit = voted(actions, visit, "left")
    assert actions.book.votes()[0].blind
    voted(actions, visit, "right")
    assert not actions.book.votes()[0].blind


def test_who_looks_at_the_names_first_votes_seeing(actions: CompareActions):
    visit = actions.reveal(asked(actions, blind=True)).visit
    assert visit
    assert "Big T5" in rounds(visit, actions.models)
    voted(actions, visit, "left")
    (vote,) = actions.book.votes()
    assert (vote.blind, vote.swapped) == (False, True)


def test_an_earlier_round_stays_hidden_where_nobody_voted(actions: CompareActions):
    visit = asked(actions, blind=True, visit=asked(actions, blind=True))
    visit = voted(actions, visit, "tie")
    shown = rounds(visit, actions.models)
    assert shown.count(HIDDEN) == 4
    assert shown.count("<b>Big OPT</b>") == 1


def test_without_a_file_of_votes_the_comparison_goes_on(tmp_path: Path):
    (tmp_path / "votes.sqlite").write_bytes(b"no votes" * 1000)
    actions = make(tmp_path)
    visit = asked(actions)
    step = actions.vote(visit, "left")
    assert step.visit is None
    assert step.notice
    assert step.notice.failed
    assert "The vote is not counted" in step.notice.text
    assert asked(actions, visit=visit).complete


def test_asking_again_makes_nobody_blind_again(actions: CompareActions):
    visit = voted(actions, asked(actions, blind=True), "left")
    again = visit_after(actions.retry(visit, CHOICES))
    assert not again.rounds[-1].hidden
    voted(actions, again, "left")
    assert [vote.blind for vote in actions.book.votes()].count(True) == 1
    hidden = visit_after(actions.retry(asked(actions, blind=True), CHOICES))
    assert hidden.rounds[-1].hidden
    assert hidden.rounds[-1].swapped


def test_a_failure_ends_blindness_since_its_sentence_may_name_the_model(tmp_path: Path):
    calm = False

    def once(model: str, question: str) -> str:
        if model == "t5" and not calm:
            raise Busy("Big T5 is busy; try again.")
        return voices(model, question)

    actions = make(tmp_path, once)
    visit = asked(actions, blind=True)
    assert HIDDEN not in rounds(visit, actions.models)
    calm = True
    voted(actions, visit_after(actions.retry(visit, CHOICES)), "left")
    assert [vote.blind for vote in actions.book.votes()] == [False]
