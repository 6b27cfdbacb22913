"""The picture frame never raises: it gives a picture or the sentence that says why not."""

from pathlib import Path

import pytest
from gradio.data_classes import ImageData
from PIL import Image

from blip2.errors import BadImage
from blip2.images import open_picture
from blip2.ui.picture import PictureFrame
from blip2.values import Picture


@pytest.fixture
def frame() -> PictureFrame:
    return PictureFrame(format="png")


def test_an_uploaded_file_becomes_a_picture(frame: PictureFrame, tmp_path: Path):
    Image.new("RGBA", (6, 4), (0, 0, 0, 0)).save(tmp_path / "clear.png")
    seen = frame.preprocess(ImageData(path=str(tmp_path / "clear.png"), orig_name="clear.png"))
    assert isinstance(seen, Picture)
    assert seen.image.getpixel((0, 0)) == (255, 255, 255), "transparency is white, as the page shows it"
    assert seen.name == "clear.png"
    assert frame.preprocess(None) is None


def test_a_file_that_is_no_picture_is_a_sentence(frame: PictureFrame, tmp_path: Path):
    (tmp_path / "fake.png").write_text("hello")
    seen = frame.preprocess(ImageData(path=str(tmp_path / "fake.png"), orig_name="fake.png"))
    assert isinstance(seen, BadImage)
    assert "fake.png" in str(seen)
    gone = frame.preprocess(ImageData(path=str(tmp_path / "gone.png")))
    assert isinstance(gone, BadImage)


def test_a_picture_inside_the_request_is_refused(frame: PictureFrame):
    seen = frame.preprocess(ImageData(url="data:image/png;base64,AAAA"))
    assert isinstance(seen, BadImage)


def test_a_picture_shown_again_keeps_its_digest(frame: PictureFrame, tmp_path: Path):
    Image.effect_noise((40, 30), 90).convert("RGB").save(tmp_path / "noise.png")
    picture = open_picture(tmp_path / "noise.png")
    shown = frame.postprocess(picture)
    again = frame.preprocess(shown)
    assert isinstance(again, Picture)
    assert again.digest == picture.digest


def test_no_stub_file_is_written_beside_the_module():
    import blip2.ui.picture

    assert not Path(blip2.ui.picture.__file__).with_suffix(".pyi").exists()


def test_a_picture_larger_than_allowed_is_a_sentence(frame: PictureFrame, tmp_path: Path):
    Image.new("RGB", (6, 4)).save(tmp_path / "a.png")
    frame.largest = 20
    seen = frame.preprocess(ImageData(path=str(tmp_path / "a.png"), orig_name="a.png"))
    assert isinstance(seen, BadImage)
    assert "larger than" in str(seen)
    assert PictureFrame.largest > 20
