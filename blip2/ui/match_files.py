"""What the match tab hands over as files: tables and labels as CSV, everything as JSON, features as an archive.

It knows no gradio; a page's script makes the file of the text.
"""

import json
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from blip2 import match_tables
from blip2.errors import BadInput
from blip2.features import save_npz, to_json
from blip2.gathering import Shelf
from blip2.ui.match_actions import Classes, Extracted, Table, Where

NOTHING_YET = "There is nothing to take away yet; press the button on the left first."


@dataclass(frozen=True, slots=True, eq=False)
class Taken:
    """Features and the archive that holds them; `shelf` keeps it on disk for as long as this."""

    of: Extracted
    npz: Path
    shelf: Shelf = field(repr=False)


class Recent:
    """The archives given out last, kept on disk until gradio has copied them. Any thread may add one."""

    def __init__(self, count: int = 16) -> None:
        self._kept: deque[Taken] = deque(maxlen=count)

    def keep(self, made: Taken) -> None:
        """Keep one more, and let go of the oldest."""
        self._kept.append(made)


def taken(of: Extracted) -> Taken:
    """Write the archive of the features. Raises `BadSetting` where that fails."""
    shelf = Shelf()
    path = shelf.path / "features.npz"
    save_npz(of.made, path, images=of.pictures, texts=of.texts)
    return Taken(of, path, shelf)


def as_csv(made: Any) -> dict[str, str]:
    """A table's pairs, or the labels. Raises `BadInput` where there are none."""
    if isinstance(made, Table):
        return _file("matches.csv", "text/csv", match_tables.pairs_csv(made.names, made.texts, made.made))
    if isinstance(made, Classes):
        return _file("labels.csv", "text/csv", match_tables.labels_csv([(made.picture, made.found)]))
    raise BadInput(NOTHING_YET)


def as_json(made: Any) -> dict[str, str]:
    """Whatever was made. Raises `BadInput` where there is nothing."""
    if isinstance(made, Table):
        return _json("matches.json", made.to_json())
    if isinstance(made, Classes):
        return _json("labels.json", labels(made))
    if isinstance(made, Where):
        return _json("words.json", words(made))
    if isinstance(made, Taken):
        of = made.of
        held = {"images": list(of.pictures), "texts": list(of.texts), "features": to_json(of.made)}
        return _json("features.json", held | {"failed": failures(of.failed)})
    raise BadInput(NOTHING_YET)


def labels(made: Classes) -> dict[str, Any]:
    """Labels as plain values."""
    return {"model": made.model, "labels": match_tables.labels_json(made.found), "error": ""}


def words(made: Where) -> dict[str, Any]:
    """Words and their maps as plain values; "" is the whole text."""
    maps = [grid.round(6).tolist() for grid in made.attention.maps.astype(float)]
    return {"text": made.text, "words": list(made.attention.words), "maps": maps, "error": ""}


def failures(failed: Sequence[tuple[str, str]]) -> list[dict[str, str]]:
    """The pictures that could not be opened as plain values."""
    return [{"picture": name, "error": why} for name, why in failed]


def _json(name: str, data: dict[str, Any]) -> dict[str, str]:
    return _file(name, "application/json", json.dumps(data, ensure_ascii=False))


def _file(name: str, kind: str, text: str) -> dict[str, str]:
    return {"name": name, "type": kind, "text": text}
