"""Fields in a real browser: what gradio would cover with a red word is a sentence, and every field has a name."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from patient import PatientBackend, is_plain
from PIL import Image
from playwright.sync_api import Browser, Page, expect
from visitor import LIMIT

from blip2.settings import Settings
from blip2.ui.shell import TABS, page, serve
from blip2.ui.studio import Studio

pytestmark = pytest.mark.browser
ROLES = {
    "button",
    "textbox",
    "combobox",
    "checkbox",
    "radio",
    "slider",
    "spinbutton",
    "link",
    "tab",
    "listbox",
    "image",
}
TITLES = [tab.title for tab in TABS if tab.title != "Evaluate"]


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    own = tmp_path_factory.mktemp("fields")
    (own / "album").mkdir()
    settings = Settings(
        port=0,
        data=str(own),
        runs=str(own),
        folders=(str(own / "album"),),
        manage=True,
        max_upload_mb=1,
        max_album_mb=2,
    )
    backend = PatientBackend()
    blocks = page(Studio(settings, backend, is_plain))
    yield serve(blocks, settings)
    blocks.close(verbose=False)
    backend.close()


@pytest.fixture
def visitor(browser: Browser, address: str) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 360, "height": 740})
    context.set_default_timeout(LIMIT)
    found = context.new_page()
    found.goto(address)
    found.locator("#chat-bot .empty").wait_for()
    yield found
    context.close()


def tab(visitor: Page, title: str) -> None:
    """Open a tab; those that have no room on a phone are in a menu."""
    shown = visitor.get_by_role("tab", name=title, exact=True)
    if shown.count() and shown.first.is_visible():
        shown.first.click()
    else:
        visitor.locator(".overflow-menu > button").first.click()
        visitor.locator(".overflow-dropdown button", has_text=title).first.click()


def says(visitor: Page, line: str, sentence: str) -> None:
    """A sentence is in the page, and nothing of gradio's own covers anything."""
    expect(visitor.locator(f"{line} p")).to_contain_text(sentence, timeout=LIMIT)
    expect(visitor.locator("span.error:visible")).to_have_count(0)
    expect(visitor.locator("[data-testid=toast-body]")).to_have_count(0)


def test_a_file_that_is_no_picture_is_a_sentence_whether_chosen_or_dropped(visitor: Page, tmp_path: Path):
    (tmp_path / "notes.txt").write_text("no picture")
    tab(visitor, "Caption")
    visitor.locator("#caption-image input[type=file]").first.set_input_files(tmp_path / "notes.txt")
    says(visitor, "#caption-notice", "'notes.txt' is not a picture that can be read")
    tab(visitor, "Match")
    dropped = visitor.evaluate_handle(
        """() => { const files = new DataTransfer();
        files.items.add(new File(['no picture'], 'paper.pdf', { type: 'application/pdf' })); return files; }"""
    )
    visitor.locator("#match-image button").first.dispatch_event("drop", {"dataTransfer": dropped})
    says(visitor, "#match-notice", "'paper.pdf' is not a picture that can be read")
    expect(visitor.locator("#match-image img")).to_have_count(0)


def test_a_picture_is_too_large_a_second_time_too(visitor: Page, tmp_path: Path):
    """Gradio makes the frame anew after the first refusal; the limit was lost with the old one."""
    Image.new("RGB", (8, 8)).save(tmp_path / "a.bmp")
    (tmp_path / "a.bmp").write_bytes((tmp_path / "a.bmp").read_bytes() + bytes(1_100_000))
    (tmp_path / "b.txt").write_text("no picture")
    tab(visitor, "Caption")
    for file, sentence in (("a.bmp", "larger than 1 MB"), ("b.txt", "b.txt"), ("a.bmp", "larger than 1 MB")):
        visitor.locator("#caption-image input[type=file]").first.set_input_files(tmp_path / file)
        says(visitor, "#caption-notice", sentence)
        visitor.locator("#caption-image input[type=file]").first.wait_for(state="attached")


def test_an_album_takes_every_file_and_says_what_is_wrong_with_it(visitor: Page, tmp_path: Path):
    (tmp_path / "notes.txt").write_text("no picture")
    tab(visitor, "Caption")
    visitor.get_by_label("Many pictures").check()
    visitor.locator("#caption-files input[type=file]").first.set_input_files(tmp_path / "notes.txt")
    says(visitor, "#caption-found", "1 picture")
    visitor.locator("#caption-run").click()
    expect(visitor.locator("#caption-table .why")).to_contain_text("'notes.txt' is not a picture", timeout=LIMIT)
    expect(visitor.locator("span.error")).to_have_count(0)
    expect(visitor.locator("#caption-files input[type=file]").first).to_have_attribute("accept", "image/*,.zip")


def test_a_file_above_the_limit_is_said_under_its_field_and_the_others_are_taken(visitor: Page, tmp_path: Path):
    (tmp_path / "large.png").write_bytes(bytes(2_500_000))
    Image.new("RGB", (8, 8)).save(tmp_path / "small.png")
    tab(visitor, "Caption")
    visitor.locator("#caption-image input[type=file]").first.set_input_files(tmp_path / "large.png")
    says(visitor, "#caption-one .upload-said", "The file 'large.png' is 2.5 MB large and at most 2 MB are taken")
    visitor.get_by_label("Many pictures").check()
    files = visitor.locator("#caption-files input[type=file]").first
    files.set_input_files([tmp_path / "large.png", tmp_path / "small.png"])
    says(visitor, "#caption-album .upload-said", "make it smaller first")
    says(visitor, "#caption-found", "1 picture")


def test_an_upload_that_the_server_refuses_is_its_sentence(visitor: Page, tmp_path: Path):
    Image.new("RGB", (8, 8)).save(tmp_path / "a.png")
    refusal = '{"detail": "You have sent many files; please go on in 29 s."}'
    visitor.route("**/upload?*", lambda route: route.fulfill(status=429, content_type="application/json", body=refusal))
    tab(visitor, "Match")
    visitor.locator("#match-image input[type=file]").first.set_input_files(tmp_path / "a.png")
    says(visitor, "#match-framed .upload-said", "You have sent many files; please go on in 29 s.")
    expect(visitor.locator("[data-testid=status-tracker] .error:visible")).to_have_count(0)


@pytest.mark.parametrize("typed", ["99999", "", "-5"])
def test_a_number_out_of_range_covers_nothing(visitor: Page, typed: str):
    tab(visitor, "Compare")
    visitor.locator("#compare-a-settings > button").click()
    box = visitor.locator("#compare-a-settings input[type=number][aria-label*='At most new tokens']")
    folded = visitor.locator("#compare-a-settings > button")
    for _ in range(10):  # what is typed while the panel is still being built is lost
        box.fill(typed)
        box.dispatch_event("change")
        box.blur()
        visitor.wait_for_timeout(500)
        if "up to 30 tokens" not in folded.inner_text():
            break
    expect(folded).not_to_contain_text("up to 30 tokens")
    expect(visitor.locator("span.error")).to_have_count(0)
    expect(visitor.locator("[data-testid=toast-body]")).to_have_count(0)


@pytest.mark.parametrize("title", TITLES)
def test_everything_has_a_name_and_nothing_scrolls_sideways(visitor: Page, title: str):
    tab(visitor, title)
    expect(visitor.get_by_role("tabpanel")).to_be_visible()
    nameless = visitor.context.new_cdp_session(visitor)
    visitor.wait_for_function("!document.querySelector('svg:not([aria-hidden]):not([aria-label]):not([role])')")
    nodes = nameless.send("Accessibility.getFullAXTree")["nodes"]
    shown = [node for node in nodes if not node.get("ignored") and node.get("role", {}).get("value") in ROLES]
    assert shown
    assert [node["role"]["value"] for node in shown if not node.get("name", {}).get("value", "").strip()] == []
    assert [name for node in shown if (name := node["name"]["value"]).startswith("common.")] == []
    assert visitor.evaluate("document.documentElement.scrollWidth") <= 360
