"""The picture frame never raises: it gives a picture or the sentence that says why not."""

from pathlib import Path

import gradio as gr
import pytest
from gradio.data_classes import ImageData
from PIL import Image

from blip2.errors import BadImage
from blip2.images import open_picture, picture_from
from blip2.ui.notice import notice_line
from blip2.ui.picture import PictureFrame, picture_frame, refuse
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
    frame.limit(20)
    seen = frame.preprocess(ImageData(path=str(tmp_path / "a.png"), orig_name="a.png"))
    assert isinstance(seen, BadImage)
    assert "larger than" in str(seen)
    assert PictureFrame().largest > 20


def test_the_limit_holds_after_an_event_has_changed_the_frame(tmp_path: Path):
    """Gradio makes a visitor's frame anew from what the first was made of."""
    Image.new("RGB", (6, 4)).save(tmp_path / "a.png")
    with gr.Blocks():
        frame = picture_frame("frame", "the picture")
    frame.limit(20)
    anew = frame.__class__(**(frame.constructor_args | {"visible": False, "render": False}))
    assert isinstance(anew.preprocess(ImageData(path=str(tmp_path / "a.png"), orig_name="a.png")), BadImage)


def test_the_front_end_is_told_all_that_gradio_tells_of_its_own():
    with gr.Blocks():
        own, stock = PictureFrame(placeholder="Drop it", label="x"), gr.Image(placeholder="Drop it", label="x")
    assert own.get_config().keys() == stock.get_config().keys()
    assert own.get_config()["placeholder"] == "Drop it"


def test_a_file_that_cannot_be_used_is_refused_at_once_and_let_go(tmp_path: Path):
    with gr.Blocks() as blocks:
        frame, line = picture_frame("frame", "the picture"), notice_line("said")
        refuse(frame, line)
    (look,) = [each.fn for each in blocks.fns.values()]
    cleared, said = look(BadImage("The picture 'a.txt' is not a picture."))
    assert cleared is None
    assert "is not a picture" in said["value"]
    assert 'role="alert"' in said["value"]
    kept, quiet = look(picture_from(Image.new("RGB", (6, 4))))
    assert "__type__" in kept
    assert "value" not in kept
    assert (quiet["value"], quiet["visible"]) == ("", False)
    assert all("value" not in each for each in look(None)), "the emptied frame takes nothing back"
