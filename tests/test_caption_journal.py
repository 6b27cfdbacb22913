"""The file of captions: lines of JSON or CSV that a killed program goes on with, none lost and none twice."""

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from blip2.caption_journal import CaptionJournal
from blip2.caption_tables import HEAD
from blip2.errors import BadSetting


def row(file: str, caption: str = "a ball", error: str | None = None) -> dict[str, Any]:
    captions = [] if error else [{"text": caption, "score": -1.0, "confidence": 0.5, "itm": None}]
    return {"file": file, "caption": caption, "captions": captions, "picture": "d", "error": error, "seconds": 0.1}


def files(path: Path) -> list[str]:
    """The files named in it, read as other programs would."""
    if path.suffix == ".csv":
        with path.open(encoding="utf-8", newline="") as file:
            return [each["file"] for each in csv.DictReader(file)]
    return [json.loads(line)["file"] for line in path.read_text(encoding="utf-8").splitlines()]


def write(path: Path, *rows: dict[str, Any], resume: bool = False) -> CaptionJournal:
    with CaptionJournal(path, resume) as out:
        for each in rows:
            out.append(each)
    return out


@pytest.fixture(params=["jsonl", "csv"])
def out(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    return tmp_path / f"captions.{request.param}"


def test_every_line_is_there_at_once_and_a_new_file_replaces_the_old(out: Path) -> None:
    with CaptionJournal(out) as journal:
        journal.append(row("a.png"))
        assert files(out) == ["a.png"]
    write(out, row("b.png"))
    assert files(out) == ["b.png"]
    assert [path.name for path in out.parent.iterdir()] == [out.name]


def test_going_on_keeps_what_is_done_and_drops_what_failed(out: Path) -> None:
    write(out, row("a.png", 'two\nlines, "quoted"'), row("b.png", "", "It is broken."), row("=c.png", "=1+1"))
    journal = write(out, row("b.png"), resume=True)
    assert journal.has("a.png")
    assert journal.has(Path("=c.png").absolute())
    assert not journal.has("b.png")
    assert sorted(name.removeprefix("'") for name in files(out)) == ["=c.png", "a.png", "b.png"]


def test_a_file_cut_anywhere_is_gone_on_with(out: Path) -> None:
    rows = [row(f"{at}.png", f'a "{at}", b\nc') for at in range(3)]
    write(out, *rows)
    whole = out.read_bytes()
    for at in range(len(whole) + 1):
        if out.suffix == ".csv" and 0 < at < len(",".join(HEAD)) + 2:
            continue  # no head: the file is not known as one of captions
        out.write_bytes(whole[:at])
        with CaptionJournal(out, resume=True) as journal:
            for each in rows:
                if not journal.has(each["file"]):
                    journal.append(each)
        assert files(out) == ["0.png", "1.png", "2.png"], at


def test_what_cannot_be_written_is_a_sentence_and_stays(tmp_path: Path) -> None:
    with pytest.raises(BadSetting, match="cannot be written"):
        CaptionJournal(tmp_path / "none" / "a.jsonl")
    with pytest.raises(BadSetting, match="cannot be written"):
        CaptionJournal(tmp_path)
    other = tmp_path / "other.csv"
    other.write_text("name,price\r\nx,1\r\n")
    with pytest.raises(BadSetting, match="no file of captions"):
        CaptionJournal(other, resume=True)
    assert other.read_text().startswith("name,price")


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "link.jsonl").symlink_to(tmp_path / "real.jsonl")
    write(tmp_path / "link.jsonl", row("a.png"))
    assert (tmp_path / "link.jsonl").is_symlink()
    assert files(tmp_path / "real.jsonl") == ["a.png"]
