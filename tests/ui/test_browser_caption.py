"""The caption tab as a visitor uses it: a real browser, the real server, a backend whose captions wait to be let go."""

import csv
import io
import threading
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Browser, Locator, Page, expect
from visitor import AT_ONCE, LIMIT, until

from blip2.backends.scripted import ScriptedBackend
from blip2.settings import Settings
from blip2.ui.shell import TABS, page, serve
from blip2.ui.studio import Studio
from blip2.values import Chunk, ModelInfo, Request

pytestmark = pytest.mark.browser
HOSTILE = "<img src=x onerror=alert(1)> {{value}} ${1+1} =1"
MODELS = (ModelInfo("m", "Writer", "opt", "m"), ModelInfo("itm", "Matching", "itm", "itm"))


class Gated(ScriptedBackend):
    """Holds requests until they are cancelled, but for the first pictures, as many as `let` lets through."""

    def __init__(self) -> None:
        super().__init__(default=HOSTILE, models=MODELS)
        self.open = 0  # pictures let through: those of the album's numbers below
        self.gone: dict[str, threading.Event] = {}
        self.over = threading.Event()

    def let(self, count: int) -> None:
        self.open += count

    def forget(self) -> None:
        """Send away whoever waits still for an earlier test, and close the gate."""
        for gone in list(self.gone.values()):
            gone.set()
        self.open = 0

    def generate(self, request: Request) -> Iterator[Chunk]:
        gone = self.gone.setdefault(request.id, threading.Event())
        number = request.picture.image.getpixel((0, 0))[0] // 60  # type: ignore[index]
        while number >= self.open and not self.over.is_set():
            if gone.wait(timeout=0.05):
                break
        yield from super().generate(request)

    def cancel(self, request_id: str) -> None:
        super().cancel(request_id)
        self.gone.setdefault(request_id, threading.Event()).set()


@pytest.fixture(scope="module")
def backend() -> Iterator[Gated]:
    backend = Gated()
    yield backend
    backend.close()


@pytest.fixture(scope="module")
def address(backend: Gated, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("allowed") / "holiday"
    folder.mkdir()
    for at in range(230):
        Image.new("RGB", (8, 8), (at, 0, 0)).save(folder / f"{at:03}.png")
    settings = Settings(port=0, folders=(str(folder),))
    blocks = page(Studio(settings, backend), [tab for tab in TABS if tab.title == "Caption"])
    yield serve(blocks, settings)
    backend.over.set()
    blocks.close(verbose=False)


@pytest.fixture
def album(tmp_path: Path) -> Path:
    """A ZIP of five pictures, one of them broken, and a text."""
    with zipfile.ZipFile(tmp_path / "album.zip", "w") as made:
        for at in range(4):
            data = io.BytesIO()
            Image.new("RGB", (40, 30), (at * 60, 9, 9)).save(data, "PNG")
            made.writestr(f"trip/{at}.png", data.getvalue())
        made.writestr("trip/broken.png", b"no picture")
        made.writestr("notes.txt", "x")
    return tmp_path / "album.zip"


@pytest.fixture
def come(browser: Browser, address: str, backend: Gated) -> Iterator[Callable[..., Page]]:
    backend.forget()
    contexts = []

    def open_page(**options: object) -> Page:
        contexts.append(browser.new_context(permissions=["clipboard-read", "clipboard-write"], **options))  # type: ignore[arg-type]
        contexts[-1].set_default_timeout(LIMIT)
        found = contexts[-1].new_page()
        found.goto(address)
        found.locator("#caption-kind").wait_for()
        return found

    yield open_page
    for context in contexts:
        context.close()


def rows(visitor: Page) -> Locator:
    return visitor.locator("#caption-table tbody tr")


def boxes(visitor: Page) -> Locator:
    return visitor.locator("#caption-table textarea")


def many(visitor: Page) -> None:
    visitor.get_by_label("Many pictures").check()
    visitor.locator("#caption-files").wait_for()


def saved(visitor: Page, button: str) -> Path:
    with visitor.expect_download() as download:
        visitor.locator(button).click()
    return Path(download.value.path())


def test_the_keyboard_alone_begins_and_stops_and_is_never_lost(come: Callable[..., Page], tmp_path: Path) -> None:
    visitor = come()
    Image.new("RGB", (30, 20), (200, 0, 0)).save(tmp_path / "a.png")
    visitor.locator("#caption-image input[type=file]").first.set_input_files(tmp_path / "a.png")
    visitor.locator("#caption-image img").first.wait_for()
    prompt = visitor.locator("#caption-prompt").get_by_role("textbox")
    prompt.press("Enter")
    expect(visitor.locator("#caption-shown")).to_contain_text("The model is looking at the picture", timeout=LIMIT)
    visitor.keyboard.press("Escape")
    expect(visitor.locator("#caption-notice")).to_contain_text("Stopped", timeout=LIMIT)
    expect(visitor.locator("#caption-go")).to_be_visible(timeout=LIMIT)
    prompt.evaluate(AT_ONCE)  # and when the page could not yet show a Stop button
    expect(visitor.locator("#caption-shown")).to_contain_text("The model is looking at the picture", timeout=LIMIT)
    expect(visitor.locator("#caption-notice")).to_contain_text("Stopped", timeout=LIMIT)
    visitor.locator("#caption-go").focus()
    visitor.keyboard.press("Enter")
    expect(visitor.locator("#caption-stop")).to_be_focused(timeout=LIMIT)
    visitor.keyboard.press("Enter")
    expect(visitor.locator("#caption-go")).to_be_focused(timeout=LIMIT)


def test_one_picture_is_captioned_and_stopped(come: Callable[..., Page], backend: Gated, tmp_path: Path) -> None:
    visitor = come()
    errors: list[str] = []
    visitor.on("pageerror", lambda error: errors.append(str(error)))
    visitor.locator("#caption-go").click()
    expect(visitor.locator("#caption-notice")).to_contain_text("no picture yet", timeout=LIMIT)
    Image.new("RGB", (30, 20), "teal").save(tmp_path / "a.png")
    visitor.locator("#caption-image input[type=file]").first.set_input_files(tmp_path / "a.png")
    visitor.locator("#caption-image img").first.wait_for()
    visitor.locator("#caption-go").click()
    visitor.locator("#caption-shown .bone").first.wait_for()
    visitor.locator("#caption-stop").click()
    expect(visitor.locator("#caption-notice")).to_contain_text("Stopped", timeout=LIMIT)
    visitor.locator("#caption-count input[type=number]").fill("2")
    visitor.locator("#caption-count input[type=number]").press("Tab")
    backend.let(1)
    visitor.locator("#caption-go").click()
    cards = visitor.locator("#caption-shown .caption-card .text")
    expect(cards).to_have_count(2, timeout=LIMIT)
    assert cards.first.inner_text() == HOSTILE
    assert "Match" in visitor.locator("#caption-shown .meta").first.inner_text()
    visitor.get_by_role("button", name="Copy caption 1").click()
    until(visitor, "text => navigator.clipboard.readText().then((read) => read === text)", HOSTILE)
    assert errors == []


def test_an_album_is_cancelled_resumed_edited_and_taken_away(
    come: Callable[..., Page], backend: Gated, album: Path
) -> None:
    visitor = come()
    many(visitor)
    visitor.locator("#caption-run").click()
    expect(visitor.locator("#caption-notice")).to_contain_text("no picture yet", timeout=LIMIT)
    visitor.locator("#caption-files input[type=file]").set_input_files(album)
    expect(visitor.locator("#caption-found")).to_contain_text("5 pictures · 1 other file left out", timeout=LIMIT)
    backend.let(2)
    visitor.locator("#caption-run").click()
    expect(visitor.locator("#caption-progress")).to_contain_text("2 of 5", timeout=LIMIT)
    expect(rows(visitor)).to_have_count(2, timeout=LIMIT)
    visitor.locator("#caption-cancel").click()
    expect(visitor.locator("#caption-notice")).to_contain_text("what is done stays", timeout=LIMIT)
    expect(boxes(visitor)).to_have_count(2, timeout=LIMIT)
    backend.let(2)
    expect(visitor.locator("#caption-run")).to_have_text("Resume")
    visitor.locator("#caption-run").click()
    expect(boxes(visitor)).to_have_count(4, timeout=LIMIT)
    expect(visitor.locator("#caption-progress")).to_contain_text("5 of 5", timeout=LIMIT)
    expect(rows(visitor).filter(has_text="trip/broken.png")).to_contain_text("not a picture")
    expect(visitor.locator("#caption-again")).to_contain_text("the failed one")

    assert boxes(visitor).first.input_value() == HOSTILE
    boxes(visitor).first.fill("mine, as I wrote it")
    with visitor.expect_response(lambda response: "queue/join" in response.url):
        boxes(visitor).first.press("Enter")
    read = list(csv.DictReader(io.StringIO(saved(visitor, "#caption-csv").read_bytes().decode(), newline="")))
    assert [row["file"] for row in read] == ["trip/0.png", "trip/1.png", "trip/2.png", "trip/3.png", "trip/broken.png"]
    assert [read[0]["caption"], read[1]["caption"], read[0]["edited"]] == ["mine, as I wrote it", HOSTILE, "yes"]
    assert "not a picture" in read[4]["error"]
    with zipfile.ZipFile(saved(visitor, "#caption-texts")) as made:
        assert made.namelist() == [f"trip/{at}.txt" for at in range(4)]
        assert made.read("trip/0.txt").decode() == "mine, as I wrote it\n"
    assert saved(visitor, "#caption-jsonl").read_bytes().count(b"\n") == 5
    visitor.locator("#caption-clear").click()
    expect(visitor.locator("#caption-table")).to_contain_text("whole album", timeout=LIMIT)


def test_a_large_folder_is_shown_in_pages_on_a_phone(come: Callable[..., Page], backend: Gated) -> None:
    visitor = come(viewport={"width": 360, "height": 800})
    many(visitor)
    visitor.get_by_label("Or a folder of the server").click()
    visitor.get_by_role("option", name="holiday").click()
    expect(visitor.locator("#caption-found")).to_contain_text("230 pictures", timeout=LIMIT)
    backend.let(230)
    visitor.locator("#caption-run").click()
    expect(boxes(visitor)).to_have_count(200, timeout=LIMIT)
    expect(visitor.locator("#caption-table")).to_contain_text("1 to 200 of 230")
    visitor.locator("#caption-later").click()
    expect(boxes(visitor)).to_have_count(30, timeout=LIMIT)
    expect(visitor.locator("#caption-table")).to_contain_text("201 to 230 of 230")
    assert visitor.evaluate("document.documentElement.scrollWidth") == 360
