"""People in haste: double clicks, Enter twice, a question sent too early, a reload, Back; and a page on paper."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from patient import PatientBackend, is_plain
from playwright.sync_api import Browser, Page, Route, expect
from visitor import LIMIT, Visitor, until

from blip2.settings import Settings
from blip2.ui.chat_actions import ALREADY
from blip2.ui.shell import TABS, page, serve
from blip2.ui.studio import Studio

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def whole(backend: PatientBackend, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the page with all its tabs."""
    folder = tmp_path_factory.mktemp("whole")
    settings = Settings(port=0, data=str(folder / "data"), runs=str(folder / "runs"))
    blocks = page(Studio(settings, backend, is_plain), TABS)
    yield serve(blocks, settings)
    blocks.close(verbose=False)


def is_open(page: Page, name: str) -> None:
    """Wait until the tab is the one that is open."""
    expect(page.get_by_role("tab", name=name, exact=True)).to_have_attribute("aria-selected", "true", timeout=LIMIT)


@pytest.mark.parametrize("how", ["click", "enter"])
def test_sending_twice_in_haste_is_sending_once(visit: Callable[..., Visitor], photo: Path, how: str):
    visitor = visit()
    visitor.picture(photo)
    visitor.box.fill("Count slowly")
    held: list[Route] = []  # what is asked of the server waits until both were pressed
    visitor.page.route("**/queue/join*", lambda route: held.append(route))
    with visitor.page.expect_request(lambda request: "Count slowly" in (request.post_data or "")):
        if how == "click":
            visitor.send.dblclick()
        else:
            visitor.box.press("Enter")
            visitor.box.press("Enter")
    until(visitor.page, "() => new Promise(done => requestAnimationFrame(() => setTimeout(() => done(true))))")
    asked = [route.request.post_data_json for route in held]
    (sent,) = [each["fn_index"] for each in asked if "Count slowly" in each["data"]]
    assert [each["fn_index"] for each in asked].count(sent) == 1
    for route in held:
        route.continue_()
    visitor.page.unroute("**/queue/join*")
    expect(visitor.answers.last).to_have_text("one two three", timeout=LIMIT)
    expect(visitor.stop).to_be_visible()  # nor did the second click press Stop
    visitor.page.keyboard.press("Escape")
    visitor.settled()
    visitor.turns(1)
    expect(visitor.notice).to_have_count(0)


def test_a_double_click_on_an_offered_question_asks_it_alone(visit: Callable[..., Visitor], photo: Path):
    visitor = visit()
    visitor.picture(photo)
    question = visitor.chips.first.inner_text()
    visitor.chips.first.dblclick()
    expect(visitor.facts).to_have_count(1, timeout=LIMIT)
    visitor.settled()
    expect(visitor.questions).to_have_text([question])
    expect(visitor.notice).to_have_count(0)


def test_the_same_question_can_be_sent_again_at_once(visit: Callable[..., Visitor], photo: Path):
    visitor = visit()
    visitor.picture(photo)
    for _ in range(3):
        assert visitor.ask("Which animal is it?") == "a dog"
    visitor.turns(3)


def test_a_question_sent_too_early_is_refused_until_the_answer_is_there(visit: Callable[..., Visitor], photo: Path):
    visitor = visit()
    visitor.picture(photo)
    visitor.begin("Count slowly", "one two three")
    visitor.box.fill("Why?")
    visitor.box.press("Enter")
    visitor.says(ALREADY)
    expect(visitor.box).to_have_value("Why?")
    visitor.page.keyboard.press("Escape")
    visitor.settled()
    expect(visitor.notice).to_have_count(0)
    expect(visitor.box).to_have_value("Why?")


@pytest.mark.parametrize("width", [1280, 390])
def test_a_reload_opens_the_tab_again_and_back_goes_to_the_one_before(browser: Browser, whole: str, width: int):
    visitor = Visitor(browser, whole, viewport={"width": width, "height": 850})
    page = visitor.page
    page.get_by_role("tab", name="Compare", exact=True).click()
    menu = page.get_by_role("button", name="More tabs")
    if menu.is_visible():
        menu.click()
        page.locator(".overflow-dropdown").get_by_text("Models", exact=True).click()
    else:
        page.get_by_role("tab", name="Models", exact=True).click()
    is_open(page, "Models")
    assert page.url.endswith("/#models")
    page.reload()
    is_open(page, "Models")
    expect(page.locator("#models-cards")).to_be_visible()
    page.go_back()
    is_open(page, "Compare")
    page.go_back()
    is_open(page, "Chat")
    assert "#" not in page.url
    page.go_forward()
    is_open(page, "Compare")
    assert visitor.errors == []
    visitor.leave()


def test_an_address_with_a_tab_that_is_not_there_opens_the_first(browser: Browser, whole: str):
    visitor = Visitor(browser, f"{whole}#nonsense")
    is_open(visitor.page, "Chat")
    visitor.leave()


def test_on_paper_the_whole_conversation_stands_and_no_box(visit: Callable[..., Visitor], photo: Path):
    visitor = visit(viewport={"width": 1280, "height": 700})
    visitor.picture(photo)
    for _ in range(8):
        visitor.ask("Which animal is it?")
    log = visitor.at("#chat-bot .bubble-wrap")
    hidden = "log => log.scrollHeight - log.clientHeight"
    assert log.evaluate(hidden) > 0
    visitor.page.emulate_media(media="print")
    expect(visitor.box).to_be_hidden()
    assert log.evaluate(hidden) == 0
    ends = visitor.at("#chat-right").evaluate("each => each.getBoundingClientRect().bottom")
    assert visitor.answers.last.evaluate("each => each.getBoundingClientRect().bottom") <= ends
