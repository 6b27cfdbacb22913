"""The index's file: what was written is read; whatever is no sound index is one sentence."""

import json
import pickle
from pathlib import Path

import numpy as np
import pytest

from blip2.errors import BadInput
from blip2.indexes import IndexModel, IndexWriter, Row, given_away, open_index

MODEL = IndexModel("scripted/itm", "scripted", "1", "float32")


def written(path: Path, count: int = 3) -> Path:
    writer = IndexWriter(MODEL)
    for at in range(count):
        row = Row(f"dir/{at}.jpg", f"digest{at}", 10 + at, 1.5 + at, f"/somewhere/{at}.jpg")
        writer.add(row, np.full((2, 4), at / 8, np.float32), b"jpeg" * (at + 1))
    writer.broken.append(Row("bad.jpg", error="It is damaged."))
    writer.save(path)
    writer.close()
    return path


def test_what_was_written_is_read(tmp_path: Path) -> None:
    index = open_index(written(tmp_path / "a.index"), trusted=True)
    assert (len(index), index.model) == (3, MODEL)
    assert index.rows[1] == Row("dir/1.jpg", "digest1", 11, 2.5, "/somewhere/1.jpg")
    assert index.broken[0].error == "It is damaged."
    assert [index.thumbnail(at) for at in range(3)] == [b"jpeg", b"jpeg" * 2, b"jpeg" * 3]
    assert isinstance(index.features, np.memmap)
    np.testing.assert_array_equal(index.features[:, 0, 0], np.array([0, 1, 2]) / 8)
    assert [path.name for path in tmp_path.iterdir()] == ["a.index"]


def test_an_index_that_is_not_ones_own_names_no_files(tmp_path: Path) -> None:
    path = written(tmp_path / "a.index")
    assert {row.file for row in open_index(path).rows} == {""}
    given_away(open_index(path, trusted=True), tmp_path / "b.index")
    assert b"/somewhere" in path.read_bytes()
    assert b"/somewhere" not in (tmp_path / "b.index").read_bytes()
    assert open_index(tmp_path / "b.index").rows[2].name == "dir/2.jpg"


def test_an_empty_index_and_names_that_are_no_text_are_kept(tmp_path: Path) -> None:
    assert len(open_index(written(tmp_path / "a.index", 0))) == 0
    writer = IndexWriter(MODEL)
    writer.add(Row("caf\udce9.jpg"), np.zeros((2, 4)), b"x")
    writer.save(tmp_path / "b.index")
    assert open_index(tmp_path / "b.index").rows[0].name == "caf\udce9.jpg"


def test_the_index_in_use_may_be_written_over(tmp_path: Path) -> None:
    path = written(tmp_path / "a.index")
    before = open_index(path)
    written(path, 5)
    assert (len(before.features), float(before.features[2, 0, 0])) == (3, 0.25)
    assert len(open_index(path)) == 5


@pytest.mark.parametrize("kept", [0, 5, 40, 400, -1])
def test_a_file_cut_short_anywhere_is_a_sentence(tmp_path: Path, kept: int) -> None:
    path = written(tmp_path / "a.index")
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(BadInput, match=r"a\.index"):
        open_index(path)


@pytest.mark.parametrize("noise", range(40))
def test_a_damaged_file_is_a_sentence_or_an_index_that_reads(tmp_path: Path, noise: int) -> None:
    path = written(tmp_path / "a.index")
    data = bytearray(path.read_bytes())
    random = np.random.default_rng(noise)
    for at in random.integers(0, len(data), 6):
        data[at] = random.integers(0, 256)
    path.write_bytes(data)
    try:
        index = open_index(path)
    except BadInput:
        return  # any other exception fails the test
    assert len([index.thumbnail(at) for at in range(len(index))]) == len(index.features)


def test_foreign_files_other_versions_and_nothing_are_sentences(tmp_path: Path) -> None:
    path = tmp_path / "a.index"
    for foreign in (b"", pickle.dumps({"a": 1}), b"\xff" * 200, b'{"rows": []}', (2).to_bytes(8, "little") + b"[]"):
        path.write_bytes(foreign)
        with pytest.raises(BadInput, match="no index"):
            open_index(path)
    head = json.dumps({"__metadata__": {"blip2_index": "9"}}).encode()
    path.write_bytes(len(head).to_bytes(8, "little") + head)
    with pytest.raises(BadInput, match="version 9"):
        open_index(path)
    for missing in (tmp_path / "none.index", tmp_path):
        with pytest.raises(BadInput, match="cannot be read"):
            open_index(missing)
    with pytest.raises(BadInput, match="cannot be written"):
        written(tmp_path / "nowhere" / "a.index")
