"""`index` and `search` on a tiny real model: files, exit codes, JSON, an interruption, quiet pipes."""

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from blip2 import cli
from blip2.backends.scripted import ScriptedBackend
from blip2.cli.index import write
from blip2.gathering import Found
from blip2.indexes import open_index
from blip2.indexing import Counts, Indexer


@pytest.fixture
def album(tmp_path: Path) -> Path:
    folder = tmp_path / "album"
    (folder / "inner").mkdir(parents=True)
    for at, name in enumerate(("a.png", "b.png", "inner/c.png")):
        Image.new("RGB", (30, 20), (90 * at, 80, 40)).save(folder / name)
    return folder


def run(capsys: pytest.CaptureFixture[str], *arguments: Any) -> tuple[int, str, str]:
    code = cli.main([str(each) for each in arguments])
    return (code, *capsys.readouterr())


def test_an_album_is_indexed_extended_and_searched(
    album: Path, tmp_path: Path, itm_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "album.index"
    code, said, errors = run(capsys, "index", album, "--out", out, "--model", itm_folder, "--device", "cpu")
    assert (code, errors) == (0, "")
    assert "3 pictures (3 new)" in said
    (album / "d.jpg").write_bytes(b"no picture")
    code, said, errors = run(capsys, "index", album, "--out", out, "--extend", "--json")
    told = json.loads(said)
    assert (code, errors, told["pictures"], told["new"], told["kept"]) == (2, "", 3, 0, 3)
    assert "d.jpg" in told["broken"][0]["file"]
    code, said, errors = run(capsys, "search", out, "a red ball", "-k", "2", "--json")
    assert (code, errors) == (0, "")
    results = json.loads(said)["results"]
    assert [row["rank"] for row in results] == [1, 2]
    assert all(0 <= row["itm"] <= 1 and Path(row["file"]).is_file() for row in results)
    assert "ITM" not in run(capsys, "search", out, "a red ball", "--no-rerank")[1]
    code, said, _ = run(capsys, "search", out, "--picture", album / "inner" / "c.png")
    assert "like  1.000" in said.splitlines()[0]
    assert "c.png" in said.splitlines()[0]
    (album / "a.png").unlink()
    code, said, _ = run(capsys, "index", album / "b.png", "--out", out, "--extend", "--prune")
    assert (code, "2 pictures (0 new)" in said) == (0, True)


def test_interrupted_it_keeps_what_is_done(
    album: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    files = [Found(path.name, str(path)) for path in sorted(album.glob("*.png"))]
    add = Indexer.add

    def interrupted(self: Indexer, found: list[Found], total: int) -> Iterator[Counts]:
        yield from add(self, found[:1], total)
        raise KeyboardInterrupt

    monkeypatch.setattr(Indexer, "add", interrupted)
    out = tmp_path / "a.index"
    assert write(Indexer(ScriptedBackend(), "scripted/itm"), files, out) == 130
    assert "--extend goes on" in capsys.readouterr().err
    assert [row.name for row in open_index(out).rows] == ["a.png"]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_sees_how_far_it_is(album: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = [Found(path.name, str(path)) for path in sorted(album.glob("*.png"))]
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    assert write(Indexer(ScriptedBackend(), "scripted/itm"), files, tmp_path / "a.index") == 0
    assert "2/2 pictures" in terminal.getvalue()


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (("index", "nowhere", "--out", "x.index"), "nowhere"),
        (("index", "EMPTY", "--out", "x.index"), "no picture"),
        (("index", "ALBUM", "--out", "EMPTY/none/x.index"), "no folder"),
        (("index", "ALBUM", "--out", "x.index", "--prune"), "--extend"),
        (("index", "ALBUM", "--out", "missing.index", "--extend"), "missing.index"),
        (("search", "missing.index", "a dog"), "missing.index"),
        (("search", "missing.index"), "by words or by picture"),
        (("search", "missing.index", "a dog", "--picture", "x.png"), "not both"),
        (("search", "ALBUM/a.png", "a dog"), "no index"),
    ],
)
def test_mistakes_are_sentences(
    arguments: tuple[str, ...], part: str, album: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "empty").mkdir()
    typed = [each.replace("ALBUM", str(album)).replace("EMPTY", str(tmp_path / "empty")) for each in arguments]
    code, _, errors = run(capsys, *typed)
    assert code == 2
    assert part in errors
    assert errors.count("\n") == 1
