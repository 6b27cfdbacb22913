"""A link's query: what it holds, and what becomes of one that cannot be followed."""

from typing import Any

import pytest

from blip2.ui.chat_link import Opening, from_query, to_query
from blip2.ui.decoding_panel import FRESH, KNOBS

RANGES = {"num_beams": (1, 16), "max_new_tokens": (1, 256)}
EXAMPLES, MODELS = ["beach", "camp"], ["pocket/opt", "pocket/t5"]


def read(query: str) -> Opening:
    return from_query(query, EXAMPLES, MODELS, RANGES)


def knobs(**changes: Any) -> list[Any]:
    return [changes.get(name, fresh) for name, fresh in zip(KNOBS, FRESH, strict=True)]


@pytest.mark.parametrize(
    "changes",
    [
        {"method": "nucleus", "temperature": 0.35, "top_p": 0.8, "seed": 7},
        {"num_beams": 3, "length_penalty": -1.5, "max_new_tokens": 64},
        {"raw": True},
    ],
)
def test_what_is_written_is_read_again(changes: dict[str, Any]) -> None:
    query = to_query("beach", "pocket/t5", knobs(**changes))
    assert read(query) == Opening("beach", "pocket/t5", knobs(**changes))
    assert all(name in changes or f"{name}=" not in query for name in KNOBS)


def test_settings_as_they_come_and_ones_own_picture_are_left_out() -> None:
    assert to_query("", "pocket/opt", list(FRESH)) == "?model=pocket%2Fopt"
    assert read("?model=pocket%2Fopt") == Opening(None, "pocket/opt")
    assert read("") == Opening()
    assert read("?__theme=dark") == Opening()


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("?example=moon&model=pocket%2Ft5", "the example 'moon', which is not here"),
        ("?example=beach&model=no%2Fone", "the model 'no/one', which is not offered"),
        ("?model=pocket%2Ft5&num_beams=99", "num_beams is 99, and may be 1 to 16"),
        ("?model=pocket%2Ft5&num_beams=many", "num_beams is 'many', which is no number"),
        ("?model=pocket%2Ft5&temperature=nan&method=nucleus", "temperature"),
        ("?model=pocket%2Ft5&seed=1.5", "seed"),
        ("?model=pocket%2Ft5&method=magic", "magic"),
        ("?model=" + "x" * 3000, "too long"),
    ],
)
def test_what_cannot_be_followed_is_said_and_the_rest_is_followed(query: str, said: str) -> None:
    opening = read(query)
    assert said in opening.notice
    assert opening.knobs is None
    if "example=beach" in query:
        assert opening.example == "beach"
    if "pocket%2Ft5" in query:
        assert opening.model == "pocket/t5"
