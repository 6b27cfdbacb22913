"""A visitor's limits in the chat, as a visitor meets them: a real browser, the real server, a scripted backend."""

from pathlib import Path

import pytest
from patient import PatientBackend, is_plain
from playwright.sync_api import Browser
from visitor import Visitor

from blip2.settings import Settings
from blip2.ui.shell import TABS, page, serve
from blip2.ui.studio import Studio

pytestmark = pytest.mark.browser


def test_a_question_is_one_request_of_the_visitors_share(browser: Browser, photo: Path):
    settings, backend = Settings(port=0, visitor_waiting=1, visitor_rate=2), PatientBackend()
    blocks = page(Studio(settings, backend, is_plain), TABS[:1])
    visitor = Visitor(browser, serve(blocks, settings))
    visitor.picture(photo)
    assert visitor.ask("Which animal is it?") == "a dog"
    assert visitor.ask("What does it eat?") == "meat"
    visitor.box.fill("And then?")
    visitor.box.press("Enter")
    visitor.says("2 of your requests came within a minute")
    visitor.leave()
    blocks.close(verbose=False)
    backend.close()
