"""Sentences name a setting as the page labels it, and as programs and flags write it."""

from typing import Any

import pytest

from blip2.chat import Conversation
from blip2.errors import BadSetting
from blip2.labels import LABELS, named
from blip2.ui.visit import Choice, chosen
from blip2.values import RANGES, Decoding


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (
            {"min_new_tokens": 40},
            "The setting “At least new tokens” (min_new_tokens) is 40; it must not exceed “At most new tokens” "
            "(max_new_tokens), which is 30.",
        ),
        ({"num_beams": 17}, "The setting “Beams” (num_beams) is 17; it must lie between 1 and 16."),
        ({"num_beams": 2.5}, "The setting “Beams” (num_beams) must be a whole number, not 2.5."),
        ({"top_k": -1}, "The setting top_k is -1; it must lie between 0 and 1000."),
    ],
)
def test_a_sentence_about_a_setting_has_both_its_names(given: dict[str, Any], sentence: str) -> None:
    with pytest.raises(BadSetting) as found:
        Decoding(**given)
    assert str(found.value) == sentence


def test_an_emptied_field_is_named_as_the_page_labels_it() -> None:
    with pytest.raises(BadSetting, match=r"“Length penalty” \(length_penalty\) is empty; give it a number"):
        chosen(Conversation(""), Choice("m", {"length_penalty": None}))


def test_labels_are_those_of_settings_that_there_are() -> None:
    assert set(LABELS) - set(RANGES) == {"seed", "captions"}
    assert named("top_k") == "top_k"  # the page has no field for it
