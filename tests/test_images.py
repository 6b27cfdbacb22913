import hashlib
import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, ImageOps

from blip2 import images
from blip2.errors import BadImage
from blip2.images import digest, lavis_pixels, open_picture, picture_from, preprocess


def encoded(image: Image.Image, format: str = "PNG", **options: object) -> bytes:
    stream = io.BytesIO()
    image.save(stream, format, **options)
    return stream.getvalue()


def photo(width: int = 40, height: int = 30, mode: str = "RGB") -> Image.Image:
    pixels = np.random.default_rng(0).integers(0, 256, (height, width, len(mode)), dtype=np.uint8)
    return Image.fromarray(pixels, mode) if mode != "L" else Image.fromarray(pixels[..., 0])


def png_of(width: int, height: int) -> bytes:
    """A PNG that declares its size and holds hardly any pixels: what a decompression bomb looks like from outside."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")
    )


def colour(picture_source: bytes, x: int = 0, y: int = 0) -> tuple[int, ...]:
    return open_picture(picture_source).image.getpixel((x, y))  # type: ignore[return-value]


@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        (b"", "is empty"),
        (b"hello, I am a text", "not a picture that can be read"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 1 1\n", "not a picture that can be read"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "not a picture that can be read"),
        (encoded(photo())[:60], "damaged"),
        (encoded(photo(300, 300))[:-5000], "damaged or cut short"),
        (encoded(photo(300, 300), "JPEG")[:4000], "damaged or cut short"),
        (encoded(photo(300, 300), "WEBP")[:4000], "damaged|not a picture"),
        (png_of(30_000, 30), "30000 x 30 pixels; a side may have 16384"),
        (png_of(16_000, 16_000), "too many pixels|40 million"),
        (png_of(9_000, 9_000), "9000 x 9000 pixels; 40 million"),
        (encoded(photo())[:8] + b"\x00" * 100, "not a picture|damaged"),
    ],
    ids=["empty", "text", "eps", "svg", "header", "png", "jpeg", "webp", "side", "bomb", "pixels", "garbage"],
)
def test_what_cannot_be_used_is_refused_in_a_sentence(source: bytes, sentence: str) -> None:
    with pytest.raises(BadImage, match=sentence) as caught:
        open_picture(source, "mine.png")
    assert str(caught.value).startswith("The picture 'mine.png'")
    assert str(caught.value).endswith(".")


def test_a_large_file_is_refused_before_it_is_read_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(images, "MAX_BYTES", 1000)
    with pytest.raises(BadImage, match="larger than"):
        open_picture(encoded(photo(100, 100)))


def test_paths_bytes_and_streams_give_the_same_picture(tmp_path: Path) -> None:
    path = tmp_path / "dog.png"
    path.write_bytes(encoded(photo()))
    opened = [
        open_picture(path),
        open_picture(str(path)),
        open_picture(path.read_bytes()),
        open_picture(path.open("rb")),
    ]
    assert len({picture.digest for picture in opened}) == 1
    assert [picture.name for picture in opened] == ["dog.png", "dog.png", "", ""]
    for missing in (tmp_path / "cat.png", tmp_path, "https://example.org/cat.png"):
        with pytest.raises(BadImage, match="There is no picture file"):
            open_picture(missing)


def test_the_digest_is_of_the_pixels_and_the_size_not_of_the_file() -> None:
    image = photo(6, 4)
    wanted = hashlib.sha256(b"6x4:" + image.tobytes()).hexdigest()
    assert {open_picture(encoded(image, kind)).digest for kind in ("PNG", "BMP", "TIFF")} == {wanted}
    assert (
        digest(image.reshape((4, 6)) if hasattr(image, "reshape") else image.transpose(Image.Transpose.ROTATE_90))
        != wanted
    )


def test_one_pixel_is_a_picture() -> None:
    picture = open_picture(encoded(Image.new("RGB", (1, 1), (10, 20, 30))))
    assert picture.size == (1, 1)
    pixels = preprocess(picture.image, 56)
    assert pixels.shape == (3, 56, 56)
    assert bool((pixels == pixels[:, :1, :1]).all())


def test_cmyk_palette_grey_and_one_bit_become_rgb() -> None:
    red = Image.new("RGB", (8, 8), (250, 10, 10))
    assert colour(encoded(red.convert("CMYK"), "TIFF")) == (250, 10, 10)
    jpeg = np.array(colour(encoded(red.convert("CMYK"), "JPEG", quality=95)))
    assert np.abs(jpeg - (250, 10, 10)).max() < 8
    assert colour(encoded(red.convert("P", palette=Image.Palette.ADAPTIVE))) == (250, 10, 10)
    assert colour(encoded(Image.new("L", (8, 8), 77))) == (77, 77, 77)
    assert colour(encoded(Image.new("1", (8, 8), 1))) == (255, 255, 255)


def test_sixteen_bits_are_scaled_not_clipped() -> None:
    ramp = np.linspace(0, 65_535, 64, dtype=np.uint16).reshape(8, 8)
    opened = np.asarray(open_picture(encoded(Image.fromarray(ramp))).image)[..., 0]
    assert np.abs(opened.astype(float) - ramp / 257).max() <= 0.5
    assert len(np.unique(opened)) == 64


def test_floats_and_wide_integers_are_scaled() -> None:
    ramp = np.linspace(0, 1, 64, dtype=np.float32).reshape(8, 8)
    opened = np.asarray(open_picture(encoded(Image.fromarray(ramp), "TIFF")).image)[..., 0]
    assert (opened.min(), opened.max(), len(np.unique(opened))) == (0, 255, 64)
    wide = (np.arange(64, dtype=np.int32) * 1_000_000 - 5).reshape(8, 8)
    opened = np.asarray(open_picture(encoded(Image.fromarray(wide), "TIFF")).image)[..., 0]
    assert (opened.min(), opened.max(), len(np.unique(opened))) == (0, 255, 64)


@pytest.mark.parametrize("format", ["GIF", "WEBP", "PNG", "TIFF"])
def test_the_first_frame_of_several_is_taken(format: str) -> None:
    first, second = Image.new("RGB", (8, 8), (200, 0, 0)), Image.new("RGB", (8, 8), (0, 0, 200))
    options = {"lossless": True} if format == "WEBP" else {}
    data = encoded(first, format, save_all=True, append_images=[second], **options)
    assert getattr(Image.open(io.BytesIO(data)), "n_frames", 1) == 2
    red, _, blue = colour(data)
    assert red > 190
    assert blue < 10


def test_transparency_is_laid_on_white() -> None:
    clear = Image.new("RGBA", (8, 8), (0, 0, 0, 0))
    clear.putpixel((3, 3), (255, 0, 0, 255))
    clear.putpixel((4, 4), (0, 0, 0, 128))
    assert colour(encoded(clear)) == (255, 255, 255)
    assert colour(encoded(clear), 3, 3) == (255, 0, 0)
    assert colour(encoded(clear), 4, 4) == (127, 127, 127)
    palette = Image.new("P", (8, 8), 0)
    palette.putpalette([0, 0, 0, 255, 0, 0])
    palette.putpixel((3, 3), 1)
    data = encoded(palette, transparency=0)
    assert colour(data) == (255, 255, 255)
    assert colour(data, 3, 3) == (255, 0, 0)
    assert colour(encoded(Image.new("LA", (8, 8), (0, 0)))) == (255, 255, 255)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_picture_is_turned_as_its_exif_says(orientation: int) -> None:
    upright = Image.new("RGB", (8, 4), "white")
    upright.putpixel((0, 0), (255, 0, 0))
    exif = Image.Exif()
    exif[0x0112] = orientation
    opened = open_picture(encoded(upright, exif=exif)).image
    undo = {1: None, 2: 0, 3: 3, 4: 1, 5: 5, 6: 4, 7: 6, 8: 2}[orientation]
    wanted = upright if undo is None else upright.transpose(Image.Transpose(undo))
    assert np.array_equal(np.asarray(opened), np.asarray(wanted))
    assert opened.getexif().get(0x0112, 1) == 1


@pytest.mark.filterwarnings("ignore:Corrupt EXIF")
def test_damaged_exif_does_not_cost_the_picture() -> None:
    assert open_picture(encoded(photo(), "JPEG", exif=b"Exif\x00\x00MM\x00*\xff\xff\xff\xff")).size == (40, 30)


def test_an_image_in_memory_is_left_as_it_is() -> None:
    image = Image.new("RGBA", (8, 4), (0, 0, 0, 0))
    image.info["comment"] = "kept"
    before = (image.mode, image.size, image.tobytes(), dict(image.info))
    picture = picture_from(image, "mine")
    assert (image.mode, image.size, image.tobytes(), dict(image.info)) == before
    assert picture.image is not image
    assert (picture.name, picture.image.mode, picture.image.info) == ("mine", "RGB", {})


def test_an_image_in_memory_has_the_same_limits() -> None:
    with pytest.raises(BadImage, match="20000 x 1 pixels"):
        picture_from(Image.new("RGB", (20_000, 1)))


@pytest.mark.parametrize("size", [224, 364])
@pytest.mark.parametrize("shape", [(400, 300), (17, 33), (224, 224), (1, 1)])
def test_pixels_are_those_of_lavis_eval_processor(size: int, shape: tuple[int, int]) -> None:
    image = photo(*shape)
    # torchvision's Resize, ToTensor and Normalize of LAVIS's BlipImageEvalProcessor, one step at a time
    resized = np.asarray(image.resize((size, size), Image.Resampling.BICUBIC), np.float32)
    tensor = torch.from_numpy(resized.transpose(2, 0, 1).copy()) / torch.tensor(255.0)
    mean = torch.tensor((0.48145466, 0.4578275, 0.40821073))[:, None, None]
    std = torch.tensor((0.26862954, 0.26130258, 0.27577711))[:, None, None]
    assert torch.equal(preprocess(image, size), (tensor - mean) / std)


@pytest.mark.parametrize("size", [56, 224])
def test_pixels_are_those_of_the_stock_processor(size: int) -> None:
    from transformers.models.blip.image_processing_pil_blip import BlipImageProcessorPil

    stock = BlipImageProcessorPil(size={"height": size, "width": size})
    image = photo(123, 77)
    assert torch.equal(preprocess(image, size), stock(image, return_tensors="pt").pixel_values[0])


def test_lavis_drops_transparency_where_the_page_lays_it_on_white() -> None:
    image = Image.new("RGBA", (8, 8), (255, 0, 0, 0))
    assert torch.equal(lavis_pixels(image, 56), preprocess(Image.new("RGB", (8, 8), (255, 0, 0)), 56))
    assert torch.equal(preprocess(picture_from(image).image, 56), preprocess(Image.new("RGB", (8, 8), "white"), 56))
    palette = Image.new("P", (8, 8), 0)
    palette.putpalette([9, 9, 9])
    palette.info["transparency"] = 0
    assert torch.equal(lavis_pixels(palette, 56), preprocess(Image.new("RGB", (8, 8), (9, 9, 9)), 56))
    assert palette.info["transparency"] == 0


def test_a_turned_file_and_its_upright_copy_are_the_same_picture() -> None:
    image = photo(40, 30)
    exif = Image.Exif()
    exif[0x0112] = 6
    turned = open_picture(encoded(image, exif=exif))
    assert (
        turned.digest == picture_from(ImageOps.mirror(ImageOps.flip(image)).transpose(Image.Transpose.ROTATE_90)).digest
    )
