"""`eval` as it is typed."""

import json
from pathlib import Path

import pytest

from blip2.cli import main


def test_help_lists_every_task(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["eval", "--help"])
    shown = capsys.readouterr().out
    for task in ("vqav2", "okvqa", "gqa", "coco-caption", "nocaps", "coco-retrieval", "flickr-retrieval", "textvqa"):
        assert task in shown
    for tool in ("vizwiz", "pocket", "score", "compare", "merge", "calibration"):
        assert tool in shown


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        (["vqav2", "--model", "blip2_t5/pretrain_flant5xl"], "--data"),
        (["vqav2", "--model", "blip2_t5/pretrain_flant5xl", "--data", "."], "v2_Questions_Val_mscoco.zip"),
        (["vqav2", "--model", "blip2/coco", "--data", "."], "not matching"),
        (["vqav2", "--model", "blip2_t5/nothing", "--data", "."], "nothing"),
        (["pocket", "--shard", "two"], "I/N"),
        (["pocket", "--shard", "3/2"], "numbered from 1"),
        (["compare", "here"], "no finished run"),
        (["merge", "here"], "no run"),
        (["score", "vqa", "--predictions", "no.json", "--references", "no.json"], "There is no file no.json; check"),
    ],
)
def test_mistakes_are_told_before_any_model_is_loaded(
    typed: list[str], told: str, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["eval", *typed]) == 2
    shown = capsys.readouterr()
    assert told in shown.err
    assert "Traceback" not in shown.err
    assert not list(tmp_path.iterdir())


def test_scoring_prints_a_table_or_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    truth = {"annotations": [{"question_id": 1, "answers": [{"answer": "yes"}] * 10, "answer_type": "yes/no"}]}
    (tmp_path / "true.json").write_text(json.dumps(truth))
    (tmp_path / "said.json").write_text(json.dumps([{"question_id": 1, "answer": "yes"}]))
    files = ["--predictions", str(tmp_path / "said.json"), "--references", str(tmp_path / "true.json")]
    assert main(["eval", "score", "vqa", *files, "--each", str(tmp_path / "each.jsonl")]) == 0
    assert "accuracy                100.00" in capsys.readouterr().out
    assert json.loads((tmp_path / "each.jsonl").read_text())["id"] == "1"
    assert main(["eval", "score", "vqa", *files, "--protocol", "lavis", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["figures"]["accuracy"] == 100.0


def test_a_run_from_the_command_line(opt_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The whole way on a tiny real model: run, score again, compare with itself, calibrate."""
    out = str(tmp_path / "run")
    typed = ["eval", "pocket", "--model", str(opt_folder), "--limit", "1", "--out", out, "--device", "cpu"]
    assert main([*typed, "--json"]) == 0
    made = json.loads(capsys.readouterr().out)
    assert made["n"] == len((tmp_path / "run" / "predictions.jsonl").read_text().splitlines()) >= 7
    assert made["model"]["dtype"] == "float32"
    assert main(typed) == 2
    assert "add --resume" in capsys.readouterr().err
    assert main([*typed, "--resume"]) == 0
    assert "exact" in capsys.readouterr().out
    assert main(["eval", "merge", out]) == 0
    assert main(["eval", "compare", out, out, "--html", str(tmp_path / "both.html")]) == 0
    assert "in common" in capsys.readouterr().out
    assert (tmp_path / "both.html").is_file()
    assert main(["eval", "calibration", out, "--coverage", "0.5"]) == 0
    assert "expected calibration error" in capsys.readouterr().out
