"""Large pictures and pictures seen lately: the same bits, sooner."""

import numpy as np
import pytest
import torch
from PIL import Image

from blip2 import images
from blip2.errors import BadImage
from blip2.images import open_picture, preprocess
from tests.test_images import encoded, photo


def test_a_large_picture_is_resized_by_bands_to_the_very_bits() -> None:
    random = np.random.default_rng(0)
    image = Image.fromarray(random.integers(0, 256, (1499, 1501, 3), dtype=np.uint8))
    whole = np.asarray(image.resize((224, 224), Image.Resampling.BICUBIC), np.float32)
    mean, deviation = np.array(images.MEAN).reshape(3), np.array(images.STD).reshape(3)
    torch.testing.assert_close(
        preprocess(image, 224).permute(1, 2, 0), torch.from_numpy((whole / 255 - mean) / deviation).float()
    )
    assert images.LARGE < 1499 * 1501


def test_a_file_seen_lately_is_not_decoded_again_and_keeps_its_own_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(images, "_LATELY", images._Lately(4 * 40 * 30))
    first, second = (encoded(photo(), "JPEG", quality=quality) for quality in (80, 90))
    before = open_picture(first, "one.png")
    monkeypatch.setattr(images.Image, "open", None)  # nothing can be decoded from here on
    after = open_picture(first, "two.png")
    assert (after.digest, after.name, after.image) == (before.digest, "two.png", before.image)
    monkeypatch.undo()
    monkeypatch.setattr(images, "_LATELY", images._Lately(4 * 40 * 30))
    for source in (first, second):  # there is room for one
        open_picture(source)
    monkeypatch.setattr(images.Image, "open", None)
    with pytest.raises(BadImage):
        open_picture(first)
