"""`zoo` prints the rows of the zoo."""

import json

import pytest

from blip2 import cli, zoo


def test_the_table(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["zoo"]) == 0
    assert capsys.readouterr().out == zoo.table() + "\n"


def test_the_rows_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["zoo", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert [row["model"] for row in rows] == [row.key for row in zoo.ROWS]
    assert {"blip2_opt/pretrain_opt2.7b", "blip2_t5/pretrain_flant5xxl", "blip2/coco"} <= {row["model"] for row in rows}
