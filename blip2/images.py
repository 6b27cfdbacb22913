"""Opening pictures safely, and the pixels a model sees. It knows no model.

What is opened is upright, 8-bit RGB, laid on white where it was transparent, and within limits set here: a small file
that unpacks to gigapixels is refused before a pixel of it is unpacked. The preprocessing is bit-equal to LAVIS's
`blip_image_eval`: squashed to a square with PIL's bicubic filter, then CLIP's mean and deviation.
"""

import hashlib
import io
import os
import threading
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import BinaryIO

import numpy as np
import torch
from PIL import Image, ImageOps, UnidentifiedImageError

from blip2.errors import BadImage
from blip2.values import Picture

MAX_BYTES = 50_000_000
MAX_PIXELS = 40_000_000
MAX_SIDE = 16_384
LATELY_BYTES = 128_000_000  # of opened pictures that are kept
BAND = 64  # rows
LARGE, BANDS = 2_000_000, 4  # pixels from which a picture is resized in bands, and how many
# No format that runs another program (EPS), reads other files, or that no visitor has.
FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF", "PPM", "ICO", "JPEG2000")
# Endings of files that are taken for pictures where nobody named the file itself: in folders and ZIP files.
SUFFIXES = frozenset(
    {".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".avif", ".ppm", ".jp2", ".ico"}
)
ACCEPTED = "JPEG, PNG, WebP, GIF, BMP, TIFF or AVIF"
MEAN = torch.tensor([0.48145466, 0.4578275, 0.40821073]).view(3, 1, 1)  # CLIP's, RGB
STD = torch.tensor([0.26862954, 0.26130258, 0.27577711]).view(3, 1, 1)


def open_picture(source: str | Path | bytes | BinaryIO, name: str = "") -> Picture:
    """Open a file, its bytes or a binary stream. Raises `BadImage` with a sentence for anything that is no picture.

    Turned as EXIF says, first frame of an animation, 16 bits scaled to 8, transparency on white. A file opened lately
    is not decoded again: a conversation comes back to its picture with every question.
    """
    data, name = _read(source, name)
    known = _LATELY.get(hashlib.sha256(data).digest())
    if known is not None:
        return replace(known, name=name)
    picture = _opened(data, name)
    _LATELY.put(hashlib.sha256(data).digest(), picture)
    return picture


def _opened(data: bytes, name: str) -> Picture:
    try:
        return _picture(Image.open(io.BytesIO(data), formats=FORMATS), name)
    except Image.DecompressionBombError as error:
        raise BadImage(
            f"{_called(name)} has too many pixels; at most {MAX_PIXELS // 1_000_000} million can be used."
        ) from error
    except UnidentifiedImageError as error:
        raise BadImage(f"{_called(name)} is not a picture that can be read; send a {ACCEPTED} file.") from error
    except BadImage:
        raise
    except (
        Exception
    ) as error:  # decoders of hostile files raise nearly anything: SyntaxError, struct.error, IndexError …
        raise BadImage(f"{_called(name)} is damaged and cannot be opened; save it anew and try again.") from error


def picture_from(image: Image.Image, name: str = "") -> Picture:
    """A `Picture` of an image in memory, which is left as it is. Raises `BadImage` where it is too large or damaged."""
    return _picture(image, name, leave=True)


def _picture(image: Image.Image, name: str, leave: bool = False) -> Picture:
    width, height = image.size
    if width < 1 or height < 1:
        raise BadImage(f"{_called(name)} has no pixels; send another one.")
    if max(width, height) > MAX_SIDE:
        raise BadImage(
            f"{_called(name)} is {width} x {height} pixels; a side may have {MAX_SIDE} at most. Make it smaller first."
        )
    if width * height > MAX_PIXELS:
        raise BadImage(
            f"{_called(name)} is {width} x {height} pixels; {MAX_PIXELS // 1_000_000} million can be used at most. "
            "Make it smaller first."
        )
    try:
        image.load()
        upright = _on_white(_eight_bits(_upright(image, leave)))
    except Exception as error:  # as above: a truncated file fails here, when its pixels are unpacked
        raise BadImage(
            f"{_called(name)} is damaged or cut short and cannot be shown; save it anew and try again."
        ) from error
    return Picture(image=upright, digest=digest(upright), name=name)


def digest(image: Image.Image) -> str:
    """SHA-256 of the size and the RGB pixels: the same picture in another file format has the same one."""
    width, height = image.size
    plain = image if image.mode == "RGB" else image.convert("RGB")
    made = hashlib.sha256(f"{width}x{height}:".encode())
    for top in range(0, height, BAND):  # by bands, which stay in the processor's cache
        made.update(plain.crop((0, top, width, min(top + BAND, height))).tobytes())
    return made.hexdigest()


def preprocess(image: Image.Image, size: int) -> torch.Tensor:
    """Pixels of an opened picture for a model of `size` pixels a side: float32 [3, size, size], normalised."""
    squashed = _squashed(image if image.mode == "RGB" else image.convert("RGB"), size)
    pixels = torch.from_numpy(np.asarray(squashed, dtype=np.uint8).copy())  # [size, size, 3]
    return pixels.permute(2, 0, 1).float().div(255).sub(MEAN).div(STD)


def _squashed(image: Image.Image, size: int) -> Image.Image:
    """`image` resized to a square by PIL's bicubic filter, a large one by several threads.

    PIL filters rows first, each by itself, then columns: bands of rows filtered apart give the same bits.
    """
    width, height = image.size
    if width * height < LARGE or size >= width or size >= height:
        return image.resize((size, size), Image.Resampling.BICUBIC)
    cuts = [height * i // BANDS for i in range(BANDS + 1)]

    def band(top: int, bottom: int) -> Image.Image:
        return image.resize((size, bottom - top), Image.Resampling.BICUBIC, box=(0, top, width, bottom))

    narrow = Image.new("RGB", (size, height))
    for top, part in zip(cuts, _threads().map(band, cuts, cuts[1:]), strict=False):
        narrow.paste(part, (0, top))
    return narrow.resize((size, size), Image.Resampling.BICUBIC)


@cache
def _threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(min(BANDS, os.cpu_count() or 1), "resize")


class _Lately:
    """Pictures by the digest of their file, the longest unseen dropped when their pixels pass `limit` bytes."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._bytes = 0
        self._pictures: OrderedDict[bytes, Picture] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: bytes) -> Picture | None:
        with self._lock:
            picture = self._pictures.get(key)
            if picture is not None:
                self._pictures.move_to_end(key)
            return picture

    def put(self, key: bytes, picture: Picture) -> None:
        with self._lock:
            if key not in self._pictures:
                self._pictures[key] = picture
                self._bytes += _nbytes(picture)
            while self._bytes > self._limit:
                self._bytes -= _nbytes(self._pictures.popitem(last=False)[1])


def _nbytes(picture: Picture) -> int:
    return 4 * picture.size[0] * picture.size[1]  # as PIL holds RGB


_LATELY = _Lately(LATELY_BYTES)


def lavis_pixels(image: Image.Image, size: int) -> torch.Tensor:
    """As `preprocess`, of an image as LAVIS treats it: transparency dropped, not laid on white; EXIF not looked at."""
    plain = image.convert("RGB")
    plain.info.pop("transparency", None)
    return preprocess(plain, size)


def _read(source: str | Path | bytes | BinaryIO, name: str) -> tuple[bytes, str]:
    if isinstance(source, str | Path):
        path = Path(source)
        name = name or path.name
        if not path.is_file():
            raise BadImage(f"There is no picture file {str(source)!r}; check the path.")
        try:
            with path.open("rb") as stream:
                data = stream.read(MAX_BYTES + 1)
        except OSError as error:
            raise BadImage(
                f"The file {str(source)!r} cannot be read ({error.strerror}); check its permissions."
            ) from error
    elif isinstance(source, bytes | bytearray | memoryview):
        data = bytes(source)
    else:
        data = source.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise BadImage(f"{_called(name)} is larger than {MAX_BYTES // 1_000_000} MB; make it smaller first.")
    if not data:
        raise BadImage(f"{_called(name)} is empty; send a {ACCEPTED} file.")
    return data, name


def _called(name: str) -> str:
    return f"The picture {name!r}" if name else "The picture"


def _upright(image: Image.Image, leave: bool) -> Image.Image:
    """Turned as EXIF says, a copy if it must be left; a camera's damaged EXIF must not cost the visitor the picture."""
    try:
        turned = ImageOps.exif_transpose(image) if leave else ImageOps.exif_transpose(image, in_place=True)
    except Exception:  # the EXIF block is parsed by hand in Pillow and raises what it likes
        turned = None
    return turned if turned is not None else image


def _eight_bits(image: Image.Image) -> Image.Image:
    """Greys of 16 or 32 bits and floats scaled to 8 bits; PIL's own conversion would clip them to white."""
    if not (image.mode.startswith("I") or image.mode == "F"):
        return image
    grey = np.nan_to_num(np.asarray(image, dtype=np.float64), nan=0.0, posinf=0.0, neginf=0.0)
    low, high = float(grey.min()), float(grey.max())
    if image.mode == "F" and low >= 0 and high <= 1:
        scaled = grey * 255
    elif image.mode.startswith("I;16") or (image.mode == "I" and low >= 0 and 255 < high <= 65_535):
        scaled = grey / 257
    elif low >= 0 and high <= 255:
        scaled = grey
    else:
        scaled = (grey - low) * (255 / (high - low))
    clear = image.info.get("transparency")
    if isinstance(clear, int):
        scaled[grey == clear] = 255
    return Image.fromarray(scaled.round().astype(np.uint8))


def _on_white(image: Image.Image) -> Image.Image:
    """RGB, with transparency laid on white, as a page shows it."""
    if image.has_transparency_data:
        layer = image.convert("RGBA")
        white = Image.new("RGBA", layer.size, "white")
        plain = Image.alpha_composite(white, layer).convert("RGB")
    else:
        plain = image.convert("RGB")
    plain.info.clear()  # EXIF (where, when, whose camera) stays out of whatever is kept or exported
    return plain
