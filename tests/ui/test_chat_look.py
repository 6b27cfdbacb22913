"""Where the model looked: a map over the picture, hidden again, and a sentence where there is none."""

from contextlib import nullcontext
from types import SimpleNamespace
from typing import Any

import pytest
from chatting import BLUE, RED

from blip2.backends.scripted import ScriptedBackend
from blip2.errors import BadImage, Busy
from blip2.ui.chat_look import HIDE, SHOW, ChatLook, Looked, heat

VISITOR: Any = SimpleNamespace(session_hash="anna")
OPT = "scripted/opt"
SEEN = Looked(RED.digest, OPT)


def make(admitted: Any = lambda visitor: nullcontext()) -> ChatLook:
    return ChatLook(ScriptedBackend(), admitted)


def test_the_map_is_drawn_over_the_picture_and_called_attention() -> None:
    button, shown, looked, _ = make().on_press(VISITOR, RED, OPT, None)
    assert (button["value"], shown["visible"], looked) == (HIDE, True, SEEN)
    assert shown["value"].count("<img") == 2
    assert "no explanation" in shown["value"]
    assert shown["value"] == heat(ScriptedBackend(), OPT, RED)


def test_pressed_again_it_goes_and_with_another_picture_too() -> None:
    for button, shown, looked, *_ in (make().on_press(VISITOR, RED, OPT, SEEN), make().on_frame(RED)):
        assert (button["value"], button["visible"], shown["visible"], looked) == (SHOW, True, False, None)
    for seen in (None, BadImage("damaged")):
        assert make().on_frame(seen)[0]["visible"] is False


@pytest.mark.parametrize(("seen", "model"), [(BLUE, OPT), (RED, "scripted/t5"), (None, OPT)])
def test_a_map_drawn_while_picture_or_model_changed_is_taken_away(seen: Any, model: str) -> None:
    assert make().on_shown(seen, model, SEEN)[1]["visible"] is False
    assert "visible" not in make().on_shown(RED, OPT, SEEN)[1]


def test_what_fails_is_a_sentence_in_the_chats_line() -> None:
    assert "no/model" in make().on_press(VISITOR, RED, "no/model", None)[3]["value"]

    def full(visitor: str) -> Any:
        raise Busy("4 of your requests are under way already.")

    button, shown, looked, said = make(full).on_press(VISITOR, RED, OPT, None)
    assert (button["value"], shown["visible"], looked) == (SHOW, False, None)
    assert "4 of your requests" in said["value"]


def test_a_program_gets_the_map_itself_or_a_sentence() -> None:
    told = make().on_call(VISITOR, RED, OPT)
    grid = ScriptedBackend().attend(OPT, RED).maps[0]
    assert told["map"] == [[pytest.approx(float(value), abs=1e-6) for value in row] for row in grid]
    assert 0 < told["share"] <= 1
    assert "add one" in make().on_call(VISITOR, None, OPT)["error"]
    assert make().on_call(VISITOR, BadImage("It is damaged."), OPT) == {"error": "It is damaged."}
    assert "no/model" in make().on_call(VISITOR, RED, "no/model")["error"]
