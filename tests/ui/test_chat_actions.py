"""What a visitor can do in the chat, on the scripted backend, without a page."""

import threading
from collections.abc import Callable, Iterator

import pytest
from PIL import Image

from blip2.backends.scripted import ScriptedBackend
from blip2.errors import BadImage, Busy
from blip2.images import picture_from
from blip2.ui.chat_actions import ALREADY, CRASHED, NEW_PICTURE, NO_PICTURE, ChatActions, Choice, Step, Visit
from blip2.values import Finish, ModelInfo, Picture

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


def test_an_answer_streams_and_the_box_empties_and_comes_back():
    steps = list(make().ask(Visit(), RED, "What is it?", CHOICE))
    assert (steps[0].busy, steps[0].text, steps[-1].busy) == (True, "", False)
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


def test_a_new_picture_starts_anew_and_says_so():
    actions = make()
    visit = asked(actions, "What is it?")
    step = actions.look(visit, BLUE)
    assert step.notice
    assert step.notice.text == NEW_PICTURE
    assert step.visit
    assert step.visit.conversation.turns == ()
    assert step.visit.conversation.picture == BLUE
    removed = actions.look(visit, None)
    assert removed.notice
    assert removed.notice.text == NO_PICTURE


def test_the_same_picture_and_the_first_picture_need_no_words():
    actions = make()
    assert actions.look(asked(actions, "What is it?"), a_picture("red")) == Step()
    first = actions.look(Visit(), RED)
    assert first.notice
    assert first.notice.text == ""


def test_asking_at_once_about_a_picture_the_visit_does_not_know_yet():
    actions = make()
    visit = visit_after(actions.ask(asked(actions, "What is it?"), BLUE, "And this?", CHOICE))
    assert [turn.question for turn in visit.conversation.turns] == ["And this?"]
    assert visit.conversation.picture == BLUE


def test_a_bad_file_is_a_sentence_and_the_conversation_stays():
    actions = make()
    visit = asked(actions, "What is it?")
    step = actions.look(visit, BadImage("notes.txt is not a picture."))
    assert step.visit is None
    assert step.notice
    assert step.notice.failed
    tried = last(actions.ask(visit, BadImage("notes.txt is not a picture."), "Why?", CHOICE))
    assert tried.text == "Why?"
    assert tried.visit is None


def test_suggestions_are_the_pictures_own_and_shrink_as_they_are_asked():
    actions = make()
    assert actions.suggestions(Visit()) == []
    assert actions.suggestions(asked(actions, "What is it?")) == ["Why?"]
    blue = actions.look(Visit(), BLUE).visit
    assert blue
    assert actions.suggestions(blue)


def test_foreign_pictures_make_only_pocket_models_doubtful():
    actions = make(foreign=lambda picture: picture == BLUE)
    assert actions.doubtful(asked(actions, "What is it?")) == frozenset()
    blue = actions.look(Visit(), BLUE).visit
    assert blue
    assert actions.doubtful(blue) == {"pocket"}


def halting(moment: int) -> Visit:
    """The visit after a stop that comes when `moment` steps were seen; the backend waits until then."""
    stopped = threading.Event()

    def answers(prompt: str) -> str:
        return "one two three four five six"

    actions = make(answers)
    visit = Visit()
    for count, step in enumerate(actions.ask(Visit(), RED, "Count!", CHOICE)):
        visit = step.visit or visit
        if count == moment:
            actions.halt(visit)
            stopped.set()
    assert stopped.is_set()
    assert not actions._halted
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
    assert last(steps).busy is False


def test_an_abandoned_answer_leaves_the_backend():
    actions = make(lambda prompt: "one two three four")
    steps = actions.ask(Visit(), RED, "Count!", CHOICE)
    for _ in range(4):
        next(steps)
    assert actions.backend.stats().running["pocket"] == 1
    steps.close()  # what a closed tab does
    assert actions.backend.stats().running["pocket"] == 0


def test_a_saved_conversation_is_taken_up_and_a_wrong_file_is_a_sentence(tmp_path):
    from blip2.ui.conversation_file import save

    actions = make()
    visit = asked(actions, "What is it?")
    path = tmp_path / "talk.json"
    path.write_text(save(visit.conversation, "json").text)
    step = actions.resume(Visit(), str(path))
    assert step.visit
    assert [turn.answer for turn in step.visit.conversation.turns] == ["a red square"]
    assert step.visit.conversation.picture == RED
    path.write_text("{}")
    wrong = actions.resume(visit, str(path))
    assert wrong.visit is None
    assert wrong.notice
    assert wrong.notice.failed
