"""The example pictures of the page: scenes composed by hand, their titles and good first questions.

`assets/examples/examples.json` is the source: each entry holds a file name, a title, questions to ask in this order
(a later one may need the answers before it), the right answers, and the scene. The scenes were composed by hand, so
none was drawn in training.

    python -m blip2.pocket.examples        # draws the pictures again (needs the emoji font)
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from blip2.pocket.world import Scene, scene_from_json

FOLDER = Path(__file__).resolve().parents[2] / "assets" / "examples"
QUALITY = 92  # of the JPEG files


@dataclass(frozen=True)
class Example:
    """One example: its picture's path, a title (also the alternative text), questions in order and their answers."""

    path: Path
    title: str
    questions: tuple[str, ...]
    scene: Scene
    answers: tuple[str, ...] = ()


def _example(row: dict[str, Any]) -> Example:
    scene = scene_from_json(row["scene"])
    return Example(FOLDER / row["file"], row["title"], tuple(row["questions"]), scene, tuple(row["answers"]))


def load_examples() -> tuple[Example, ...]:
    """All examples, in the order of the page; an empty tuple where the assets are not installed."""
    source = FOLDER / "examples.json"
    if not source.is_file():
        return ()
    return tuple(_example(row) for row in json.loads(source.read_text("utf-8")))


def draw() -> list[Path]:
    """Draw every example's picture into its file.

    Raises:
        FontMissing: the emoji font is not installed.
    """
    from blip2.pocket.scenes import render  # drawing is not needed to load examples

    drawn = []
    for example in load_examples():
        render(example.scene).save(example.path, "JPEG", quality=QUALITY, subsampling=0, optimize=True)
        drawn.append(example.path)
    return drawn


if __name__ == "__main__":
    for path in draw():
        print(path.name)
