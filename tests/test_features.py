"""Features by what is given, and their file."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from blip2.backends.scripted import ScriptedBackend
from blip2.errors import BadInput, BadSetting
from blip2.features import MEANING, arrays, extract, save_npz
from blip2.images import picture_from

PICTURE = picture_from(Image.new("RGB", (6, 6)))
MODEL = "scripted/itm"


def test_the_mode_is_that_of_what_is_given() -> None:
    backend = ScriptedBackend()
    image = arrays(extract(backend, MODEL, [PICTURE], []))
    text = arrays(extract(backend, MODEL, [], ["a dog"]))
    pair = arrays(extract(backend, MODEL, [PICTURE], ["a dog"]))
    assert (set(image), set(text), set(pair)) == (
        {"image_embeds", "image_embeds_proj"},
        {"text_embeds", "text_embeds_proj"},
        {"multimodal_embeds"},
    )
    assert set(image) | set(text) | set(pair) == set(MEANING)
    assert set(arrays(extract(backend, MODEL, [PICTURE], ["a dog"], "image"))) == set(image)


@pytest.mark.parametrize(("mode", "pictures", "texts"), [("image", 0, 1), ("text", 1, 0), ("multimodal", 1, 2)])
def test_what_does_not_fit_the_mode_is_said(mode, pictures: int, texts: int) -> None:
    with pytest.raises(BadInput, match="need"):
        extract(ScriptedBackend(), MODEL, [PICTURE] * pictures, ["a"] * texts, mode)


def test_the_archive_holds_arrays_and_names(tmp_path: Path) -> None:
    made = extract(ScriptedBackend(), MODEL, [PICTURE], [])
    save_npz(made, tmp_path / "f.npz", images=["a.png"])
    with np.load(tmp_path / "f.npz") as read:
        assert read["images"].tolist() == ["a.png"]
        np.testing.assert_array_equal(read["image_embeds"], made.image_embeds)
    with pytest.raises(BadSetting, match=r"cannot be written to .*; name another file"):
        save_npz(made, tmp_path / "none" / "f.npz")
