"""Fixtures that several tests share: folders with tiny checkpoints, written once a session.

And a loud word at the end of a run whose browser tests were skipped.
"""

import sys
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # tests import `tiny`, under pytest's importlib mode too

import tiny


@pytest.fixture(scope="session")
def opt_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.make_opt(tmp_path_factory.mktemp("tiny") / "tiny_opt")


@pytest.fixture(scope="session")
def t5_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.make_t5(tmp_path_factory.mktemp("tiny") / "tiny_t5")


@pytest.fixture(scope="session")
def itm_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.make_itm(tmp_path_factory.mktemp("tiny") / "tiny_itm")


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Say that the browser tests were skipped, in a way that is not overlooked."""
    skipped = [report for report in terminalreporter.stats.get("skipped", ()) if "browser" in report.keywords]
    if skipped:
        terminalreporter.section("BROWSER TESTS SKIPPED", sep="!", red=True, bold=True)
        reason = skipped[0].longrepr[2] if isinstance(skipped[0].longrepr, tuple) else str(skipped[0].longrepr)
        terminalreporter.write_line(f"{len(skipped)} tests of the page did not run. {reason}")
