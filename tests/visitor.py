"""A visitor of the page in a real browser: what people do and what they read, by Playwright.

Every wait is for a state of the page. The limit only bounds how long a broken page is waited for.
"""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, Playwright, expect, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
FLAGS = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"]
LIMIT = 90_000  # milliseconds
PAUSE = 50  # milliseconds between two looks at a state that only an async function can tell
AT_ONCE = """field => [['keydown', 'Enter'], ['keypress', 'Enter'], ['keydown', 'Escape']].forEach(([kind, key]) =>
    field.dispatchEvent(new KeyboardEvent(kind, {key, code: key, bubbles: true, cancelable: true}))
)"""  # Enter and then Esc, faster than the page can answer
MISSING = "NO CHROMIUM WAS FOUND, SO THE BROWSER TESTS WERE SKIPPED. Install one: apt-get install chromium"


def find_chromium(playwright: Playwright) -> str | None:
    """The system's Chromium, or the one that Playwright installed, or None."""
    found = next((path for name in NAMES if (path := shutil.which(name))), None)
    own = playwright.chromium.executable_path
    return found or (own if Path(own).is_file() else None)


@contextmanager
def open_browser() -> Iterator[Browser]:
    """A headless Chromium; without one the test is skipped, and the end of the run says so in capitals."""
    with sync_playwright() as playwright:
        path = find_chromium(playwright)
        if path is None:
            pytest.skip(MISSING)
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


def until(page: Page, script: str, argument: Any = None) -> None:
    """Wait until an async function of the page gives true: Playwright's own wait takes any promise for a yes."""
    for _ in range(LIMIT // PAUSE):
        if page.evaluate(script, argument):
            return
        page.wait_for_timeout(PAUSE)
    raise AssertionError(f"This never came true: {script}")


class Visitor:
    """One visitor with a page of their own. `requests` are the addresses asked for, `errors` what the console said."""

    def __init__(self, browser: Browser, address: str, **context: Any) -> None:
        context = {"viewport": {"width": 1280, "height": 900}, **context}
        self.context = browser.new_context(permissions=["clipboard-read", "clipboard-write"], **context)
        self.context.set_default_timeout(LIMIT)
        self.address = address
        self.come()

    def come(self) -> None:
        """Open the page in a new tab, as one who was never there: what the browser keeps belongs to the tab."""
        for page in self.context.pages:
            page.close()
        self.page: Page = self.context.new_page()
        self.requests: list[str] = []
        self.errors: list[str] = []
        requests, errors = self.requests, self.errors
        self.page.on("request", lambda request: requests.append(request.url))
        self.page.on("pageerror", lambda error: errors.append(str(error)))
        self.page.on("console", lambda said: errors.append(said.text) if said.type == "error" else None)
        self.page.goto(self.address)
        self.box.wait_for()
        self.page.locator("#chat-bot .empty").wait_for()

    def at(self, selector: str) -> Locator:
        return self.page.locator(selector)

    @property
    def box(self) -> Locator:
        return self.at("#chat-box textarea")

    @property
    def answers(self) -> Locator:
        return self.at("#chat-bot [data-testid=bot] .answer")

    @property
    def questions(self) -> Locator:
        return self.at("#chat-bot [data-testid=user]")

    @property
    def facts(self) -> Locator:
        """The facts of finished answers."""
        return self.at("#chat-bot details.facts")

    @property
    def chips(self) -> Locator:
        return self.at("#chat-chips button:visible")

    @property
    def notice(self) -> Locator:
        return self.at("#chat-notice p")

    @property
    def stop(self) -> Locator:
        return self.at("#chat-box button[aria-label=Stop]")

    @property
    def send(self) -> Locator:
        return self.at("#chat-box button[aria-label=Send]")

    def upload(self, file: Path | str | dict[str, Any]) -> None:
        """Put a file into the picture frame, in place of one that is there. Waits until it was handed over."""
        remove = self.at("#chat-image button[aria-label='Remove Image'], #chat-image button[aria-label='Clear']")
        if remove.count():
            remove.first.click()
        with self.page.expect_response(lambda response: "/upload" in response.url):
            self.at("#chat-image input[type=file]").first.set_input_files(file)  # type: ignore[arg-type]

    def picture(self, file: Path | str | dict[str, Any]) -> None:
        """Upload a picture and wait until the page knows it: questions about it are offered."""
        self.upload(file)
        self.chips.first.wait_for()

    def example(self, index: int, question: str) -> None:
        """Choose an example and wait until its own first question is offered."""
        self.at("#chat-examples .thumbnail-item").nth(index).click()
        expect(self.chips.filter(has_text=question).first).to_be_visible(timeout=LIMIT)

    def ask(self, text: str) -> str:
        """Type, press Enter, wait until the answer is finished; returns it."""
        before = self.facts.count()
        self.box.fill(text)
        self.box.press("Enter")
        expect(self.facts).to_have_count(before + 1, timeout=LIMIT)
        self.settled()
        return self.answers.last.inner_text()

    def settled(self) -> None:
        """Wait until the answer is finished and the page takes the next question."""
        expect(self.send).to_be_visible(timeout=LIMIT)
        expect(self.at("#chat-bot button[aria-label=Retry]").last).to_be_enabled(timeout=LIMIT)

    def begin(self, text: str, shown: str) -> None:
        """Type, press Enter, wait until part of the answer is on the page."""
        self.box.fill(text)
        self.box.press("Enter")
        expect(self.answers.last).to_contain_text(shown, timeout=LIMIT)

    def says(self, sentence: str) -> None:
        """Wait for a notice."""
        expect(self.notice).to_contain_text(sentence, timeout=LIMIT)

    def turns(self, count: int) -> None:
        """Wait until the conversation has so many questions."""
        expect(self.questions).to_have_count(count, timeout=LIMIT)

    def read_facts(self, index: int = -1) -> str:
        """Unfold the facts of an answer and read them."""
        facts = self.facts.nth(index)
        facts.locator("summary").click()
        return facts.locator("dl").inner_text()

    def width(self) -> int:
        """How far the page reaches to the right, in pixels."""
        return int(self.page.evaluate("document.documentElement.scrollWidth"))

    def leave(self) -> None:
        self.context.close()
