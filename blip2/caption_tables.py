"""Captions as files to take away: CSV, JSON lines, and one text file a picture in a ZIP, as fine-tuning programs read.

A row is what `Captioned.to_json` gives: `file`, `caption`, `captions`, `picture`, `error`, `seconds`; `edited` where a
person changed the caption.
"""

import json
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from blip2.gathering import sidecars
from blip2.spreadsheets import csv_line

Row = Mapping[str, Any]
HEAD = ("file", "caption", "match", "confidence", "other_captions", "edited", "picture", "error", "seconds")


def csv_head() -> str:
    """The first line of a CSV file, its end included."""
    return csv_line(HEAD)


def csv_row(row: Row) -> str:
    """A row's line; `match` is the probability that the best caption matches, where a model told it."""
    captions = row["captions"]
    best = captions[0] if captions else {}
    others = " | ".join(each["text"] for each in captions[1:])
    sure = [_short(best.get("itm")), _short(best.get("confidence"))]
    return csv_line(
        (
            row["file"], row["caption"], *sure, others, bool(row.get("edited")), row["picture"], row["error"] or "",
            row["seconds"],
        )
    )  # fmt: skip


def csv_lines(rows: Iterable[Row]) -> Iterator[str]:
    """A whole CSV file."""
    yield csv_head()
    yield from map(csv_row, rows)


def json_lines(rows: Iterable[Row]) -> Iterator[str]:
    """A line of JSON for each row."""
    return (json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def write_text_files(rows: Iterable[Row], out: Path, before: str = "", after: str = "") -> int:
    """Write a ZIP with a text file for each captioned picture, under the picture's own name; how many there are.

    `before` and `after` go around every caption, a space between: a trigger word, say.
    """
    count = 0
    rows = list(rows)
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
        for row, name in zip(rows, sidecars(row["file"] for row in rows), strict=True):
            if not row["error"]:
                made.writestr(name, framed(row["caption"], before, after) + "\n")
                count += 1
    return count


def framed(caption: str, before: str = "", after: str = "") -> str:
    """`caption` with words around it."""
    return " ".join(part for part in (before.strip(), caption, after.strip()) if part)


def _short(value: float | None) -> float | str:
    return "" if value is None else round(value, 4)
