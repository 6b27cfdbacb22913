"""People sign in to the page with their own password; others read that they cannot, and the API asks for a key."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from patient import PatientBackend, is_plain
from playwright.sync_api import Browser, Page, expect
from visitor import until

from blip2.people import make_line
from blip2.settings import Settings
from blip2.ui.shell import TABS, page, serve
from blip2.ui.studio import Studio

LIMIT = 60_000
KEPT = """async () => {
  const opening = indexedDB.open('blip2-studio', 1);
  const database = await new Promise((done) => { opening.onsuccess = () => done(opening.result); });
  const asked = database.transaction('visits').objectStore('visits').count();
  const count = await new Promise((done) => { asked.onsuccess = () => done(asked.result); });
  database.close();
  return count > 0;
}"""
CHAT = [tab for tab in TABS if tab.title == "Chat"]


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    people = tmp_path_factory.mktemp("people") / "people.txt"
    people.write_text(make_line("ada", "correct horse") + "\n", encoding="utf-8")
    settings = Settings(port=0, auth_file=str(people), upload_files_minute=1)
    backend = PatientBackend()
    blocks = page(Studio(settings, backend, is_plain), CHAT)
    yield serve(blocks, settings)
    blocks.close(verbose=False)
    backend.close()


def test_a_person_signs_in_and_a_stranger_does_not(browser: Browser, guarded: str, photo: Path) -> None:
    visitor = browser.new_page()
    visitor.set_default_timeout(LIMIT)
    visitor.goto(guarded)
    visitor.get_by_label("username").fill("ada")
    visitor.get_by_label("password").fill("correct house")
    visitor.get_by_role("button", name="Login").click()
    expect(visitor.get_by_text("Incorrect")).to_be_visible(timeout=LIMIT)
    assert visitor.locator("#chat-box").count() == 0
    visitor.goto(guarded)
    visitor.get_by_label("username").fill("ada")
    visitor.get_by_label("password").fill("correct horse")
    visitor.get_by_role("button", name="Login").click()
    expect(visitor.locator("#chat-box textarea")).to_be_visible(timeout=LIMIT)
    picture = visitor.locator("#chat-image input[type=file]").first
    picture.set_input_files(photo)
    expect(visitor.locator("#chat-chips button:visible").first).to_be_visible(timeout=LIMIT)
    visitor.locator(
        "#chat-image button[aria-label='Remove Image'], #chat-image button[aria-label='Clear']"
    ).first.click()
    visitor.locator("#chat-image input[type=file]").first.set_input_files(photo)
    expect(visitor.get_by_text("please go on in").first).to_be_visible(timeout=LIMIT)
    visitor.close()


def sign_in(visitor: Page, name: str) -> None:
    visitor.get_by_label("username").fill(name)
    visitor.get_by_label("password").fill(f"{name}'s horse")
    visitor.get_by_role("button", name="Login").click()
    expect(visitor.locator("#chat-box textarea")).to_be_visible(timeout=LIMIT)


def test_a_reload_brings_back_what_was_ones_own_only(browser: Browser, tmp_path: Path, photo: Path) -> None:
    lines = [make_line(name, f"{name}'s horse") for name in ("ada", "ben")]
    (tmp_path / "people.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    backend, settings = PatientBackend(), Settings(port=0, auth_file=str(tmp_path / "people.txt"))
    blocks = page(Studio(settings, backend, is_plain), CHAT)
    address, visitor = serve(blocks, settings), browser.new_page()
    visitor.set_default_timeout(LIMIT)
    visitor.goto(address)
    sign_in(visitor, "ada")
    visitor.locator("#chat-image input[type=file]").first.set_input_files(photo)
    visitor.locator("#chat-chips button:visible").first.click()
    expect(visitor.locator("#chat-bot details.facts")).to_have_count(1, timeout=LIMIT)
    until(visitor, KEPT)
    visitor.reload()
    expect(visitor.locator("#chat-notice")).to_contain_text("Your conversation is back: 1 question.", timeout=LIMIT)
    until(visitor, KEPT)
    visitor.goto(f"{address}logout")
    visitor.goto(address)
    sign_in(visitor, "ben")
    until(visitor, f"async () => !(await ({KEPT})())")
    expect(visitor.locator("#chat-bot [data-testid=user]")).to_have_count(0)
    expect(visitor.locator("#chat-image img")).to_have_count(0)
    visitor.close()
    blocks.close(verbose=False)
    backend.close()


def test_without_a_sign_in_nothing_is_taken(guarded: str) -> None:
    base = guarded.rstrip("/")
    assert httpx.post(f"{base}/gradio_api/queue/join", json={}).status_code == 401
    sent = httpx.post(f"{base}/gradio_api/upload", files={"files": ("a.png", b"\x89PNG\r\n\x1a\n" + b"x" * 500)})
    assert sent.status_code == 401
