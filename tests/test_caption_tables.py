"""Captions as files: what a spreadsheet, a program and a fine-tuning tool read back."""

import csv
import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from blip2.caption_tables import HEAD, csv_lines, framed, json_lines, write_text_files


def row(file: str, caption: str = "a ball", error: str | None = None, **more: Any) -> dict[str, Any]:
    captions = [{"text": caption, "score": -1.0, "confidence": 0.51234567, "itm": 0.9}, {"text": "two"}]
    return {
        "file": file, "caption": "" if error else caption, "captions": [] if error else captions, "picture": "d",
        "error": error, "seconds": 0.1, **more,
    }  # fmt: skip


def test_csv_reads_back(tmp_path: Path) -> None:
    text = "".join(csv_lines([row("a.png", 'a "b", c\nd', edited=True), row("b.png", error="It is broken.")]))
    first, second = csv.DictReader(io.StringIO(text, newline=""))
    assert tuple(first) == HEAD
    assert (first["caption"], first["match"], first["confidence"]) == ('a "b", c\nd', "0.9", "0.5123")
    assert (first["other_captions"], first["edited"]) == ("two", "yes")
    assert (second["error"], second["caption"], second["match"]) == ("It is broken.", "", "")


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "=HYPERLINK(\"http://x\")"])  # fmt: skip
def test_no_cell_is_a_formula(text: str) -> None:
    (read,) = csv.DictReader(io.StringIO("".join(csv_lines([row(text, text)])), newline=""))
    assert read["file"] == read["caption"] == f"'{text}"


def test_json_lines_read_back() -> None:
    rows = [row("é.png"), row("b.png", error="No.")]
    lines = list(json_lines(rows))
    assert [json.loads(line) for line in lines] == rows
    assert "é" in lines[0]


def test_text_files_lie_as_the_pictures_did(tmp_path: Path) -> None:
    rows = [row("x/a.png"), row("x/a.jpg", "a dog"), row("b.png", error="No."), row("c.webp", "=1")]
    assert write_text_files(rows, tmp_path / "t.zip", "sks,", "photo") == 3
    with zipfile.ZipFile(tmp_path / "t.zip") as made:
        assert {name: made.read(name).decode() for name in made.namelist()} == {
            "x/a.txt": "sks, a ball photo\n",
            "x/a.jpg.txt": "sks, a dog photo\n",
            "c.txt": "sks, =1 photo\n",
        }
    assert framed("a", " ", "") == "a"
