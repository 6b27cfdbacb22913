"""How well photographs are told from scenes: shares of photographs noticed, and of scenes taken for photographs.

Scenes are judged after what happens to pictures on their way: drawn at several sizes, cropped a little, resized, sent
as JPEG (`photos_fit.handled`). It knows no model.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from PIL import Image

from blip2.errors import BadImage, BadSetting
from blip2.images import open_picture, picture_from
from blip2.pocket.marking import Share
from blip2.pocket.photos import is_photograph
from blip2.pocket.photos_fit import SIDES, handled
from blip2.values import Picture

__all__ = ["ENDINGS", "PhotoExam"]

ENDINGS = {".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff"}


class PhotoExam:
    """Judges the pictures of a folder at once, and scenes as they come."""

    def __init__(self, folder: Path, seed: int = 7) -> None:
        self._rng = random.Random(seed)
        self.scenes, self.photos = Share(), Share()
        self.missed: list[str] = []
        files = sorted(file for file in folder.rglob("*") if file.suffix.lower() in ENDINGS) if folder.is_dir() else []
        if not files:
            raise BadSetting(f"There are no pictures under {str(folder)!r}; --photos takes a folder of photographs.")
        for file in files:
            try:
                noticed = is_photograph(open_picture(file))
            except BadImage as error:
                print(f"{error} It was passed over.", file=sys.stderr)
                continue
            self.photos.add(noticed)
            if not noticed:
                self.missed.append(file.relative_to(folder).as_posix())

    def add_scenes(self, pictures: Iterable[Picture]) -> None:
        """Judge scenes, each handled at random first."""
        for picture in pictures:
            side = self._rng.choice(SIDES)
            sent = picture.image.resize((side, side), Image.Resampling.LANCZOS)
            self.scenes.add(is_photograph(picture_from(handled(sent, self._rng))))

    def figures(self) -> dict[str, Any]:
        """Shares in [0, 1], how many of each, and the names of photographs that were not noticed."""
        return {
            "noticed": self.photos.value,
            "scenes_refused": self.scenes.value,
            "missed": self.missed,
            "n": {"photos": self.photos.n, "scenes": self.scenes.n},
        }
