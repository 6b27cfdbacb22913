"""What a killed process leaves behind, and who may write."""

import json
from pathlib import Path

import pytest

from blip2.errors import BadInput, Busy
from blip2.evaluation import journal
from blip2.evaluation.journal import Journal


def test_rows_are_on_the_disk_at_once(tmp_path: Path) -> None:
    path = tmp_path / "run" / "rows.jsonl"
    with Journal(path) as written:
        written.append({"id": "1", "answer": "ein Bär"})
        assert [row["answer"] for row in journal.read(path)] == ["ein Bär"]
        with pytest.raises(BadInput, match="answered already"):
            written.append({"id": "1"})


@pytest.mark.parametrize("torn", ['{"id": "2", "ans', '{"id": "2"}', "{"])
def test_a_line_cut_short_is_taken_back(tmp_path: Path, torn: str) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text('{"id": "1"}\n' + torn)
    assert [row["id"] for row in journal.read(path)] == ["1"]
    with Journal(path) as written:
        assert list(written.rows) == ["1"]
        written.append({"id": "2"})
    assert [json.loads(line)["id"] for line in path.read_text().splitlines()] == ["1", "2"]


def test_a_journal_of_one_torn_line_begins_anew(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text("x" * 200_000)
    with Journal(path) as written:
        assert written.rows == {}
    assert path.read_bytes() == b""


def test_a_damaged_line_in_the_middle_is_named(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text('{"id": "1"}\nnonsense\n{"id": "3"}\n')
    with pytest.raises(BadInput, match="Line 2"):
        Journal(path)


def test_two_writers_are_one_too_many(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    with Journal(path), pytest.raises(Busy, match="Another process"):
        Journal(path)
    Journal(path).close()


def test_parts_in_their_order(tmp_path: Path) -> None:
    assert journal.part_name(1, 1) == journal.PREDICTIONS
    for number in (10, 2, 1):
        (tmp_path / journal.part_name(number, 10)).write_text("")
    (tmp_path / journal.PREDICTIONS).write_text("")
    assert [path.name for path in journal.parts(tmp_path)] == [journal.part_name(number, 10) for number in (1, 2, 10)]


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    journal.write_text(path, "old")

    def fail_half_way() -> None:
        with journal.replacing(path) as temporary:
            temporary.write_text("half")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail_half_way()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]
