"""Takes the README's pictures of the page: the real studio, the bundled models, a bundled scene, real answers.

python tests/screenshots.py            # into assets/readme/; needs a Chromium
"""

import tempfile
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser
from started import ROOT, started
from visitor import Visitor, open_browser

from blip2.pocket.examples import load_examples

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
    path = FOLDER / f"{name}.png"
    visitor.page.screenshot(path=path, animations="disabled")
    visitor.leave()
    return path


def main() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as runs, started(Path(runs)) as address, open_browser() as browser:
        print(take(browser, address, "chat", color_scheme="light", **DESKTOP))
        print(take(browser, address, "chat_dark", color_scheme="dark", **DESKTOP))
        print(take(browser, address, "chat_phone", color_scheme="light", **PHONE))


if __name__ == "__main__":
    main()
