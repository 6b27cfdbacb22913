"""The scripted backend replays what it is given, fails when told to, and is the same every time."""

import numpy as np
import pytest
from PIL import Image

from blip2.backends.base import answer
from blip2.backends.scripted import ScriptedBackend
from blip2.errors import Busy, Closed
from blip2.values import Decoding, Finish, ModelInfo, Picture, Request

PICTURE = Picture(Image.new("RGB", (8, 8)), digest="d" * 64)


def ask(backend: ScriptedBackend, prompt: str, decoding: Decoding | None = None) -> Request:
    return Request(backend.models()[0].name, PICTURE, prompt, decoding or Decoding())


def test_a_mapping_answers_exact_prompts_and_the_default_the_rest() -> None:
    backend = ScriptedBackend({"p": "a merlion"}, default="i don't know")
    assert answer(backend, ask(backend, "p")).text == "a merlion"
    assert answer(backend, ask(backend, "q")).text == "i don't know"


def test_a_function_sees_the_prompt() -> None:
    backend = ScriptedBackend(lambda prompt: prompt.upper())
    assert answer(backend, ask(backend, "why?")).text == "WHY?"


def test_it_streams_word_by_word_and_keeps_inner_spaces() -> None:
    backend = ScriptedBackend(default=" two  dogs ")
    assert [chunk.text for chunk in backend.generate(ask(backend, "p"))] == ["two", "two  dogs", "two  dogs"]


def test_an_empty_answer_is_one_final_chunk() -> None:
    backend = ScriptedBackend()
    (only,) = backend.generate(ask(backend, "p"))
    assert (only.text, only.finish, only.usage.new_tokens) == ("", Finish.END, 0)


def test_a_stop_string_across_words_is_held_back() -> None:
    backend = ScriptedBackend(default="singapore Question: why?")
    texts = [c.text for c in backend.generate(ask(backend, "p", Decoding(stop=("e Question:",))))]
    assert texts == ["singapor", "singapor"]


def test_failures_are_raised_and_leave_nothing_running() -> None:
    backend = ScriptedBackend({"p": Busy("12 requests are waiting; try again in a minute.")})
    with pytest.raises(Busy, match="12 requests"):
        answer(backend, ask(backend, "p"))
    assert sum(backend.stats().running.values()) == 0


def test_a_full_queue_refuses_and_who_is_stopped_while_waiting_is_asked_nothing() -> None:
    asked: list[str] = []
    backend = ScriptedBackend(lambda prompt: asked.append(prompt) or "a b c", slots=1, max_waiting=1)  # type: ignore[func-returns-value]
    answering = backend.generate(ask(backend, "first"))
    next(answering)
    second = ask(backend, "second")
    waiting = backend.generate(second)
    assert next(waiting).waiting == 1
    with pytest.raises(Busy, match="1 requests are waiting already"):
        answer(backend, ask(backend, "third"))
    backend.cancel(second.id)
    assert [(chunk.text, chunk.finish) for chunk in waiting] == [("", Finish.CANCELLED)]
    assert asked == ["first"]
    assert [chunk.text for chunk in answering][-1] == "a b c"
    assert answer(backend, ask(backend, "third")).text == "a b c"


def test_closed_it_refuses_and_interrupts() -> None:
    backend = ScriptedBackend(default="a b c")
    stream = backend.generate(ask(backend, "p"))
    next(stream)
    backend.close()
    with pytest.raises(Closed):
        list(stream)
    with pytest.raises(Closed):
        answer(backend, ask(backend, "p"))


def test_numbers_depend_on_picture_and_text_alone() -> None:
    one = ScriptedBackend().match("scripted/itm", [PICTURE], ["a", "b"])
    two = ScriptedBackend().match("scripted/itm", [PICTURE], ["b", "a"])
    np.testing.assert_array_equal(one.itm[:, ::-1], two.itm)
    assert one.itm[0, 0] != one.itm[0, 1]


def test_it_serves_the_models_it_is_given() -> None:
    backend = ScriptedBackend(default="x", models=[ModelInfo("mine", "Mine", "t5", "somewhere", prompt_budget=3)])
    assert [info.name for info in backend.models()] == ["mine"]
    assert answer(backend, ask(backend, "a b c")).text == "x"
