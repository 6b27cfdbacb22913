"""What a visitor can do in the chat, on the scripted backend, without a page: asking, and asking otherwise."""

import pytest
from chatting import CHOICE, POCKET, RED, asked, last, make, visit_after

from blip2.backends.scripted import ScriptedBackend
from blip2.errors import Busy
from blip2.ui.chat_actions import ALREADY, ChatActions
from blip2.ui.visit import CRASHED, Choice, Visit
from blip2.ui.visitors import Visitors
from blip2.values import Finish


def test_an_answer_streams_and_leaves_what_is_typed_meanwhile_alone():
    steps = list(make().ask(Visit(), RED, "What is it?", CHOICE))
    assert (steps[0].busy, steps[-1].busy) == (True, False)
    assert [step for step in steps if step.text is not None] == []
    grown = [step.visit.conversation.turns[-1].answer for step in steps[1:] if step.visit]
    assert grown[:4] == ["", "a", "a red", "a red square"]
    assert all(step.visit and step.visit.running for step in steps[:-1])
    final = steps[-1].visit
    assert final is not None
    assert final.running == ""
    assert final.conversation.turns[-1].finish is Finish.END


def test_a_follow_up_is_read_with_the_earlier_turn():
    visit = asked(make(), "What is it?", "Why?")
    assert visit.conversation.turns[1].prompt == "Question: What is it? Answer: a red square. Question: Why? Answer:"


@pytest.mark.parametrize("text", ["", "  \n "])
def test_an_empty_question_is_a_sentence_and_the_conversation_stays(text: str):
    actions = make()
    visit = asked(actions, "What is it?")
    step = last(actions.ask(visit, RED, text, CHOICE))
    assert step.notice
    assert step.notice.failed
    assert "empty" in step.notice.text
    assert step.visit == visit


def test_no_picture_is_a_sentence_and_the_text_stays():
    step = last(make().ask(Visit(), None, "What is it?", CHOICE))
    assert step.notice
    assert "no picture" in step.notice.text
    assert step.text == "What is it?"
    assert step.busy is False


def test_a_busy_backend_is_a_sentence_and_nothing_is_lost():
    def answers(prompt: str) -> str:
        if "Why" in prompt:
            raise Busy("64 requests are waiting; try again in a moment.")
        return "a red square"

    actions = make(answers)
    visit = asked(actions, "What is it?")
    step = last(actions.ask(visit, RED, "Why?", CHOICE))
    assert step.notice
    assert step.notice.text == "64 requests are waiting; try again in a moment."
    assert step.text == "Why?"
    assert step.visit == visit


def test_a_crash_is_a_sentence_and_goes_to_the_log(caplog: pytest.LogCaptureFixture):
    def answers(prompt: str) -> str:
        raise RuntimeError("wires crossed")

    step = last(make(answers).ask(Visit(), RED, "What is it?", CHOICE))
    assert step.notice
    assert step.notice.text == CRASHED
    assert step.text == "What is it?"
    assert "wires crossed" in caplog.text


@pytest.mark.parametrize(
    ("choice", "word"),
    [
        (Choice("pocket", {"num_beams": 99}), "num_beams"),
        (Choice("pocket", {"max_new_tokens": None}), "max_new_tokens"),
        (Choice("pocket", {"max_new_tokens": 2.5}), "max_new_tokens"),
        (Choice("pocket", seed=None), "seed"),
        (Choice("pocket", seed=1.5), "seed"),
        (Choice("nowhere"), "nowhere"),
        (Choice("itm"), "itm"),
    ],
)
def test_a_wrong_choice_is_a_sentence_that_names_it(choice: Choice, word: str):
    step = last(make().ask(Visit(), RED, "What is it?", choice))
    assert step.notice
    assert step.notice.failed
    assert word in step.notice.text
    assert step.text == "What is it?"


def test_whole_floats_of_a_page_are_whole_numbers():
    visit = visit_after(
        make().ask(Visit(), RED, "Why?", Choice("pocket", {"num_beams": 3.0, "length_penalty": -1}, 4.0))
    )
    assert visit.conversation.turns[0].decoding.num_beams == 3
    assert visit.conversation.turns[0].seed == 4


def test_retry_asks_the_last_question_again_with_the_settings_of_now():
    actions = make()
    visit = asked(actions, "What is it?", "Why?")
    again = visit_after(actions.retry(visit, Choice("real", {"method": "nucleus"}, 5)))
    assert [turn.question for turn in again.conversation.turns] == ["What is it?", "Why?"]
    assert again.conversation.turns[1].model == "real"
    assert again.conversation.turns[1].decoding.method == "nucleus"
    nothing = last(actions.retry(Visit(), CHOICE))
    assert nothing.notice
    assert nothing.notice.failed


def test_edit_replaces_a_question_and_drops_what_came_after():
    actions = make()
    visit = asked(actions, "What is it?", "Why?")
    edited = visit_after(actions.edit(visit, 0, "Where is it?", CHOICE))
    assert [turn.question for turn in edited.conversation.turns] == ["Where is it?"]
    failed = last(actions.edit(visit, 0, " ", CHOICE))
    assert failed.visit == visit


def test_undo_gives_the_question_back_and_clear_keeps_the_picture():
    actions = make()
    visit = asked(actions, "What is it?", "Why?")
    step = actions.undo(visit)
    assert step.text == "Why?"
    assert step.visit
    assert len(step.visit.conversation.turns) == 1
    cleared = actions.clear(visit).visit
    assert cleared
    assert cleared.conversation.turns == ()
    assert cleared.conversation.picture == RED
    assert actions.undo(Visit()).text is None


def test_two_questions_of_a_visitor_that_begin_at_once_are_one_answer_and_a_sentence():
    actions = make()
    first = actions.ask(Visit(), RED, "What is it?", CHOICE, "ann")
    next(first)
    (second,) = actions.ask(Visit(), RED, "Why?", CHOICE, "ann")  # the page did not know of the first yet
    assert second.notice
    assert second.notice.text == ALREADY
    assert (second.text, second.visit) == ("Why?", None)
    assert last(actions.ask(Visit(), RED, "Why?", CHOICE, "ben")).busy is False, "others are not held up"
    assert last(first).busy is False
    assert last(actions.ask(Visit(), RED, "Why?", CHOICE, "ann")).busy is False


def test_who_has_too_much_under_way_reads_so_and_keeps_the_question():
    visitors = Visitors(waiting=1)
    actions = ChatActions(ScriptedBackend(default="a dog", models=POCKET), admitted=visitors.admitted)
    with visitors.admitted("ann"):
        step = last(actions.ask(Visit(), RED, "What is it?", CHOICE, "ann"))
    assert step.notice
    assert "under way already" in step.notice.text
    assert (step.text, step.busy) == ("What is it?", False)
    assert visit_after(actions.ask(Visit(), RED, "What is it?", CHOICE, "ann")).conversation.turns
