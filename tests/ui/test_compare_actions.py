"""Two models asked at once: each with its own history, neither touched by what becomes of the other."""

from pathlib import Path

import pytest
from chatting import BLUE, RED
from comparing import CHOICES, ITM, OPT, START, T5, TwoVoices, last, make, visit_after, voices

from blip2.errors import BadImage, Busy
from blip2.ui.chat_actions import ALREADY
from blip2.ui.compare_actions import EARLY, NOTHING
from blip2.ui.compare_view import rounds
from blip2.ui.compare_visit import CompareStep, CompareVisit
from blip2.ui.visit import QUIET, Choice
from blip2.values import Finish, ModelInfo


def answers(visit: CompareVisit, at: int = -1) -> tuple[str | None, ...]:
    return tuple(turn and turn.answer for turn in visit.turns(at))


def test_both_answer_and_the_box_empties_and_comes_back(tmp_path: Path):
    steps = [step for step in make(tmp_path).ask(START, RED, "What is it?", CHOICES) if step != CompareStep()]
    assert (steps[0].busy, steps[0].text, steps[-1].busy) == (True, "", False)
    assert all(step.visit and step.visit.running and not step.visit.complete for step in steps[:-1])
    visit = steps[-1].visit
    assert visit is not None
    assert answers(visit) == ("a red square", "a box")
    assert visit.complete
    assert (visit.rounds[-1].models, visit.rounds[-1].swapped) == (("opt", "t5"), False)


def test_a_slow_side_holds_up_no_other(tmp_path: Path):
    backend = TwoVoices(voices)
    gate = backend.gate("opt")
    actions = make(tmp_path, backend=backend)
    seen = []
    for step in actions.ask(START, RED, "What is it?", CHOICES):
        if step.visit is None:
            continue
        first, second = step.visit.turns()
        seen.append((first and first.answer, second and second.finish))
        if first and first.answer == "a red" and second and second.finish is Finish.END:
            gate.set()
    assert ("a red", Finish.END) in seen
    assert step.visit.complete


def test_follow_ups_continue_both_histories(tmp_path: Path):
    actions = make(tmp_path)
    visit = visit_after(actions.ask(START, RED, "What is it?", CHOICES, visitor="anna"))
    visit = visit_after(actions.ask(visit, RED, "Why?", CHOICES, visitor="anna"))
    first, second = visit.turns()
    assert first
    assert second
    assert first.prompt == "Question: What is it? Answer: a red square. Question: Why? Answer:"
    assert second.prompt == "Question: What is it? Answer: a box. Question: Why? Answer:"


def test_each_side_has_its_own_settings(tmp_path: Path):
    choices = (Choice("opt", {"method": "greedy"}), Choice("opt", {"num_beams": 3}, seed=4))
    first, second = visit_after(make(tmp_path).ask(START, RED, "What is it?", choices)).turns()
    assert first
    assert second
    assert (first.model, second.model) == ("opt", "opt")
    assert (first.decoding.method, second.decoding.num_beams, second.seed) == ("greedy", 3, 4)


def failing(model: str, question: str) -> str:
    if model == "t5" and "Why" in question:
        raise Busy("64 requests are waiting; try again in a moment.")
    return voices(model, question)


def test_one_sides_failure_stands_in_its_column_and_the_other_goes_on(tmp_path: Path):
    actions = make(tmp_path, failing)
    visit = visit_after(actions.ask(START, RED, "What is it?", CHOICES))
    step = last(actions.ask(visit, RED, "Why?", CHOICES))
    assert step.visit
    assert step.notice is None
    assert answers(step.visit) == ("a red square", None)
    assert step.visit.rounds[-1].failures == ("", "64 requests are waiting; try again in a moment.")
    assert not step.visit.complete
    after = visit_after(actions.ask(step.visit, RED, "What colour?", CHOICES))
    assert answers(after, 1) == ("a red square", None), "the earlier round keeps its gap"
    assert answers(after, 2) == ("a red square", "a box")
    assert [len(side.conversation.turns) for side in after.sides] == [3, 2]


def test_asking_again_asks_the_failed_side_alone(tmp_path: Path):
    calm = False

    def once(model: str, question: str) -> str:
        return voices(model, question) if calm else failing(model, question)

    actions = make(tmp_path, once)
    visit = visit_after(actions.ask(START, RED, "Why?", CHOICES))
    kept = visit.turns()[0]
    calm = True
    visit = visit_after(actions.retry(visit, CHOICES))
    assert answers(visit) == ("a red square", "a box")
    assert visit.turns()[0] is kept
    assert visit.rounds[-1].failures == ("", "")
    assert visit.complete


def test_asking_again_asks_both_with_the_settings_of_now(tmp_path: Path):
    actions = make(tmp_path)
    visit = visit_after(actions.ask(START, RED, "What is it?", CHOICES))
    drawn = (Choice("opt", {"method": "nucleus"}, seed=5), Choice("opt"))
    again = visit_after(actions.retry(visit, drawn))
    first, second = again.turns()
    assert first
    assert second
    assert (first.decoding.method, first.seed, second.model) == ("nucleus", 1, "opt")
    assert len(again.rounds) == 1
    assert again.rounds[0].id != visit.rounds[0].id
    assert again.rounds[0].models == ("opt", "opt")


def test_asking_again_in_vain_keeps_the_earlier_answer(tmp_path: Path):
    actions = make(tmp_path)
    visit = visit_after(actions.ask(START, RED, "What is it?", CHOICES))
    step = last(actions.retry(visit, (Choice("opt"), Choice("opt", {"num_beams": 99}))))
    assert step.visit
    assert step.notice
    assert "num_beams" in step.notice.text
    assert answers(step.visit) == ("a red square", "a box")
    assert "Right: Big T5" in rounds(step.visit, actions.models), "it is still the answer of the model it came from"
    assert last(actions.retry(START, CHOICES)).notice.text == NOTHING  # type: ignore[union-attr]


@pytest.mark.parametrize(("seen", "text", "word"), [(None, "What is it?", "no picture"), (RED, "  ", "empty")])
def test_what_fails_for_both_is_said_once_and_the_text_stays(tmp_path: Path, seen: object, text: str, word: str):
    step = last(make(tmp_path).ask(START, seen, text, CHOICES))  # type: ignore[arg-type]
    assert step.notice
    assert word in step.notice.text
    assert step.notice.failed
    assert (step.text, step.busy) == (text, False)
    assert step.visit
    assert step.visit.rounds == ()


def test_stop_stops_both_and_keeps_what_is_written(tmp_path: Path):
    backend = TwoVoices(lambda model, question: "one two three four")
    backend.gate("opt")
    backend.gate("t5")
    actions = make(tmp_path, backend=backend)
    for step in actions.ask(START, RED, "Count!", CHOICES):
        if step.visit and answers(step.visit) == ("one two", "one two"):
            actions.halt(step.visit)
    assert step.visit
    assert [turn and turn.finish for turn in step.visit.turns()] == [Finish.CANCELLED] * 2
    assert answers(step.visit) == ("one two", "one two")
    assert not step.visit.complete
    assert backend.running() == 0


def test_a_stop_before_the_first_word_leaves_a_sentence(tmp_path: Path):
    actions = make(tmp_path)
    steps = actions.ask(START, RED, "What is it?", CHOICES)
    begun = next(steps)
    assert begun.visit
    actions.halt(begun.visit)
    visit = visit_after(steps)
    for turn, failure in zip(visit.turns(), visit.rounds[-1].failures, strict=True):
        assert failure == EARLY if turn is None else turn.finish is Finish.CANCELLED


def test_an_abandoned_question_leaves_the_backend(tmp_path: Path):
    backend = TwoVoices(voices)
    backend.gate("opt")
    steps = make(tmp_path, backend=backend).ask(START, RED, "What is it?", CHOICES)
    for step in steps:
        if step.visit and answers(step.visit)[0] == "a red":
            break
    steps.close()  # what a closed tab does
    assert backend.left.wait(60)


def test_a_second_question_waits_its_turn(tmp_path: Path):
    actions = make(tmp_path)
    steps = actions.ask(START, RED, "What is it?", CHOICES)
    running = next(steps).visit
    assert running
    for second in (actions.ask(running, RED, "Why?", CHOICES), actions.retry(running, CHOICES)):
        (step,) = second
        assert step.notice
        assert step.notice.text == ALREADY
    end = last(steps)
    assert (end.busy, end.notice) == (False, QUIET), "what was said of the answers being written is true no more"


def test_undo_takes_both_turns_back_and_clear_all(tmp_path: Path):
    actions = make(tmp_path, failing)
    visit = visit_after(actions.ask(START, RED, "What is it?", CHOICES))
    visit = visit_after(actions.ask(visit, RED, "Why?", CHOICES))
    step = actions.undo(visit)
    assert step.visit
    assert (len(step.visit.rounds), step.text) == (1, "Why?")
    assert [len(side.conversation.turns) for side in step.visit.sides] == [1, 1]
    cleared = actions.clear(step.visit).visit
    assert cleared
    assert cleared.rounds == ()
    assert cleared.picture == RED
    assert actions.undo(cleared).notice.text == NOTHING  # type: ignore[union-attr]


def test_undo_while_answers_run_ends_their_stream_without_another_word(tmp_path: Path):
    actions = make(tmp_path)
    steps = actions.ask(START, RED, "What is it?", CHOICES)
    running = next(steps).visit
    assert running
    undone = actions.undo(running)
    assert undone.visit
    assert not undone.visit.running
    assert {step.visit for step in steps} == {None}


def test_another_picture_starts_anew(tmp_path: Path):
    actions = make(tmp_path)
    visit = visit_after(actions.ask(START, RED, "What is it?", CHOICES))
    assert actions.look(visit, RED).visit is None
    step = actions.look(visit, BLUE)
    assert step.visit
    assert step.visit.rounds == ()
    assert [side.conversation.picture for side in step.visit.sides] == [BLUE, BLUE]
    assert step.notice
    assert step.notice.text.startswith("New picture")
    assert actions.look(visit, BadImage("That is no picture.")).visit is None
    bad = last(actions.ask(visit, BadImage("That is no picture."), "Why?", CHOICES))
    assert bad.text == "Why?"
    assert bad.notice
    assert bad.notice.text == "That is no picture."


@pytest.mark.parametrize(
    ("models", "chosen"),
    [
        ((T5, OPT, ITM), ("opt", "t5")),
        ((ITM, OPT), ("opt", "opt")),
        ((T5,), ("t5", "t5")),
        ((OPT, ModelInfo("more", "More OPT", "opt", "more")), ("opt", "more")),
        ((ITM,), ("", "")),
    ],
)
def test_an_opt_stands_against_a_flant5_by_default(
    tmp_path: Path, models: tuple[ModelInfo, ...], chosen: tuple[str, str]
):
    assert make(tmp_path, backend=TwoVoices(voices, models)).defaults() == chosen


def test_questions_are_offered_until_they_were_asked(tmp_path: Path):
    actions = make(tmp_path)
    assert actions.suggestions(START) == []
    seen = actions.look(START, RED).visit
    assert seen
    offered = actions.suggestions(seen)
    visit = visit_after(actions.ask(seen, RED, offered[0], CHOICES))
    assert [text for text in actions.suggestions(visit) if text in offered] == offered[1:]
