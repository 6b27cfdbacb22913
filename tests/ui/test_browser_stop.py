"""Stopping an answer as visitors do: a real browser, the real server, a scripted backend."""

import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from patient import PatientBackend
from playwright.sync_api import expect
from visitor import AT_ONCE, LIMIT, Visitor

from blip2.ui.chat_actions import ChatActions

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("how", ["button", "escape"])
def test_stop_keeps_what_is_written(visit: Callable[..., Visitor], photo: Path, how: str):
    visitor = visit()
    visitor.picture(photo)
    visitor.begin("Count slowly", "one two three")
    expect(visitor.stop).to_be_visible()
    expect(visitor.send).to_have_count(0)
    if how == "button":
        visitor.stop.click()
    else:
        visitor.page.keyboard.press("Escape")
    expect(visitor.facts.locator("summary")).to_contain_text("stopped", timeout=LIMIT)
    assert visitor.answers.last.inner_text() == "one two three"
    visitor.settled()
    assert visitor.ask("What does it eat?") == "meat"


def test_escape_right_after_enter_stops_the_answer_too(visit: Callable[..., Visitor], photo: Path):
    visitor = visit()
    visitor.picture(photo)
    visitor.box.fill("Count slowly")
    visitor.box.evaluate(AT_ONCE)
    expect(visitor.facts.locator("summary")).to_contain_text("stopped", timeout=LIMIT)
    visitor.settled()
    assert visitor.ask("What does it eat?") == "meat"


def test_a_stream_that_ends_late_takes_nothing_from_the_box_nor_the_next_question(
    visit: Callable[..., Visitor], photo: Path, monkeypatch: pytest.MonkeyPatch
):
    visitor, ends = visit(), threading.Event()
    release = ChatActions._release

    def held(actions: ChatActions, request: str) -> None:
        ends.wait(LIMIT / 1000)
        release(actions, request)

    visitor.picture(photo)
    monkeypatch.setattr(ChatActions, "_release", held)
    visitor.begin("Count slowly", "one two three")
    visitor.box.fill("What does")  # typed while the answer is written
    visitor.page.keyboard.press("Escape")
    expect(visitor.facts).to_have_count(1, timeout=LIMIT)
    expect(visitor.box).to_have_value("What does")
    visitor.box.fill("What does it eat?")
    visitor.box.press("Enter")  # the stopped answer's stream is still open
    expect(visitor.box).to_have_value("")
    visitor.box.fill("And what")
    ends.set()
    expect(visitor.facts).to_have_count(2, timeout=LIMIT)
    visitor.settled()
    expect(visitor.box).to_have_value("And what")
    expect(visitor.answers).to_have_text(["one two three", "meat"])
    assert visitor.ask("Which animal is it?") == "a dog"


def test_closing_the_page_frees_the_model(visit: Callable[..., Visitor], photo: Path, backend: PatientBackend):
    visitor = visit(viewport={"width": 1000, "height": 800})
    visitor.picture(photo)
    backend.left.clear()
    visitor.begin("Count slowly", "one two three")
    visitor.page.close()
    assert backend.left.wait(LIMIT / 1000)
    assert backend.stats().running["pocket/opt"] == 0
