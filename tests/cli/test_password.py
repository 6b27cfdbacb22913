"""`password` reads the password from the input, never from the command, and writes what the server reads."""

import io
import stat
from pathlib import Path

import pytest

from blip2 import cli
from blip2.people import read_people


def test_the_line_lets_the_person_in(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "people.txt"
    for name in ("ada", "bob"):
        monkeypatch.setattr("sys.stdin", io.StringIO(f"the word of {name}\n"))
        assert cli.main(["password", name, "--file", str(file)]) == 0
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert "the word of" not in file.read_text() + capsys.readouterr().out
    people = read_people(file)
    assert people.admits("bob", "the word of bob")
    monkeypatch.setattr("sys.stdin", io.StringIO("another word\n"))
    assert cli.main(["password", "ada", "--file", str(file)]) == 2
    assert "already" in capsys.readouterr().err


def test_a_password_in_the_command_is_not_taken(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["password", "ada", "my password"]) == 2
    assert capsys.readouterr().out == ""
