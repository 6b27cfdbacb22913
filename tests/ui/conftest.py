"""A served page and a browser for the tests of the page."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, sync_playwright
from visitor import Visitor, find_chromium, launch

MISSING = "NO CHROMIUM WAS FOUND: THE BROWSER TESTS WERE SKIPPED. Install one: apt-get install chromium"
skipped: list[str] = []


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        path = find_chromium(playwright)
        if path is None:
            skipped.append(MISSING)
            pytest.skip(MISSING)
        found = launch(playwright, path)
        yield found
        found.close()


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


def pytest_terminal_summary(terminalreporter: Any) -> None:
    for line in skipped:
        terminalreporter.write_sep("!", line, red=True, bold=True)
