"""A served page and a browser for the tests of the page."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from patient import PatientBackend, is_plain
from PIL import Image
from playwright.sync_api import Browser
from visitor import Visitor, open_browser

from blip2.settings import Settings
from blip2.ui.shell import TABS, page, serve
from blip2.ui.studio import Studio


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One for each module: while Playwright is open, this thread has a running event loop, which others cannot bear."""
    with open_browser() as found:
        yield found


@pytest.fixture(scope="module")
def backend() -> Iterator[PatientBackend]:
    backend = PatientBackend()
    yield backend
    backend.close()


@pytest.fixture(scope="module")
def address(backend: PatientBackend) -> Iterator[str]:
    settings = Settings(port=0)
    blocks = page(Studio(settings, backend, is_plain), TABS[:1])
    yield serve(blocks, settings)
    blocks.close(verbose=False)


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    """Two colours: a picture that is no foreign one."""
    image = Image.new("RGB", (64, 48), "teal")
    image.paste("orange", (0, 0, 32, 48))
    image.save(tmp_path / "two.png")
    return tmp_path / "two.png"


@pytest.fixture(scope="module")
def regular(browser: Browser, address: str) -> Iterator[Visitor]:
    """A visitor whose browser has the page's scripts already, which makes opening it three times as fast."""
    visitor = Visitor(browser, address)
    yield visitor
    visitor.leave()


@pytest.fixture
def visit(browser: Browser, address: str, regular: Visitor) -> Iterator[Callable[..., Visitor]]:
    """Opens the page as a new visitor: the regular one first, then strangers, who leave at the end of the test."""
    free, strangers = [regular], list[Visitor]()

    def come(**context: Any) -> Visitor:
        if free and not context:
            free[0].come()
            return free.pop()
        strangers.append(Visitor(browser, address, **context))
        return strangers[-1]

    yield come
    for visitor in strangers:
        visitor.leave()
