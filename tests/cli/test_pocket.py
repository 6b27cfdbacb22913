"""`pocket report` hands what was typed to the report; the report itself is tested beside its module."""

import argparse
from pathlib import Path

import pytest

from blip2 import cli


def test_what_is_typed_reaches_the_report(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[argparse.Namespace] = []

    def record(options: argparse.Namespace) -> int:
        seen.append(options)
        return 0

    monkeypatch.setattr("blip2.pocket.report.run", record)
    assert cli.main(["pocket", "report"]) == 0
    assert (
        cli.main(["pocket", "report", "--scenes", "5", "--seed", "7", "--json", "--photos", "p", "--only", "t5"]) == 0
    )
    plain, full = seen
    assert (plain.scenes, plain.json, plain.photos, set(plain.only)) == (2000, False, None, {"opt", "t5", "itm"})
    assert (full.scenes, full.seed, full.json, full.photos, full.only) == (5, 7, True, Path("p"), ["t5"])


@pytest.mark.parametrize(
    ("arguments", "said"),
    [([], "COMMAND"), (["report", "--scenes", "0"], "at least 1"), (["report", "--scenes", "few"], "--help")],
)
def test_mistakes_are_exit_code_2(arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["pocket", *arguments]) == 2
    assert said in capsys.readouterr().err
