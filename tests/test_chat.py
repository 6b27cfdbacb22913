"""Asking, retrying, editing, undoing: each makes a new conversation, and a failure leaves the old one."""

from dataclasses import replace
from typing import Any

import pytest
from PIL import Image

from blip2 import chat
from blip2.backends.base import Backend
from blip2.backends.scripted import ScriptedBackend
from blip2.chat import Conversation
from blip2.errors import BadInput, BadPrompt, BadSetting, Busy, UnknownModel
from blip2.values import Decoding, Finish, ModelInfo, Picture, Request

CITY = "Question: which city is this? Answer:"
WHY = "Question: which city is this? Answer: singapore. Question: why? Answer:"
ANSWERS = {CITY: "singapore", WHY: "it has a statue of a merlion"}


def picture(digest: str = "a") -> Picture:
    return Picture(Image.new("RGB", (8, 8)), digest=digest * 64, name="merlion.png")


@pytest.fixture
def backend() -> ScriptedBackend:
    return ScriptedBackend(ANSWERS, default="i don't know")


@pytest.fixture
def empty() -> Conversation:
    return Conversation("scripted/opt", picture())


def asked(backend: Backend, conversation: Conversation, *questions: str, **sending: Any) -> Conversation:
    for question in questions:
        *_, conversation = chat.ask(backend, conversation, question, **sending)
    return conversation


def answers(conversation: Conversation) -> list[str]:
    return [turn.answer for turn in conversation.turns]


def test_a_follow_up_carries_the_turns_before_it(backend: ScriptedBackend, empty: Conversation) -> None:
    done = asked(backend, empty, "which city is this?", "why?")
    assert answers(done) == ["singapore", "it has a statue of a merlion"]
    assert [turn.prompt for turn in done.turns] == [CITY, WHY]
    assert empty.turns == ()


def test_the_answer_grows_and_only_the_last_value_is_finished(backend: ScriptedBackend, empty: Conversation) -> None:
    one = asked(backend, empty, "which city is this?")
    grown = list(chat.ask(backend, one, "why?"))
    assert [state.turns[-1].answer for state in grown][:3] == ["", "it", "it has"]
    assert [state.turns[-1].finish for state in grown] == [None] * (len(grown) - 1) + [Finish.END]
    assert all(state.turns[0] == one.turns[0] for state in grown)


def test_a_turn_holds_what_repeating_it_needs(empty: Conversation) -> None:
    info = ModelInfo("scripted/opt", "T", "opt", "Salesforce/x", revision="abc", dtype="float16")
    backend = ScriptedBackend(ANSWERS, models=[info])
    start = replace(empty, seed=7, decoding=Decoding("nucleus"))
    turn = asked(backend, start, " which city\nis this? ").turns[0]
    assert (turn.question, turn.prompt, turn.prompt_tokens) == ("which city is this?", CITY, 6)
    assert (turn.model, turn.source, turn.revision, turn.dtype) == ("scripted/opt", "Salesforce/x", "abc", "float16")
    assert (turn.seed, turn.decoding, turn.mode) == (7, Decoding("nucleus"), "chat")
    assert (turn.confidence, [token.text for token in turn.tokens]) == (0.5, ["singapore"])
    assert turn.usage.new_tokens == 1


@pytest.mark.parametrize("text", ["", "  ", "why " * 600])
def test_a_bad_question_raises_before_anything_is_shown(
    backend: ScriptedBackend, empty: Conversation, text: str
) -> None:
    with pytest.raises(BadPrompt):
        next(chat.ask(backend, empty, text))
    assert sum(backend.stats().steps.values()) == 0


def test_a_question_without_a_picture_is_refused(backend: ScriptedBackend) -> None:
    with pytest.raises(BadInput, match="picture"):
        asked(backend, Conversation("scripted/opt"), "what is this?")


def test_a_seed_of_more_than_64_bits_is_refused(backend: ScriptedBackend) -> None:
    with pytest.raises(BadSetting, match="at most 19 digits"):
        asked(backend, Conversation("scripted/opt", picture(), seed=2**64), "why?")


def test_a_matching_model_is_refused(backend: ScriptedBackend, empty: Conversation) -> None:
    with pytest.raises(BadSetting, match="scripted/itm"):
        asked(backend, replace(empty, model="scripted/itm"), "what is this?")


def test_an_unknown_model_is_refused(backend: ScriptedBackend, empty: Conversation) -> None:
    with pytest.raises(UnknownModel):
        asked(backend, replace(empty, model="nobody"), "what is this?")


def test_a_backend_that_is_busy_raises_through(empty: Conversation) -> None:
    busy = ScriptedBackend({CITY: Busy("Too many wait; try again in a minute.")})
    with pytest.raises(Busy):
        asked(busy, empty, "which city is this?")


def test_cancelled_by_id_it_keeps_the_partial_text(empty: Conversation) -> None:
    backend = ScriptedBackend(default="one two three four")
    state = empty
    for state in chat.ask(backend, empty, "what is this?", request_id="r1"):
        if state.turns[-1].answer == "one two":
            backend.cancel("r1")
    assert (state.turns[-1].answer, state.turns[-1].finish) == ("one two", Finish.CANCELLED)
    follow = asked(backend, state, "and?")
    assert follow.turns[-1].prompt == "Question: what is this? Answer: one two. Question: and? Answer:"


def test_the_place_in_the_queue_is_shown_while_it_waits_and_never_saved(empty: Conversation) -> None:
    backend = ScriptedBackend(default="a b c", slots=1)
    first = backend.generate(Request("scripted/opt", picture(), "why"))
    next(first)
    talk = chat.ask(backend, empty, "which city is this?")
    next(talk)
    waiting = next(talk).turns[-1]
    assert (waiting.waiting, waiting.answer) == (1, "")
    list(first)
    *_, last = talk
    assert last.turns[-1].waiting == 0
    assert "waiting" not in waiting.to_json()


def test_closing_the_iterator_frees_the_backend(empty: Conversation) -> None:
    backend = ScriptedBackend(default="one two three four")
    stream = chat.ask(backend, empty, "what is this?")
    state = empty
    while not state.turns or state.turns[-1].answer != "one two":
        state = next(stream)
    stream.close()
    assert sum(backend.stats().running.values()) == 0
    assert chat.stopped(state).turns[-1].finish is Finish.CANCELLED
    assert answers(chat.stopped(state)) == ["one two"]
    assert asked(backend, state, "and?").turns[0].finish is Finish.CANCELLED


def test_stopped_before_the_first_word_is_not_in_later_prompts(backend: ScriptedBackend, empty: Conversation) -> None:
    stream = chat.ask(backend, empty, "what is this?")
    state = chat.stopped(next(stream))
    stream.close()
    assert asked(backend, state, "which city is this?").turns[-1].prompt == CITY


def test_a_deadline_is_kept_and_said(empty: Conversation) -> None:
    backend = ScriptedBackend(default="word " * 100, delay=0.005)
    turn = asked(backend, empty, "what is this?", deadline=0.03).turns[-1]
    assert turn.finish is Finish.DEADLINE
    assert "time limit" in turn.notice


def test_an_empty_answer_is_pointed_out(empty: Conversation) -> None:
    turn = asked(ScriptedBackend(), empty, "what is this?").turns[-1]
    assert (turn.answer, turn.finish) == ("", Finish.END)
    assert "answered with nothing" in turn.notice


def test_dropped_turns_are_counted_and_said(empty: Conversation) -> None:
    info = ModelInfo("scripted/opt", "T", "opt", "scripted", prompt_budget=9)
    done = asked(ScriptedBackend(default="yes", models=[info]), empty, "a?", "b?", "c?")
    assert [turn.dropped for turn in done.turns] == [0, 0, 1]
    assert done.turns[-1].prompt == "Question: b? Answer: yes. Question: c? Answer:"
    assert "left out" in done.turns[-1].notice


def test_a_longer_answer_takes_its_room_from_the_prompt(empty: Conversation) -> None:
    info = ModelInfo("scripted/opt", "T", "opt", "scripted", prompt_budget=20, answer_budget=30)
    backend = ScriptedBackend(default="yes", models=[info])
    for longest, dropped in ((30, 0), (39, 0), (40, 1)):
        start = replace(empty, decoding=Decoding(max_new_tokens=longest))
        assert asked(backend, start, "a?", "b?", "c?").turns[-1].dropped == dropped
    with pytest.raises(BadSetting, match=r"“At most new tokens” \(max_new_tokens\) is 41; T has room for 40"):
        asked(backend, replace(empty, decoding=Decoding(max_new_tokens=41)), "a?")


def test_raw_mode_sends_and_keeps_out_of_chat_prompts(empty: Conversation) -> None:
    backend = ScriptedBackend({" this is a cartoon of": "two monsters"}, default="yes")
    raw = asked(backend, replace(empty, mode="raw"), " this is a cartoon of")
    assert (raw.turns[0].answer, raw.turns[0].question) == ("two monsters", " this is a cartoon of")
    after = asked(backend, replace(raw, mode="chat"), "why?")
    assert after.turns[-1].prompt == "Question: why? Answer:"


def test_retry_replaces_the_last_turn(backend: ScriptedBackend, empty: Conversation) -> None:
    done = asked(backend, empty, "which city is this?", "why?")
    *_, again = chat.retry(backend, done)
    assert answers(again) == answers(done)
    assert again.turns[-1].prompt == WHY


def test_retry_draws_anew_only_where_something_is_drawn(backend: ScriptedBackend, empty: Conversation) -> None:
    beams = asked(backend, replace(empty, seed=3), "which city is this?")
    *_, again = chat.retry(backend, beams)
    assert again.turns[-1].seed == 3
    drawn = asked(backend, replace(empty, seed=3, decoding=Decoding("nucleus")), "which city is this?")
    *_, once = chat.retry(backend, drawn)
    *_, twice = chat.retry(backend, once)
    assert [state.turns[-1].seed for state in (drawn, once, twice)] == [3, 4, 5]
    assert twice.seed == 3


def test_retry_without_a_turn_is_refused(backend: ScriptedBackend, empty: Conversation) -> None:
    with pytest.raises(BadInput, match="ask a question"):
        chat.retry(backend, empty)


def test_edit_drops_later_turns_and_asks_anew(backend: ScriptedBackend, empty: Conversation) -> None:
    done = asked(backend, empty, "what?", "why?", "who?")
    *_, edited = chat.edit(backend, done, 0, "which city is this?")
    assert [turn.prompt for turn in edited.turns] == [CITY]
    *_, second = chat.edit(backend, asked(backend, edited, "who?"), 1, "why?")
    assert answers(second) == ["singapore", "it has a statue of a merlion"]
    assert len(done.turns) == 3


@pytest.mark.parametrize("index", [-1, 1])
def test_editing_a_turn_that_is_not_there_is_refused(backend: ScriptedBackend, empty: Conversation, index: int) -> None:
    done = asked(backend, empty, "why?")
    with pytest.raises(BadInput, match="no turn"):
        chat.edit(backend, done, index, "who?")


def test_undo_and_clear(backend: ScriptedBackend, empty: Conversation) -> None:
    done = asked(backend, empty, "which city is this?", "why?")
    assert answers(chat.undo(done)) == ["singapore"]
    assert chat.undo(empty) == empty
    assert chat.clear(done) == empty


def test_a_new_picture_starts_a_new_conversation_and_the_same_one_does_not(
    backend: ScriptedBackend, empty: Conversation
) -> None:
    done = asked(backend, replace(empty, seed=4), "which city is this?")
    assert chat.with_picture(done, picture("a")).turns == done.turns
    other = chat.with_picture(done, picture("b"))
    assert (other.turns, other.picture, other.seed) == ((), picture("b"), 4)
    assert chat.with_picture(done, None).turns == ()
