"""The page as visitors use it: a real browser, the real server, a scripted backend."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from PIL import Image
from playwright.sync_api import expect
from visitor import LIMIT, Visitor

from blip2.backends.scripted import ScriptedBackend
from blip2.errors import Busy
from blip2.settings import Settings
from blip2.ui.chat_actions import NEW_PICTURE
from blip2.ui.examples import examples
from blip2.ui.shell import page, serve
from blip2.ui.studio import Studio
from blip2.values import Chunk, ModelInfo, Request

pytestmark = pytest.mark.browser
MODELS = (
    ModelInfo("pocket/opt", "Pocket OPT", "opt", "pocket_opt", "abc123", pocket=True),
    ModelInfo("pocket/t5", "Pocket FlanT5", "t5", "pocket_t5", "def456", pocket=True),
)
HOSTILE = "<img src=http://elsewhere.example/x.png> a < b & <b>c</b>"


def answer(prompt: str) -> str:
    question = prompt.rsplit("Question: ", 1)[-1].lower()
    if "busy" in question:
        raise Busy("64 requests are waiting; try again in a moment.")
    if "slowly" in question:
        return "one two three four five six seven"
    if "hostile" in question:
        return HOSTILE
    return "meat" if "eat" in question else "a dog"


class PatientBackend(ScriptedBackend):
    """Pauses an answer to a question with "slowly" in it after three words, until the request is cancelled."""

    def __init__(self) -> None:
        super().__init__(answer, models=MODELS)
        self.gates: dict[str, threading.Event] = {}

    def generate(self, request: Request) -> Iterator[Chunk]:
        gate = self.gates.setdefault(request.id, threading.Event())
        for count, chunk in enumerate(super().generate(request), 1):
            yield chunk
            if count == 3 and "slowly" in request.prompt.rsplit("Question: ", 1)[-1]:
                gate.wait(LIMIT / 1000)

    def cancel(self, request_id: str) -> None:
        super().cancel(request_id)
        self.gates.setdefault(request_id, threading.Event()).set()


def is_plain(picture: Any) -> bool:
    """A stand-in for the measure of foreign pictures: those of a single colour."""
    return picture.image.getcolors(1) is not None


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    backend = PatientBackend()
    settings = Settings(port=0)
    blocks = page(Studio(settings, backend, is_plain))
    yield serve(blocks, settings)
    blocks.close(verbose=False)
    backend.close()


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    """Two colours: a picture that is no foreign one."""
    image = Image.new("RGB", (64, 48), "teal")
    image.paste("orange", (0, 0, 32, 48))
    image.save(tmp_path / "two.png")
    return tmp_path / "two.png"


def test_the_page_opens_with_its_examples_and_asks_nothing_of_other_hosts(visit: Callable[..., Visitor], address: str):
    visitor = visit()
    expect(visitor.at("#chat-examples .thumbnail-item")).to_have_count(12)
    assert "never seen a photograph" in visitor.at("#chat-bot .empty").inner_text()
    assert "python app.py --models" in visitor.at("#chat-bot .empty").inner_text()
    assert visitor.at("#chat-examples .thumbnail-item").first.get_attribute("aria-label") == examples()[0].title
    hosts = {urlsplit(url).netloc for url in visitor.requests if urlsplit(url).scheme in ("http", "https")}
    assert hosts == {urlsplit(address).netloc}
    assert visitor.errors == []


def test_upload_ask_and_read_how_the_answer_came_about(visit: Callable[..., Visitor], photo: Path):
    visitor = visit()
    visitor.picture(photo)
    assert visitor.ask("Which animal is it?") == "a dog"
    assert visitor.box.input_value() == ""
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


def test_hostile_text_is_only_text_and_is_copied_as_text(visit: Callable[..., Visitor], photo: Path):
    visitor = visit()
    visitor.picture(photo)
    assert visitor.ask("Be hostile </s> <b>now</b>") == HOSTILE
    assert visitor.questions.first.inner_text().strip() == "Be hostile </s> <b>now</b>"
    visitor.at("#chat-bot").get_by_role("button", name="Copy message").last.click()
    visitor.page.wait_for_function("text => navigator.clipboard.readText().then((read) => read === text)", arg=HOSTILE)
    assert not [url for url in visitor.requests if "elsewhere.example" in url]
    visitor.at("#chat-bot").get_by_role("button", name="Edit").first.click()
    expect(visitor.at("#chat-bot textarea")).to_have_value("Be hostile </s> <b>now</b>")


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
