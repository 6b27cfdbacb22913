"""Where the model looked: a map over the picture, hidden again, and a sentence where there is none."""

from contextlib import nullcontext
from types import SimpleNamespace
from typing import Any

from chatting import RED

from blip2.backends.scripted import ScriptedBackend
from blip2.errors import BadImage, Busy
from blip2.ui.chat_look import HIDE, SHOW, ChatLook, heat

VISITOR: Any = SimpleNamespace(session_hash="anna")


def make(admitted: Any = lambda visitor: nullcontext()) -> ChatLook:
    return ChatLook(ScriptedBackend(), admitted)


def test_the_map_is_drawn_over_the_picture_and_called_attention() -> None:
    button, shown = make().on_look(VISITOR, RED, "scripted/opt", SHOW)
    assert (button["value"], shown["visible"]) == (HIDE, True)
    assert shown["value"].count("<img") == 2
    assert "no explanation" in shown["value"]
    assert shown["value"] == heat(ScriptedBackend(), "scripted/opt", RED)


def test_pressed_again_it_goes_and_with_another_picture_too() -> None:
    for button, shown in (make().on_look(VISITOR, RED, "scripted/opt", HIDE), make().on_frame(RED)):
        assert (button["value"], button["visible"], shown["visible"]) == (SHOW, True, False)
    for seen in (None, BadImage("damaged")):
        assert make().on_frame(seen)[0]["visible"] is False


def test_what_fails_is_a_sentence() -> None:
    assert "no/model" in make().on_look(VISITOR, RED, "no/model", SHOW)[1]["value"]

    def full(visitor: str) -> Any:
        raise Busy("4 of your requests are under way already.")

    button, shown = make(full).on_look(VISITOR, RED, "scripted/opt", SHOW)
    assert button["value"] == SHOW
    assert "4 of your requests" in shown["value"]
