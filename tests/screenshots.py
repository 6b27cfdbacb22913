"""Takes the README's pictures of the page: the real studio, the bundled models, a bundled scene, real answers.

python tests/screenshots.py            # into assets/readme/; needs a Chromium
"""

import tempfile
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import Browser, expect
from started import ROOT, started
from visitor import LIMIT, Visitor, open_browser

from blip2.pocket.examples import Example, load_examples

TEXTS = (
    "a dog, a blue ball, a red umbrella and a sailboat on a beach",
    "a dog, a green ball, a red umbrella and a sailboat on a beach",
    "a cat, a blue ball, a red umbrella and a sailboat on a beach",
    "two dogs on a beach",
    "a cow on a meadow",
)

FOLDER = ROOT / "assets" / "readme"
SCENE = "beach"
DESKTOP: dict[str, Any] = {"viewport": {"width": 1280, "height": 820}}
PHONE: dict[str, Any] = {"viewport": {"width": 390, "height": 844}, "device_scale_factor": 2, "is_mobile": True}


def take(browser: Browser, address: str, name: str, **context: Any) -> Path:
    """Ask the scene's questions, unfold the last answer's facts where there is room, and take the picture."""
    visitor = Visitor(browser, address, **context)
    number, example = next((n, e) for n, e in enumerate(load_examples()) if e.path.stem == SCENE)
    visitor.example(number, example.questions[0])
    answers = [visitor.ask(question) for question in example.questions]
    if answers != list(example.answers):
        print(f"{name}: the answers are {answers}; right are {list(example.answers)}.")
    visitor.page.mouse.move(0, 0)
    visitor.box.blur()
    if context["viewport"]["width"] < 600:
        visitor.at("#chat-right").scroll_into_view_if_needed()
        visitor.page.evaluate("document.querySelector('#chat-examples').scrollIntoView()")
    return kept(visitor, name)


def open_tab(browser: Browser, address: str, title: str, **context: Any) -> Visitor:
    """A new visitor on another tab than the chat."""
    visitor = Visitor(browser, address, **context)
    visitor.page.get_by_role("tab", name=title, exact=True).click()
    return visitor


def kept(visitor: Visitor, name: str) -> Path:
    """The picture of what a visitor sees, in few enough colours to be small; the visitor leaves."""
    visitor.page.mouse.move(0, 0)
    visitor.page.evaluate("document.fonts.ready")
    path = FOLDER / f"{name}.png"
    visitor.page.screenshot(path=path, animations="disabled")
    visitor.leave()
    shrink(path)
    return path


def shrink(path: Path) -> None:
    """Store a picture with a palette of 256 colours."""
    with Image.open(path) as image:
        image.convert("RGB").quantize(256, dither=Image.Dither.NONE).save(path, optimize=True)


def compare(browser: Browser, address: str) -> Path:
    """The two bundled models on one picture, voted on."""
    visitor = open_tab(browser, address, "Compare", color_scheme="light", **DESKTOP)
    visitor.at("#compare-examples .thumbnail-item").nth(scene_number()).click()
    for _ in range(2):
        count = visitor.at(".round").count()
        visitor.at("#compare-chips button:visible").first.click()
        expect(visitor.at(".round")).to_have_count(count + 1, timeout=LIMIT)
        expect(visitor.at("#compare-again")).to_be_enabled(timeout=LIMIT)
    visitor.at("#compare-vote-tie").click()
    expect(visitor.at("#compare-vote-tie")).to_have_attribute("aria-pressed", "true", timeout=LIMIT)
    return kept(visitor, "compare")


def match(browser: Browser, address: str) -> Path:
    """Texts ranked by how well they match a picture, in the dark."""
    visitor = open_tab(browser, address, "Match", color_scheme="dark", **DESKTOP)
    visitor.at("#match-image input[type=file]").first.set_input_files(scene().path)
    visitor.at("#match-image img").first.wait_for()
    visitor.at("#match-texts textarea").fill("\n".join(TEXTS))
    visitor.at("#match-go").click()
    visitor.at("#match-shown table").first.wait_for()
    return kept(visitor, "match")


def search(browser: Browser, address: str) -> Path:
    """The bundled scenes searched by words."""
    visitor = open_tab(browser, address, "Search", color_scheme="light", **DESKTOP)
    visitor.at("#search-scenes").click()
    expect(visitor.at("#search-facts")).to_contain_text("pictures", timeout=LIMIT)
    box = visitor.at("#search-words").locator("input, textarea")
    box.fill("three pizzas on a beach")
    box.press("Enter")
    visitor.at("#search-results img").first.wait_for()
    expect(visitor.at("#search-results")).to_contain_text("ITC", timeout=LIMIT)
    expect(visitor.at("#search-results")).not_to_contain_text("…", timeout=LIMIT)
    return kept(visitor, "search")


def scene() -> Example:
    """The bundled scene that the pictures show."""
    return load_examples()[scene_number()]


def scene_number() -> int:
    return next(n for n, example in enumerate(load_examples()) if example.path.stem == SCENE)


def main() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as own:
        settings = {"data": str(Path(own) / "data")}
        with started(Path(own) / "runs", **settings) as address, open_browser() as browser:
            print(take(browser, address, "chat", color_scheme="light", **DESKTOP))
            print(take(browser, address, "chat_dark", color_scheme="dark", **DESKTOP))
            print(take(browser, address, "chat_phone", color_scheme="light", **PHONE))
            for picture in (compare, match, search):
                print(picture(browser, address))


if __name__ == "__main__":
    main()
