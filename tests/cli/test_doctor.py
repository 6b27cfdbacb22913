"""`doctor` prints what was found and its exit code says whether all is well."""

import json
from pathlib import Path

import pytest

from blip2 import cli


def test_a_sound_model_is_exit_code_0(opt_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["doctor", "--model", str(opt_folder), "--device", "cpu"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[-1] == "All is well."
    assert any(line.startswith("Tokenizer") for line in lines)


def test_the_findings_as_json(itm_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["doctor", "--model", str(itm_folder), "--json", "--device", "cpu"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["ok"] is True
    assert found["loaded"]["family"] == "itm"
    assert found["self_check"]


def test_a_broken_checkpoint_is_exit_code_1_with_the_reason(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "config.json").write_text("{}")
    assert cli.main(["doctor", "--model", str(tmp_path)]) == 1
    assert str(tmp_path.name) in capsys.readouterr().out.splitlines()[-1]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [(["--model", "blip2_opt/pretrain_opt2.8b"], "pretrain_opt2.7b"), (["--pictures", "nowhere"], "nowhere")],
)
def test_mistakes_are_exit_code_2(arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["doctor", *arguments]) == 2
    assert said in capsys.readouterr().err
