"""`votes` prints what the votes say."""

import csv
import json
from pathlib import Path

import pytest
from voting import cast

from blip2 import cli
from blip2.votes import FILE, VoteBook


@pytest.fixture
def data(tmp_path: Path) -> str:
    cast(VoteBook(tmp_path / FILE), "left", "left", "right", "tie")
    return str(tmp_path)


def printed(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert cli.main(["votes", *arguments]) == 0
    return capsys.readouterr().out


def test_the_tally_in_three_forms(capsys: pytest.CaptureFixture[str], data: str) -> None:
    assert "opt won 2, t5 won 1, ties 1, both wrong 0" in printed(capsys, "--data", data)
    (pair,) = json.loads(printed(capsys, "--data", data, "--json"))["pairs"]
    assert (pair["first_wins"], pair["second_wins"], pair["votes"]) == (2, 1, 4)
    (row,) = csv.DictReader(printed(capsys, "--data", data, "--csv").splitlines())
    assert row["first_wins"] == "2"


def test_each_vote(capsys: pytest.CaptureFixture[str], data: str) -> None:
    votes = json.loads(printed(capsys, "--data", data, "--each", "--json"))
    assert [vote["verdict"] for vote in votes].count("left") == 2
    assert votes[0]["left"]["decoding"]["num_beams"] == 5
    assert len(list(csv.DictReader(printed(capsys, "--data", data, "--each").splitlines()))) == 4


def test_no_votes_yet_is_no_error_and_makes_no_file(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert printed(capsys, "--data", str(tmp_path / "none")) == "There are no votes yet.\n"
    assert not (tmp_path / "none").exists()


def test_a_damaged_file_is_a_sentence(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b"x" * 5000)
    assert cli.main(["votes", "--data", str(tmp_path)]) == cli.FAILED
    assert "move it away" in capsys.readouterr().err
