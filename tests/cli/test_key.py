"""`key` shows a key once and keeps its hash, in a file that the server takes."""

import json
import stat
from pathlib import Path

import pytest

from blip2 import cli
from blip2.api.keys import Holder, KeyFile


def test_keys_are_added_to_the_file_that_the_server_reads(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "keys.txt"
    keys = []
    for name, more in (("ada", []), ("bob", ["--rate", "5"])):
        assert cli.main(["key", name, "--file", str(file), *more]) == 0
        keys.append(capsys.readouterr().out.strip())
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert not any(key in file.read_text() for key in keys)
    read = KeyFile(file)
    assert [read.holder(key) for key in keys] == [Holder("ada"), Holder("bob", 5)]


def test_without_a_file_the_line_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["key", "ada", "--json"]) == 0
    made = json.loads(capsys.readouterr().out)
    assert made["line"].startswith("ada:")
    assert made["key"].startswith("blip2-")
    assert cli.main(["key", "ada"]) == 0
    shown = capsys.readouterr()
    assert shown.out.startswith("blip2-")
    assert "ada:" in shown.err


def test_mistakes_are_sentences(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["key", "a b"]) == 2
    assert "letters" in capsys.readouterr().err
    assert cli.main(["key", "ada", "--file", str(tmp_path)]) == 2
    assert "cannot be written" in capsys.readouterr().err
