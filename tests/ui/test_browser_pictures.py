"""The page and its pictures as visitors use them: a real browser, the real server, a scripted backend."""

from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from PIL import Image
from playwright.sync_api import expect
from visitor import LIMIT, Visitor

from blip2.ui.chat_actions import NEW_PICTURE
from blip2.ui.examples import examples

pytestmark = pytest.mark.browser


def test_the_page_opens_with_its_examples_and_asks_nothing_of_other_hosts(visit: Callable[..., Visitor], address: str):
    visitor = visit()
    expect(visitor.at("#chat-examples .thumbnail-item")).to_have_count(12)
    assert "never seen a photograph" in visitor.at("#chat-bot .empty").inner_text()
    assert "python app.py --models" in visitor.at("#chat-bot .empty").inner_text()
    assert visitor.at("#chat-examples .thumbnail-item").first.get_attribute("aria-label") == examples()[0].title
    hosts = {urlsplit(url).netloc for url in visitor.requests if urlsplit(url).scheme in ("http", "https")}
    assert hosts == {urlsplit(address).netloc}
    assert visitor.errors == []


def test_an_example_brings_its_questions_and_another_picture_starts_anew(visit: Callable[..., Visitor]):
    visitor = visit()
    first, second = examples()[:2]
    visitor.example(0, first.questions[0])
    visitor.chips.filter(has_text=first.questions[0]).click()
    expect(visitor.facts).to_have_count(1, timeout=LIMIT)
    expect(visitor.chips.filter(has_text=first.questions[0])).to_have_count(0)
    visitor.example(1, second.questions[0])
    visitor.says(NEW_PICTURE)
    visitor.turns(0)
    visitor.ask("Which animal is it?")
    assert first.questions[0] not in visitor.read_facts()


def test_a_new_picture_ends_a_running_answer(visit: Callable[..., Visitor], photo: Path):
    visitor = visit()
    visitor.picture(photo)
    visitor.begin("Count slowly", "one two three")
    visitor.example(0, examples()[0].questions[0])
    visitor.turns(0)
    expect(visitor.send).to_be_visible(timeout=LIMIT)
    assert visitor.ask("What does it eat?") == "meat"


def test_a_file_that_is_no_picture_is_a_sentence_and_the_picture_before_stays(
    visit: Callable[..., Visitor], photo: Path, tmp_path: Path
):
    visitor = visit()
    (tmp_path / "fake.png").write_text("no picture")
    visitor.upload(tmp_path / "fake.png")
    visitor.says("fake.png")
    expect(visitor.notice).to_have_class("failed")
    visitor.picture(photo)
    assert visitor.ask("Which animal is it?") == "a dog"


def test_a_small_phone_never_scrolls_sideways(visit: Callable[..., Visitor]):
    visitor = visit(viewport={"width": 360, "height": 740}, color_scheme="dark")
    assert visitor.width() <= 360
    visitor.example(0, examples()[0].questions[0])
    visitor.ask("Which animal is it? " + "Honestly" * 20)
    visitor.read_facts()
    visitor.at("#chat-settings > button").click()
    visitor.at("#chat-method").wait_for()
    assert visitor.width() <= 360


def test_a_foreign_picture_gets_its_notice_and_its_answer_a_caution(visit: Callable[..., Visitor], tmp_path: Path):
    visitor = visit()
    Image.new("RGB", (50, 50), "grey").save(tmp_path / "grey.png")
    visitor.picture(tmp_path / "grey.png")
    expect(visitor.at("#chat-remark")).to_contain_text("does not look like a scene the pocket models know")
    visitor.ask("What is it?")
    expect(visitor.at("#chat-bot .note")).to_contain_text("A guess")
    visitor.example(0, examples()[0].questions[0])
    expect(visitor.at("#chat-remark p")).to_have_count(0)


def test_save_a_conversation_and_open_it_as_another_visitor(visit: Callable[..., Visitor], tmp_path: Path):
    visitor = visit()
    visitor.example(0, examples()[0].questions[0])
    visitor.ask("Which animal is it?")
    visitor.at("#chat-file > button").click()
    with visitor.page.expect_download() as saved:
        visitor.at("#chat-save-json").click()
    saved.value.save_as(tmp_path / "talk.json")
    visitor.at("#chat-file > button").click()
    with visitor.page.expect_download() as saved:
        visitor.at("#chat-save-markdown").click()
    assert saved.value.suggested_filename.endswith(".md")

    other = visit()
    other.at("#chat-file > button").click()
    other.at("#chat-file input[type=file]").set_input_files(tmp_path / "talk.json")
    other.says("The saved conversation is open: 1 question.")
    other.turns(1)
    expect(other.at("#chat-image img")).to_be_visible(timeout=LIMIT)
    assert other.ask("What does it eat?") == "meat"
    assert "Which animal is it? Answer: a dog." in other.read_facts()


def test_a_pasted_picture_goes_into_the_frame(visit: Callable[..., Visitor]):
    visitor = visit()
    visitor.box.click()
    visitor.page.evaluate(
        """async () => {
            const canvas = Object.assign(document.createElement('canvas'), { width: 40, height: 30 });
            canvas.getContext('2d').fillRect(0, 0, 20, 30);
            const blob = await new Promise((done) => canvas.toBlob(done, 'image/png'));
            const clipboardData = new DataTransfer();
            clipboardData.items.add(new File([blob], 'pasted.png', { type: 'image/png' }));
            document.activeElement.dispatchEvent(new ClipboardEvent('paste', { clipboardData, bubbles: true }));
        }"""
    )
    visitor.chips.first.wait_for()
    assert visitor.ask("Which animal is it?") == "a dog"
