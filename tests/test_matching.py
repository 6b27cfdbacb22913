"""Matching in slices equals matching at once; labels are ranked; nothing to compare is said."""

import numpy as np
import pytest
from PIL import Image

from blip2.backends.scripted import ScriptedBackend
from blip2.errors import BadInput
from blip2.images import picture_from
from blip2.matching import SLICE, classify, match
from blip2.values import Picture


def pictures(count: int) -> list[Picture]:
    return [picture_from(Image.new("RGB", (6, 6), (index, 0, 0))) for index in range(count)]


def test_slices_join_to_what_is_matched_at_once() -> None:
    backend, many = ScriptedBackend(), pictures(2 * SLICE + 3)
    made = match(backend, "scripted/itm", many, ["a dog", "a cat"])
    whole = backend.match("scripted/itm", many, ["a dog", "a cat"])
    np.testing.assert_array_equal(made.itm, whole.itm)
    np.testing.assert_array_equal(made.itc, whole.itc)


def test_labels_are_ranked_by_itm_and_share_one() -> None:
    backend, (picture,) = ScriptedBackend(), pictures(1)
    found = classify(backend, "scripted/itm", picture, ["dog", " cat ", "bus"], "there is a {} here")
    assert [each.itm for each in found] == sorted((each.itm for each in found), reverse=True)
    assert sum(each.share for each in found) == pytest.approx(1)
    by_name = {each.name: each for each in found}
    assert by_name[" cat "].text == "there is a cat here"
    expected = backend.match("scripted/itm", [picture], ["there is a dog here"]).itm[0, 0]
    assert by_name["dog"].itm == pytest.approx(float(expected))


@pytest.mark.parametrize(("count", "texts"), [(0, ["a"]), (1, []), (1, ["a", " "])])
def test_nothing_to_compare_is_a_sentence(count: int, texts: list[str]) -> None:
    with pytest.raises(BadInput, match="add at least one"):
        match(ScriptedBackend(), "scripted/itm", pictures(count), texts)


def test_a_template_without_a_place_is_refused() -> None:
    with pytest.raises(BadInput, match="no place for the label"):
        classify(ScriptedBackend(), "scripted/itm", pictures(1)[0], ["dog"], "a photo")
