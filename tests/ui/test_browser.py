"""Conversations as visitors have them: a real browser, the real server, a scripted backend."""

from collections.abc import Callable
from pathlib import Path

import pytest
from patient import HOSTILE, PatientBackend
from playwright.sync_api import expect
from visitor import LIMIT, Visitor, until

from blip2.ui.examples import examples

pytestmark = pytest.mark.browser


def test_upload_ask_and_read_how_the_answer_came_about(visit: Callable[..., Visitor], photo: Path):
    visitor = visit()
    visitor.picture(photo)
    assert visitor.ask("Which animal is it?") == "a dog"
    assert visitor.box.input_value() == ""
    visitor.at("#chat-bot .fit").wait_for()  # it comes a moment after the answer
    word = visitor.at("#chat-bot .word")
    word.first.focus()
    visitor.page.keyboard.press("ArrowRight")
    expect(word.nth(1)).to_be_focused()
    assert word.nth(1).get_attribute("title") == "dog: 50%"
    expect(visitor.chips.first).to_have_text("What does it eat?")
    assert visitor.ask("What does it eat?") == "meat"
    facts = visitor.read_facts()
    assert "Question: Which animal is it? Answer: a dog. Question: What does it eat? Answer:" in facts
    for name in ("Tokens read", "Tokens written", "First token", "Whole answer", "Ended because", "Confidence"):
        assert name in facts
    assert "pocket/opt · abc123 · float32" in facts
    assert visitor.at("#chat-bot [data-testid=bot]").last.get_attribute("aria-label") == "Answer: meat"
    assert visitor.errors == []


def test_shift_enter_breaks_the_line_and_enter_sends(visit: Callable[..., Visitor], photo: Path):
    visitor = visit()
    visitor.picture(photo)
    visitor.box.fill("Which animal")
    visitor.box.press("Shift+Enter")
    visitor.box.press_sequentially("is it?")
    assert visitor.box.input_value() == "Which animal\nis it?"
    visitor.turns(0)
    visitor.box.press("Enter")
    visitor.turns(1)
    expect(visitor.facts).to_have_count(1, timeout=LIMIT)


def test_retry_edit_undo_and_clear(visit: Callable[..., Visitor], photo: Path):
    visitor = visit()
    visitor.picture(photo)
    visitor.ask("Which animal is it?")
    visitor.ask("What does it eat?")
    visitor.at("#chat-model input").click()
    visitor.page.get_by_role("option", name="Pocket FlanT5").click()
    visitor.at("#chat-bot").get_by_role("button", name="Retry").click()
    expect(visitor.facts.last.locator("dl")).to_contain_text("pocket/t5", timeout=LIMIT)
    visitor.turns(2)
    visitor.settled()

    visitor.at("#chat-bot").get_by_role("button", name="Edit").first.click()
    visitor.at("#chat-bot textarea").fill("Does it eat?")
    visitor.at("#chat-bot").get_by_role("button", name="Submit").click()
    visitor.turns(1)
    expect(visitor.answers).to_have_text(["meat"], timeout=LIMIT)
    expect(visitor.questions).to_have_text(["Does it eat?"])
    visitor.settled()

    visitor.at("#chat-bot").get_by_role("button", name="Undo").click()
    visitor.turns(0)
    expect(visitor.box).to_have_value("Does it eat?", timeout=LIMIT)
    visitor.ask("Which animal is it?")
    visitor.at("#chat-clear").click()
    visitor.turns(0)
    assert visitor.ask("What does it eat?") == "meat"
    assert "Which animal" not in visitor.read_facts(), "a cleared turn is in no prompt"


def test_an_empty_question_and_none_at_all_are_sentences(visit: Callable[..., Visitor], photo: Path):
    visitor = visit()
    visitor.box.fill("What is it?")
    visitor.box.press("Enter")
    visitor.says("no picture")
    expect(visitor.box).to_have_value("What is it?")
    visitor.picture(photo)
    visitor.box.fill("   ")
    visitor.box.press("Enter")
    visitor.says("The question is empty")
    visitor.turns(0)
    assert visitor.ask("What is it?") == "a dog"


def test_a_failed_answer_is_a_sentence_and_nothing_is_lost(visit: Callable[..., Visitor], photo: Path):
    visitor = visit()
    visitor.picture(photo)
    visitor.ask("Which animal is it?")
    visitor.box.fill("Are you busy?")
    visitor.box.press("Enter")
    visitor.says("64 requests are waiting; try again in a moment.")
    expect(visitor.box).to_have_value("Are you busy?")
    visitor.turns(1)
    expect(visitor.send).to_be_visible()
    assert visitor.ask("What does it eat?") == "meat"
    expect(visitor.notice).to_have_count(0)


def test_two_visitors_at_once_never_see_each_other(visit: Callable[..., Visitor], photo: Path):
    ann, ben = visit(), visit()
    ann.picture(photo)
    ben.example(0, examples()[0].questions[0])
    ann.begin("Count slowly, Ann", "one two three")
    assert ben.ask("Which animal is it?") == "a dog"
    ben.turns(1)
    ann.turns(1)
    assert "Ann" not in ben.at("#chat-bot").inner_text()
    ann.stop.click()
    expect(ann.facts).to_have_count(1, timeout=LIMIT)
    ann.settled()
    assert ann.ask("What does it eat?") == "meat"
    assert "Count slowly, Ann" in ann.read_facts()
    assert ben.ask("What does it eat?") == "meat"
    assert "Ann" not in ben.read_facts()
    ben.at("#chat-clear").click()
    ben.turns(0)
    ann.turns(2)
    assert ann.ask("And then?") == "a dog"
    assert "Count slowly, Ann" in ann.read_facts()


@pytest.mark.parametrize("how", ["clear", "picture"])
def test_clearing_and_another_picture_end_an_answer_that_is_being_written(
    visit: Callable[..., Visitor], photo: Path, backend: PatientBackend, how: str
):
    visitor = visit()
    visitor.picture(photo)
    assert visitor.ask("Which animal is it?") == "a dog"
    backend.left.clear()
    visitor.begin("Count slowly", "one two three")
    if how == "clear":
        visitor.at("#chat-clear").click()
    else:
        visitor.example(0, examples()[0].questions[0])
        visitor.says("New picture, new conversation")
    visitor.turns(0)
    assert backend.left.wait(LIMIT / 1000), "the model is free again"
    expect(visitor.send).to_be_visible(timeout=LIMIT)
    assert visitor.ask("What does it eat?") == "meat"
    visitor.turns(1)


def test_a_conversation_saved_to_share_is_a_page_that_loads_nothing(
    visit: Callable[..., Visitor], photo: Path, tmp_path: Path
):
    visitor = visit()
    visitor.picture(photo)
    visitor.ask("Which animal is it?")
    visitor.ask("Be hostile")
    visitor.at("#chat-file > button").click()
    with visitor.page.expect_download() as saved:
        visitor.at("#chat-save-html").click()
    expect(visitor.at("#chat-save-html")).to_be_hidden()
    saved.value.save_as(tmp_path / "shared.html")
    shared, asked = visitor.context.new_page(), list[str]()
    shared.on("request", lambda request: asked.append(request.url))
    shared.goto((tmp_path / "shared.html").as_uri())
    for text in ("Which animal is it?", "a dog", HOSTILE, "pocket/opt"):
        expect(shared.locator("body")).to_contain_text(text)
    assert shared.locator("img").evaluate("image => [image.naturalWidth, image.naturalHeight]") == [64, 48]
    assert not [url for url in asked if not url.startswith(("file:", "data:"))]
    shared.close()


def test_hostile_text_is_only_text_and_is_copied_as_text(visit: Callable[..., Visitor], photo: Path):
    visitor = visit()
    visitor.picture(photo)
    assert visitor.ask("Be hostile </s> <b>now</b>") == HOSTILE
    assert visitor.questions.first.inner_text().strip() == "Be hostile </s> <b>now</b>"
    visitor.at("#chat-bot").get_by_role("button", name="Copy message").last.click()
    until(visitor.page, "text => navigator.clipboard.readText().then((read) => read === text)", HOSTILE)
    assert not [url for url in visitor.requests if "elsewhere.example" in url]
    visitor.at("#chat-bot").get_by_role("button", name="Edit").first.click()
    expect(visitor.at("#chat-bot textarea")).to_have_value("Be hostile </s> <b>now</b>")


def test_the_settings_fit_the_method_and_are_reset(visit: Callable[..., Visitor], photo: Path):
    visitor = visit()
    title = visitor.at("#chat-settings > button")
    title.click()
    visitor.page.get_by_label("Nucleus sampling").check()
    expect(visitor.page.get_by_label("Temperature").first).to_be_visible(timeout=LIMIT)
    expect(title).to_contain_text("nucleus sampling, temperature 1, top-p 0.9, up to 30 tokens, seed 0", timeout=LIMIT)
    visitor.page.get_by_label("Raw prompt").check()
    visitor.picture(photo)
    visitor.ask("a photo of")
    facts = visitor.read_facts()
    assert "Question:" not in facts
    assert "nucleus sampling" in facts
    visitor.at("#chat-reset").click()
    expect(title).to_have_text("Settings · beam search, 5 beams, up to 30 tokens ▼", timeout=LIMIT)
