"""Text a visitor may see."""

import pytest

from blip2.engine.stream import cut, visible


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a dog", "a dog"),
        ("a dog Quest", "a dog"),
        ("a dog Question", "a dog"),
        ("a dog Q", "a dog"),
        ("a question", "a question"),
    ],
)
def test_what_may_become_a_stop_string_is_held_back(text: str, shown: str) -> None:
    assert visible(text, ("Question:",)) == shown


def test_text_is_cut_at_the_first_stop_string() -> None:
    assert cut("a dog Question: why? ###", ("###", "Question:")) == ("a dog", True)
    assert cut("a dog", ("###", "")) == ("a dog", False)


def test_everything_held_back_appears_when_it_was_no_stop_string() -> None:
    text, stops = "a Quest for Questions", ("Question:",)
    shown = [visible(text[:end], stops) for end in range(len(text) + 1)]
    assert all("Question" not in piece or piece.startswith("a Quest for Questions") for piece in shown)
    assert shown[-1] == text
