"""The search tab as visitors see it: an album is indexed, searched, taken away and opened; and as programs use it."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
from gradio_client import Client, handle_file
from PIL import Image
from playwright.sync_api import Browser, Page, expect
from visitor import LIMIT

from blip2.backends.scripted import ScriptedBackend
from blip2.images import open_picture
from blip2.settings import Settings
from blip2.ui.shell import TABS, page, serve
from blip2.ui.studio import Studio
from blip2.values import EmbedMode, Features, Picture

pytestmark = pytest.mark.browser


class Gated(ScriptedBackend):
    """Embeds pictures only while the gate is open."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = threading.Event()
        self.gate.set()

    def embed(self, model: str, images: Sequence[Picture], texts: Sequence[str], mode: EmbedMode) -> Features:
        self.gate.wait()
        return super().embed(model, images, texts, mode)


@contextmanager
def served(data: Path, manage: bool = False) -> Iterator[tuple[str, Gated]]:
    backend = Gated()
    settings = Settings(port=0, data=str(data), manage=manage)
    tabs = [tab for tab in TABS if tab.title == "Search"]
    blocks = page(Studio(settings, backend, lambda picture: False), tabs)
    try:
        yield serve(blocks, settings), backend
    finally:
        backend.gate.set()
        blocks.close(verbose=False)
        backend.close()


def pictures(folder: Path, count: int) -> list[Path]:
    folder.mkdir()
    made = []
    for at in range(count):
        made.append(folder / f"{at:02}.png")
        Image.new("RGB", (64, 48), (at * 12, 90, 200)).save(made[-1])
    return made


def opened(browser: Browser, address: str, width: int = 1280) -> Page:
    page = browser.new_page(viewport={"width": width, "height": 900})
    page.set_default_timeout(LIMIT)
    page.goto(address)
    page.locator("#search-scenes").wait_for()
    return page


def test_an_album_is_indexed_searched_stopped_kept_and_opened(browser: Browser, tmp_path: Path) -> None:
    files = pictures(tmp_path / "album", 20)
    (tmp_path / "album" / "bad.jpg").write_bytes(b"no picture")
    with served(tmp_path / "data", manage=True) as (address, backend):
        page = opened(browser, address)
        box = page.locator("#search-words").locator("input, textarea")
        box.fill("two dogs")
        box.press("Enter")
        expect(page.locator("#search-notice")).to_contain_text("nothing to search yet", timeout=LIMIT)
        page.locator("#search-files input[type=file]").set_input_files([*files, tmp_path / "album" / "bad.jpg"])
        expect(page.locator("#search-results")).to_contain_text("Search your pictures")
        expect(page.locator("#search-found")).to_contain_text("21 pictures", timeout=LIMIT)
        backend.gate.clear()
        page.locator("#search-run").click()
        expect(page.locator("#search-progress")).to_contain_text("0 of 21", timeout=LIMIT)
        page.locator("#search-stop").click()
        expect(page.locator("#search-stop")).to_contain_text("Stopping", timeout=LIMIT)
        backend.gate.set()
        expect(page.locator("#search-notice")).to_contain_text("13 pictures left", timeout=LIMIT)
        expect(page.locator("#search-facts")).to_contain_text("8 pictures", timeout=LIMIT)
        page.locator("#search-extend").click()
        expect(page.locator("#search-facts")).to_contain_text("20 pictures", timeout=LIMIT)
        expect(page.locator("#search-facts summary")).to_have_text("1 could not be read")
        box.press("Enter")
        expect(page.locator("#search-results [role=status]")).to_contain_text("re-ranked", timeout=LIMIT)
        expect(page.locator("#search-results li")).to_have_count(12)
        assert "ITM" in page.locator("#search-results li").first.inner_text()
        name = page.locator("#search-results li .name").first.inner_text()
        page.get_by_role("button", name=f"More like {name}").click()
        expect(page.locator("#search-results [role=status]")).to_contain_text(f"like {name}", timeout=LIMIT)
        assert name not in page.locator("#search-results ol").inner_text()
        page.locator("#search-kind label", has_text="By picture").click()
        page.locator("#search-picture input[type=file]").set_input_files(files[7])
        page.locator("#search-picture img").wait_for()
        page.locator("#search-go-picture").click()
        expect(page.locator("#search-results li").first).to_contain_text("07.png", timeout=LIMIT)
        page.locator("#search-file > button").click()
        page.locator("#search-name").locator("input, textarea").fill("one")
        page.locator("#search-keep").click()
        expect(page.locator("#search-notice")).to_contain_text("Kept as 'one'", timeout=LIMIT)
        with page.expect_download() as download:
            page.locator("#search-download").click()
        saved = tmp_path / "saved.index"
        download.value.save_as(saved)
        other = opened(browser, address, width=360)
        assert other.evaluate("document.documentElement.scrollWidth") == 360
        expect(other.locator("#search-facts")).to_be_hidden()
        other.locator("#search-file > button").click()
        other.locator("#search-open input[type=file]").set_input_files(saved)
        expect(other.locator("#search-facts")).to_contain_text("20 pictures", timeout=LIMIT)
        other.locator("#search-words").locator("input, textarea").fill("two dogs")
        other.locator("#search-go").click()
        expect(other.locator("#search-results [role=status]")).to_contain_text("re-ranked", timeout=LIMIT)
        assert other.evaluate("document.documentElement.scrollWidth") == 360
        page.close()
        other.close()


def test_one_click_makes_the_example_scenes_searchable(browser: Browser, tmp_path: Path) -> None:
    with served(tmp_path) as (address, _):
        page = opened(browser, address)
        page.locator("#search-scenes").click()
        expect(page.locator("#search-facts")).to_contain_text("76 pictures", timeout=LIMIT)
        page.locator("#search-chip-0").click()
        expect(page.locator("#search-results [role=status]")).to_contain_text("two giraffes", timeout=LIMIT)
        expect(page.locator("#search-results li")).to_have_count(12)
        page.close()


def test_programs_use_the_same_by_named_endpoints(tmp_path: Path) -> None:
    files = pictures(tmp_path / "album", 5)
    with served(tmp_path / "data") as (address, _):
        client, stranger = (
            Client(address, verbose=False, httpx_kwargs={"timeout": None}),
            Client(address, verbose=False, httpx_kwargs={"timeout": None}),
        )
        told = client.predict(
            files=[handle_file(str(path)) for path in files], folder="", model="", extend=False, examples=False,
            api_name="/build_index",
        )  # fmt: skip
        assert told == {"pictures": 5, "new": 5, "kept": 0, "broken": []}
        rows = client.predict(words="two dogs", count=3, rerank=True, api_name="/search_words")
        assert [row["rank"] for row in rows] == [1, 2, 3]
        assert all(0 <= row["itm"] <= 1 for row in rows)
        rows = client.predict(picture=handle_file(str(files[2])), count=1, api_name="/search_picture")
        assert (rows[0]["name"], rows[0]["likeness"]) == ("02.png", pytest.approx(1, abs=1e-3))
        assert Path(client.predict(api_name="/save_index")).read_bytes()[8:9] == b"{"
        told = stranger.predict(words="two dogs", count=3, rerank=True, api_name="/search_words")
        assert "nothing to search" in told["error"]
    assert open_picture(files[0]).size == (64, 48)
