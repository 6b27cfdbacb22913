"""Scenes committed with the project, with what they are asked: for tests, `doctor`, and machines without the font.

`assets/pocket/scenes/` holds 64 pictures and `scenes.json`. They come from evaluation seeds, so no model was trained
on them.

    python -m blip2.pocket.committed        # draws them again (needs the emoji font)
"""

from __future__ import annotations

import json
import random
from pathlib import Path

from blip2.errors import Blip2Error
from blip2.images import open_picture
from blip2.pocket.captions import caption
from blip2.pocket.exam import Sheet, sheet, sheet_from_json, sheet_to_json
from blip2.pocket.world import BACKGROUNDS, EVAL_SEEDS, Scene, scene_at
from blip2.values import Picture

__all__ = ["FOLDER", "load_committed"]

FOLDER = Path(__file__).resolve().parents[2] / "assets" / "pocket" / "scenes"
COUNT = 64
FIRST = EVAL_SEEDS.start + 640_000_000
QUALITY = 80  # of the JPEG files


def load_committed(limit: int | None = None) -> list[tuple[Sheet, Picture]]:
    """The committed scenes, the first `limit` of them, each with its picture.

    Raises:
        Blip2Error: the folder is not there; `BadImage` if a picture is damaged.
    """
    source = FOLDER / "scenes.json"
    if not source.is_file():
        raise Blip2Error(
            f"The committed scenes are missing: there is no {source.name} in {FOLDER}; get the whole project."
        )
    rows = json.loads(source.read_text("utf-8"))[:limit]
    return [(sheet_from_json(row["sheet"]), open_picture(FOLDER / row["file"], row["file"])) for row in rows]


def _choose() -> list[Scene]:
    """The first scenes of the range that show every place about equally often."""
    chosen: list[Scene] = []
    count = dict.fromkeys((place.name for place in BACKGROUNDS), 0)
    most = -(-COUNT // len(BACKGROUNDS))
    seed = FIRST
    while len(chosen) < COUNT:
        scene = scene_at(seed)
        seed += 1
        if count[scene.background] < most:
            count[scene.background] += 1
            chosen.append(scene)
    return chosen


def draw() -> None:
    """Draw the pictures and write what they are asked.

    Raises:
        FontMissing: the emoji font is not installed.
    """
    from blip2.pocket.scenes import render  # drawing is not needed to load them

    FOLDER.mkdir(parents=True, exist_ok=True)
    rows = []
    for number, scene in enumerate(_choose()):
        file = f"{number:02d}.jpg"
        render(scene).save(FOLDER / file, "JPEG", quality=QUALITY, optimize=True)
        asked = sheet(scene, random.Random(FIRST + number), long=True)
        rows.append({"file": file, "caption": caption(scene).text, "sheet": sheet_to_json(asked)})
    lines = ",\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
    (FOLDER / "scenes.json").write_text(f"[\n{lines}\n]\n", "utf-8")


if __name__ == "__main__":
    draw()
