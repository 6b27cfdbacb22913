"""The log's two forms."""

import json
import logging
from collections.abc import Iterator

import pytest

from blip2.api import journal
from blip2.settings import Settings


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    root, api = logging.getLogger(), logging.getLogger("blip2.api")
    handlers, levels = list(root.handlers), (root.level, api.level)
    yield
    root.handlers[:] = handlers
    root.setLevel(levels[0])
    api.setLevel(levels[1])


def test_json_lines_carry_the_fields_and_exceptions(capsys: pytest.CaptureFixture[str]) -> None:
    journal.configure(Settings(log_json=True))
    journal.request_line({"request_id": "r1", "status": 200, "prompt": "naïve\n"})
    try:
        raise ValueError("wrong")
    except ValueError:
        logging.getLogger("blip2.api").error("failed", exc_info=True)
    logging.getLogger("elsewhere").info("not shown at this level")
    first, second = (json.loads(line) for line in capsys.readouterr().err.splitlines())
    assert (first["request_id"], first["status"], first["prompt"]) == ("r1", 200, "naïve\n")
    assert first["level"] == "info"
    assert first["time"].endswith("+00:00")
    assert "ValueError: wrong" in second["exception"]


def test_text_lines_come_at_the_level_that_is_set(capsys: pytest.CaptureFixture[str]) -> None:
    journal.configure(Settings())
    journal.request_line({"request_id": "quiet"})
    assert "quiet" not in capsys.readouterr().err
    journal.configure(Settings(log_level="info"))
    journal.request_line({"request_id": "told", "answer": "two\nlines"})
    told = capsys.readouterr().err
    assert "request_id='told'" in told
    assert len(told.splitlines()) == 1
