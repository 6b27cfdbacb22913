"""The compare tab as visitors use it: a real browser, the real server, two scripted models that can be held up."""

import csv
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from comparing import OPT, T5, TwoVoices, voices
from playwright.sync_api import Browser, Locator, Page, expect
from visitor import AT_ONCE, LIMIT

from blip2.errors import Busy
from blip2.settings import Settings
from blip2.ui.compare_view import HIDDEN
from blip2.ui.shell import TABS, page, serve
from blip2.ui.studio import Studio

pytestmark = pytest.mark.browser
HOSTILE = "<img src=http://elsewhere.example/x.png> ${1+1} {{value}} & <b>c</b>"


PASTE = """async () => {
    const canvas = document.createElement('canvas');
    const blob = await new Promise((done) => canvas.toBlob(done));
    const clipboardData = new DataTransfer();
    clipboardData.items.add(new File([blob], 'pasted.png', { type: 'image/png' }));
    document.body.dispatchEvent(new ClipboardEvent('paste', { clipboardData, bubbles: true }));
}"""


def answers(model: str, question: str) -> str:
    if "busy" in question and model == "t5":
        raise Busy("64 requests are waiting; try again in a moment.")
    return HOSTILE if "hostile" in question else voices(model, question)


@pytest.fixture
def backend() -> TwoVoices:
    return TwoVoices(answers, (OPT, T5))


@pytest.fixture
def address(backend: TwoVoices, tmp_path: Path) -> Iterator[str]:
    settings = Settings(port=0, data=str(tmp_path / "data"))
    blocks = page(Studio(settings, backend, lambda picture: False), [tab for tab in TABS if tab.title == "Compare"])
    yield serve(blocks, settings)
    blocks.close(verbose=False)


class Comparer:
    """A visitor of the tab with a page of their own."""

    def __init__(self, browser: Browser, address: str, width: int) -> None:
        self.context = browser.new_context(viewport={"width": width, "height": 850})
        self.context.set_default_timeout(LIMIT)
        self.page: Page = self.context.new_page()
        self.requests: list[str] = []
        self.errors: list[str] = []
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("console", lambda said: self.errors.append(said.text) if said.type == "error" else None)
        self.page.goto(address)
        self.at("#compare-rounds .empty").wait_for()

    def at(self, selector: str) -> Locator:
        return self.page.locator(selector)

    def example(self) -> None:
        """Choose the first example, and wait until questions about it are offered."""
        self.at("#compare-examples .thumbnail-item").first.click()
        self.at("#compare-chips button:visible").first.wait_for()

    def send(self, text: str) -> None:
        self.at("#compare-box textarea").fill(text)
        self.at("#compare-box textarea").press("Enter")

    def ask(self, text: str) -> None:
        """Ask, and wait until both columns have ended."""
        count = self.at(".round").count()
        self.send(text)
        expect(self.at(".round")).to_have_count(count + 1, timeout=LIMIT)
        self.settled()

    def settled(self) -> None:
        expect(self.at("#compare-box button[aria-label=Send]")).to_be_visible(timeout=LIMIT)
        expect(self.at("#compare-again")).to_be_enabled(timeout=LIMIT)

    def sides(self, round_: int = -1) -> Locator:
        return self.at(".round").nth(round_).locator(".side")

    def vote(self, verdict: str) -> None:
        button = self.at(f"#compare-vote-{verdict}")
        expect(button).to_be_enabled(timeout=LIMIT)
        button.click()
        expect(button).to_have_attribute("aria-pressed", "true", timeout=LIMIT)

    def width(self) -> int:
        return int(self.page.evaluate("document.documentElement.scrollWidth"))


@pytest.mark.parametrize("width", [1280, 390])
def test_two_models_stream_and_are_voted_on(browser: Browser, address: str, backend: TwoVoices, width: int):
    visitor = Comparer(browser, address, width)
    visitor.example()
    gates = [backend.gate("opt"), backend.gate("t5")]
    visitor.send("What is it?")
    expect(visitor.sides().nth(0).locator(".answer")).to_have_text("a red", timeout=LIMIT)
    expect(visitor.sides().nth(1).locator(".answer")).to_have_text("a box", timeout=LIMIT)
    expect(visitor.at("#compare-vote-left")).to_be_disabled()
    for gate in gates:
        gate.set()
    visitor.settled()
    expect(visitor.sides().locator("header b")).to_have_text(["Big OPT", "Big T5"])
    expect(visitor.sides().locator(".facts summary")).to_contain_text(["50% confident", "50% confident"])
    expect(visitor.sides().locator(".speed")).to_contain_text(["3 tokens", "2 tokens"])
    left, right = (visitor.sides().nth(at).bounding_box() for at in (0, 1))
    assert left
    assert right
    assert (left["y"] == right["y"]) == (width > 600), "side by side where there is room, else one above the other"

    visitor.vote("left")
    expect(visitor.sides().nth(0)).to_contain_text("your choice")
    visitor.at("#compare-blind input").check()
    visitor.ask("Why?")
    expect(visitor.sides().locator(".hidden-name")).to_have_text([HIDDEN, HIDDEN])
    expect(visitor.sides().locator(".facts")).to_have_count(0)
    visitor.vote("tie")
    expect(visitor.sides().locator("header b")).to_have_count(2, timeout=LIMIT)
    assert sorted(visitor.sides().locator("header b").all_inner_texts()) == ["Big OPT", "Big T5"]
    prompts = visitor.sides().locator(".prompt").all_text_contents()
    assert any("a red square. Question: Why?" in prompt for prompt in prompts), "each side has its own history"
    assert any("a box. Question: Why?" in prompt for prompt in prompts)

    visitor.at("#compare-results > button").click()
    expect(visitor.at(".contest .about")).to_have_text("2 votes by 1 visitor, 1 of them blind", timeout=LIMIT)
    expect(visitor.at(".contest .counts dd")).to_have_text(["1", "1", "0", "0"])
    with visitor.page.expect_download() as download:
        visitor.at("#compare-save-counts").click()
    (row,) = csv.DictReader(download.value.path().read_text("utf-8").splitlines())
    assert (row["first"], row["first_wins"], row["ties"]) == ("opt", "1", "1")
    assert visitor.width() <= width
    assert visitor.errors == []
    assert not [url for url in visitor.requests if not url.startswith((address, "data:", "blob:"))]


def test_stop_failure_and_starting_over(browser: Browser, address: str, backend: TwoVoices):
    visitor = Comparer(browser, address, 1280)
    visitor.send("What is it?")
    expect(visitor.at("#compare-notice p")).to_contain_text("no picture", timeout=LIMIT)
    expect(visitor.at("#compare-box textarea")).to_have_value("What is it?")
    visitor.page.evaluate(PASTE)
    visitor.at("#compare-chips button:visible").first.wait_for()
    visitor.ask("Are you busy?")
    expect(visitor.sides().nth(0).locator(".answer")).to_have_text("a red square")
    expect(visitor.sides().nth(1)).to_contain_text("64 requests are waiting; try again in a moment.")
    expect(visitor.at("#compare-vote-left")).to_be_disabled()
    visitor.sides(0).nth(0).locator("summary").click()

    backend.gate("opt")
    visitor.send("What is it?")
    expect(visitor.sides().nth(0).locator(".answer")).to_have_text("a red", timeout=LIMIT)
    expect(visitor.sides().nth(1).locator(".facts")).to_have_count(1, timeout=LIMIT)
    expect(visitor.sides(0).nth(0).locator("dl")).to_be_visible()  # what was unfolded stays so while answers grow
    visitor.page.keyboard.press("Escape")
    expect(visitor.sides().nth(0).locator(".facts summary")).to_contain_text("stopped", timeout=LIMIT)
    visitor.settled()
    expect(visitor.at("#compare-vote-left")).to_be_disabled()
    visitor.at("#compare-again").click()
    expect(visitor.sides().nth(0).locator(".answer")).to_have_text("a red square", timeout=LIMIT)
    visitor.settled()
    visitor.vote("right")
    visitor.at("#compare-vote-right").click()
    expect(visitor.at("#compare-vote-right")).to_have_attribute("aria-pressed", "false", timeout=LIMIT)

    visitor.ask("Be hostile <b>now</b>")
    expect(visitor.sides().nth(0).locator(".answer")).to_have_text(HOSTILE)
    assert visitor.at(".round h3").last.inner_text() == "Be hostile <b>now</b>"
    assert not [url for url in visitor.requests if "elsewhere.example" in url]
    visitor.at("#compare-undo").click()
    expect(visitor.at(".round")).to_have_count(2, timeout=LIMIT)
    expect(visitor.at("#compare-box textarea")).to_have_value("Be hostile <b>now</b>", timeout=LIMIT)
    visitor.at("#compare-clear").click()
    expect(visitor.at("#compare-rounds .empty")).to_be_visible(timeout=LIMIT)
    assert visitor.errors == []


def test_escape_right_after_enter_stops_both(browser: Browser, address: str, backend: TwoVoices):
    visitor = Comparer(browser, address, 1280)
    visitor.example()
    backend.gate("opt")
    backend.gate("t5")
    visitor.at("#compare-box textarea").fill("What is it?")
    visitor.at("#compare-box textarea").evaluate(AT_ONCE)
    visitor.settled()
    expect(visitor.sides().nth(0)).to_contain_text(re.compile("stopped", re.IGNORECASE), timeout=LIMIT)
    assert backend.running() == 0
    visitor.context.close()


def test_closing_the_page_frees_both_models(browser: Browser, address: str, backend: TwoVoices):
    visitor = Comparer(browser, address, 1000)
    visitor.example()
    backend.gate("opt")
    visitor.send("What is it?")
    expect(visitor.sides().nth(0).locator(".answer")).to_have_text("a red", timeout=LIMIT)
    visitor.page.close()
    assert backend.left.wait(LIMIT / 1000)
