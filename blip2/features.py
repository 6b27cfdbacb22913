"""Features of pictures, texts and pairs: which kind is meant, the arrays by name, and their file. It knows the seam."""

from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np

from blip2.backends.base import Backend
from blip2.errors import BadInput, BadSetting
from blip2.values import EmbedMode, Features, Picture

Array = np.ndarray[Any, Any]
MEANING = {
    "image_embeds": "a row for each query of each picture",
    "image_embeds_proj": "the same in the space shared with texts, of unit length",
    "text_embeds": "a row for each token of each text",
    "text_embeds_proj": "the same in the space shared with pictures; the first token's stands for the text",
    "multimodal_embeds": "a row for each query, which has read the text too",
}


def extract(
    backend: Backend, model: str, pictures: Sequence[Picture], texts: Sequence[str], mode: EmbedMode | None = None
) -> Features:
    """Features of `mode`, or of the mode that fits what is given: image, text, or multimodal for picture i with text i.

    Raises `BadInput` where what is given does not fit the mode.
    """
    chosen: EmbedMode = mode or ("multimodal" if pictures and texts else "image" if pictures else "text")
    if chosen != "text" and not pictures:
        raise BadInput(f"Features of the kind {chosen} need pictures; add at least one.")
    if chosen != "image" and not texts:
        raise BadInput(f"Features of the kind {chosen} need texts; add at least one.")
    if chosen == "multimodal" and len(pictures) != len(texts):
        raise BadInput(
            f"Multimodal features need a text for each picture; {len(pictures)} and {len(texts)} were given."
        )
    return backend.embed(model, pictures if chosen != "text" else [], texts if chosen != "image" else [], chosen)


def arrays(made: Features) -> dict[str, Array]:
    """The features there are, by name."""
    named = {each.name: getattr(made, each.name) for each in fields(made)}
    return {name: array for name, array in named.items() if array is not None}


def to_json(made: Features) -> dict[str, Any]:
    """The arrays by name, each with its shape, meaning and values."""
    return {
        name: {"shape": list(array.shape), "meaning": MEANING[name], "data": array.tolist()}
        for name, array in arrays(made).items()
    }


def save_npz(made: Features, path: Path, **more: Sequence[str]) -> None:
    """Write the arrays as a NumPy archive; `more` are lists of names beside them. Raises `BadSetting`."""
    named: dict[str, Any] = {**arrays(made), **{name: np.asarray(list(value)) for name, value in more.items()}}
    try:
        with path.open("wb") as file:
            np.savez(file, **named)
    except OSError as error:
        raise BadSetting(
            f"The features cannot be written to {str(path)!r}: {error.strerror or error}; name another file."
        ) from error
