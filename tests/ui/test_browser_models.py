"""The models tab as visitors see it: what is loaded, loading and unloading, a check-up, and a page without leave."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import pytest
from gradio_client import Client
from playwright.sync_api import Browser, Page, expect
from visitor import LIMIT, Visitor

from blip2.backends.scripted import ScriptedBackend
from blip2.settings import Settings
from blip2.ui.shell import TABS, page, serve
from blip2.ui.studio import Studio
from blip2.values import ModelInfo

MODELS = (
    ModelInfo("pocket/opt", "Pocket OPT", "opt", "pocket", memory_bytes=11_000_000, pocket=True),
    ModelInfo("scripted/t5", "Scripted T5", "t5", "scripted", memory_bytes=18_000_000),
)
EXTRA = ModelInfo("scripted/itm", "Scripted matching", "itm", "scripted", memory_bytes=15_000_000)
LATER = ModelInfo("scripted/late", "Latecomer", "opt", "scripted")
ONLY = ("Models",)
pytestmark = pytest.mark.browser


@contextmanager
def served(
    manage: bool, delay: float = 0.0, tabs: Sequence[str] = ("Models",)
) -> Iterator[tuple[str, ScriptedBackend]]:
    backend = ScriptedBackend(default="a dog", models=MODELS, allow=(EXTRA, LATER), delay=delay)
    settings = Settings(port=0, manage=manage)
    blocks = page(Studio(settings, backend, lambda picture: False), [tab for tab in TABS if tab.title in tabs])
    try:
        yield serve(blocks, settings), backend
    finally:
        blocks.close(verbose=False)
        backend.close()


def choose(page: Page, title: str) -> None:
    page.locator("#models-model input").click()
    page.get_by_role("option", name=title).click()


def card(page: Page, title: str) -> str:
    return page.get_by_role("article", name=title).inner_text()


def test_an_administrator_loads_checks_and_unloads(browser: Browser) -> None:
    with served(manage=True, delay=0.05) as (address, backend):
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.set_default_timeout(LIMIT)
        page.goto(address)
        page.get_by_role("article").first.wait_for()
        assert "11.0 MB" in card(page, "Pocket OPT")
        assert "Not loaded" in card(page, "itm")
        expect(page.locator("#models-figures")).to_contain_text("2 of 4")
        expect(page.locator("#models-check")).to_be_disabled()

        choose(page, "itm")
        expect(page.locator(".models-fit")).to_contain_text("Scripted matching fits", timeout=LIMIT)
        page.locator("#models-load").click()
        expect(page.locator("#models-notice")).to_contain_text("Scripted matching is loaded", timeout=LIMIT)
        expect(page.locator("#models-figures")).to_contain_text("3 of 4")
        expect(page.locator("#models-load")).to_be_disabled()
        page.locator("#models-unload").click()
        expect(page.locator("#models-notice")).to_contain_text("is unloaded", timeout=LIMIT)
        assert "scripted/itm" not in backend.stats().loaded

        choose(page, "Pocket OPT")
        expect(page.locator("#models-check")).to_be_enabled(timeout=LIMIT)
        page.locator("#models-check").click()
        page.locator(".models-check progress").wait_for()
        page.locator("#models-stop").click()
        expect(page.locator("#models-notice")).to_contain_text("stopped", timeout=LIMIT)
        page.locator("#models-check").click()
        expect(page.locator(".models-check.ill h2")).to_contain_text("not the known ones", timeout=LIMIT)
        expect(page.locator(".models-check.ill")).to_contain_text("scenes right")

        backend.load("scripted/itm")  # somebody else's doing is seen by itself
        expect(page.locator("#models-figures")).to_contain_text("3 of 4", timeout=LIMIT)
        page.close()


def test_a_visitor_without_leave_reads_and_programs_are_refused(browser: Browser) -> None:
    with served(manage=False) as (address, backend):
        page = browser.new_page(viewport={"width": 360, "height": 740}, color_scheme="dark")
        page.set_default_timeout(LIMIT)
        page.goto(address)
        page.get_by_role("article").first.wait_for()
        expect(page.locator("#models-closed")).to_contain_text("--manage yes")
        assert not page.locator("#models-load").count() or not page.locator("#models-load").is_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
        expect(page.locator("#models-versions")).to_contain_text("Gradio")
        page.close()

        client = Client(address, verbose=False, httpx_kwargs={"timeout": None})
        listed = client.predict(api_name="/models")
        assert [model["state"] for model in listed["models"]] == ["loaded", "loaded", "not loaded", "not loaded"]
        refused = client.predict("scripted/itm", api_name="/load_model")
        assert not refused["ok"]
        assert "--manage yes" in refused["said"]
        assert client.predict("scripted/t5", api_name="/unload_model")["ok"] is False
        assert backend.stats().loaded == ("pocket/opt", "scripted/t5")
        assert client.predict("scripted/t5", api_name="/doctor")["ok"] is True


def test_the_chat_offers_what_is_loaded_when_it_is_opened(browser: Browser) -> None:
    with served(manage=True, tabs=("Chat", "Models")) as (address, backend):
        backend.load(LATER.name)
        backend.unload(MODELS[0].name)
        visitor = Visitor(browser, address)
        model = visitor.at("#chat-model input")
        expect(model).to_have_value("Scripted T5", timeout=LIMIT)
        expect(visitor.at("#brand .pill")).to_contain_text("2 models ready")
        model.click()
        assert visitor.page.get_by_role("option").all_inner_texts() == ["\u2713\nScripted T5", "Latecomer"]
        visitor.page.get_by_role("option", name="Latecomer").click()
        visitor.at("#chat-examples .thumbnail-item").first.click()
        visitor.chips.first.wait_for()
        assert visitor.ask("What is it?") == "a dog"
        assert LATER.name in visitor.read_facts()
        visitor.leave()
