"""Where a word matched, drawn: a picture of warm colour to lay over the picture itself, and its place in words.

It knows pixels and numbers only; the page lays the two upon each other.
"""

import io
from typing import Any

import numpy as np
from PIL import Image

SIDE = 224  # pixels of a drawn map
PREVIEW = 720  # pixels of the picture's longer side as it is shown beneath
WARM = ((255, 214, 102), (240, 84, 30))  # of little and of much
STRONGEST = 0.82  # opacity where a map is highest
ROWS, COLUMNS = ("top", "middle", "bottom"), ("left", "center", "right")


def overlay(grid: "np.ndarray[Any, Any]") -> bytes:
    """A PNG of a map [side, side]: clear where little was looked at, warm where much was."""
    scaled = grid.astype(np.float32) / max(float(grid.max()), 1e-12)
    large = Image.fromarray(scaled, "F").resize((SIDE, SIDE), Image.Resampling.BICUBIC)
    heat = np.clip(np.asarray(large), 0, 1)[..., None]  # [SIDE, SIDE, 1]
    low, high = (np.asarray(colour, np.float32) for colour in WARM)
    drawn = np.concatenate([low + (high - low) * heat, 255 * STRONGEST * heat**0.8], axis=2)
    out = io.BytesIO()
    Image.fromarray(drawn.round().astype(np.uint8), "RGBA").quantize(64, method=Image.Quantize.FASTOCTREE).save(
        out, "PNG"
    )
    return out.getvalue()


def preview(image: Image.Image) -> bytes:
    """The picture as a JPEG to show beneath."""
    small = image.copy()
    small.thumbnail((PREVIEW, PREVIEW))
    out = io.BytesIO()
    small.save(out, "JPEG", quality=85)
    return out.getvalue()


def place(grid: "np.ndarray[Any, Any]") -> tuple[str, float]:
    """Where in nine parts of the picture most of a map lies, in words, and its share of the whole."""
    side = len(grid)
    third = np.minimum(np.arange(side) * 3 // side, 2)
    shares = np.zeros((3, 3))
    np.add.at(shares, (third[:, None], third[None, :]), grid)
    row, column = np.unravel_index(int(shares.argmax()), (3, 3))
    words = "the middle" if row == column == 1 else f"{ROWS[row]} {COLUMNS[column]}"
    return words, float(shares[row, column] / max(float(shares.sum()), 1e-12))
