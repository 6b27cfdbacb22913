"""Runs: killed and resumed, shared and merged, refused where they are another run; and what they write."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from blip2.backends.scripted import ScriptedBackend
from blip2.errors import BadInput, BadSetting, ModelUnusable
from blip2.evaluation import journal, ptb, run_folder
from blip2.evaluation.run import Plan, finish, ready, run

SCRIPT = Path(__file__).with_name("killed_run.py")
ROOT = Path(__file__).resolve().parents[2]


def echo(prompt: str) -> str:
    """Right on even numbers."""
    number = int(prompt.split("number ")[1].split("?")[0])
    return f"it is {number}" if number % 2 == 0 else "no idea"


def plan(data: Path, out: Path, **changes: Any) -> Plan:
    return replace(Plan("vqav2", "scripted/opt", data, out=out), **changes)


def rows(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / journal.PREDICTIONS).read_text().splitlines()]


def test_a_finished_run_has_all_its_files(vqa_data: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    made = run(plan(vqa_data, out), ScriptedBackend(echo))
    assert made is not None
    assert json.loads((out / "report.json").read_text()) == made
    # 6 of the 12 numbers with a picture are even; the 3 questions of the broken picture count as wrong
    assert made["figures"]["vqa_official"] == pytest.approx(100 * 6 / 15)
    assert (made["n"], made["broken"]["n"]) == (15, 3)
    assert made["broken"]["first"][0]["image"] == "COCO_val2014_000000000005.jpg"
    assert made["tables"]["by kind of answer"]["number"] == {"vqa_official": 40.0, "vqa_lavis": 40.0, "n": 5}
    assert made["model"]["revision"] == "1"
    assert made["protocol"]["decoding"]["length_penalty"] == -1.0
    assert {"python", "torch", "transformers"} <= set(made["versions"])
    assert made["calibration"]["n"] == 12
    assert made["calibration"]["confidence"] == 0.5
    assert made["seconds"] > 0
    assert [row["id"] for row in rows(out)] == [str(100 + at) for at in range(15)]
    assert rows(out)[0]["scores"] == {"vqa_official": 1.0, "vqa_lavis": 1.0}
    page = (out / "report.html").read_text()
    assert "by kind of answer" in page.lower()


def test_killed_it_goes_on_without_repeating_or_losing_an_example(vqa_data: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    child = subprocess.Popen(
        [sys.executable, str(SCRIPT), str(vqa_data), str(out)], env=environment, stderr=subprocess.DEVNULL
    )
    path = out / journal.PREDICTIONS
    while child.poll() is None and not (path.is_file() and path.read_bytes().count(b"\n") >= 3):
        time.sleep(0.01)
    child.send_signal(signal.SIGKILL)
    assert child.wait() == -signal.SIGKILL, "it was killed before it ended by itself"
    before = list(journal.read(path))
    assert 3 <= len(before) < 15
    with path.open("ab") as file:
        file.write(b'{"id": "1')  # the line that a kill can cut in two
    with pytest.raises(BadSetting, match="add --resume"):
        run(plan(vqa_data, out), ScriptedBackend(echo))
    asked: list[str] = []

    def answer(prompt: str) -> str:
        asked.append(prompt)
        return echo(prompt)

    made = run(plan(vqa_data, out, resume=True), ScriptedBackend(answer))
    assert made is not None
    after = {row["id"]: row for row in rows(out)}
    assert sorted(after) == [str(100 + at) for at in range(15)]
    assert len(asked) == 15 - 3 - sum("error" not in row for row in before)
    for row in before:  # what was answered then is as it was
        assert {key: after[row["id"]][key] for key in row} == row
    assert made["sessions"] == 2


def test_a_finished_run_can_be_scored_again_without_asking(vqa_data: Path, tmp_path: Path) -> None:
    first = run(plan(vqa_data, tmp_path / "run"), ScriptedBackend(echo))

    def never(prompt: str) -> str:
        raise AssertionError("nothing is left to ask")

    again = run(plan(vqa_data, tmp_path / "run", resume=True), ScriptedBackend(never))
    assert first is not None
    assert again is not None
    assert again["figures"] == first["figures"]


def test_parts_merged_are_the_whole(vqa_data: Path, tmp_path: Path) -> None:
    whole = run(plan(vqa_data, tmp_path / "whole"), ScriptedBackend(echo))
    here, there = tmp_path / "here", tmp_path / "there"
    told: list[str] = []
    for number, folder in ((1, here), (2, here), (3, there)):
        done = run(plan(vqa_data, folder, shard=(number, 3)), ScriptedBackend(echo), say=told.append)
        assert done is None
    assert "examples of other parts are missing" in told[-1]
    with pytest.raises(BadInput, match="lacks"):
        finish(here)
    merged = finish(run_folder.merge([here, there], tmp_path / "all"))
    assert whole is not None
    assert merged["figures"] == whole["figures"]
    assert merged["tables"] == whole["tables"]
    assert [row["id"] for row in rows(tmp_path / "all")] == [row["id"] for row in rows(tmp_path / "whole")]
    last = run(plan(vqa_data, there, shard=(3, 3), resume=True), ScriptedBackend(echo), say=told.append)
    assert last is None


def test_the_last_part_in_a_shared_folder_writes_the_report(vqa_data: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    assert run(plan(vqa_data, out, shard=(2, 2)), ScriptedBackend(echo), say=lambda _: None) is None
    made = run(plan(vqa_data, out, shard=(1, 2)), ScriptedBackend(echo))
    assert made is not None
    assert (made["shards"], made["n"]) == (2, 15)


@pytest.mark.parametrize("changes", [{"protocol": "lavis"}, {"limit": 3}, {"seed": 4}, {"model": "scripted/t5"}])
def test_another_run_does_not_go_on_in_its_folder(vqa_data: Path, tmp_path: Path, changes: dict[str, Any]) -> None:
    run(plan(vqa_data, tmp_path / "run"), ScriptedBackend(echo))
    with pytest.raises(BadSetting, match=f"has {next(iter(changes))} "):
        run(plan(vqa_data, tmp_path / "run", resume=True, **changes), ScriptedBackend(echo))


def test_runs_that_differ_do_not_merge(vqa_data: Path, tmp_path: Path) -> None:
    for name, seed in (("a", 0), ("b", 1)):
        run(plan(vqa_data, tmp_path / name, seed=seed), ScriptedBackend(echo))
    with pytest.raises(BadInput, match="differ in seed"):
        run_folder.merge([tmp_path / "a", tmp_path / "b"])


def test_data_that_changed_is_not_scored(vqa_data: Path, tmp_path: Path) -> None:
    run(plan(vqa_data, tmp_path / "run"), ScriptedBackend(echo))
    path = vqa_data / "v2_mscoco_val2014_annotations.json"
    path.write_text(path.read_text().replace("it is 2", "it is not 2"))
    with pytest.raises(BadInput, match="has changed"):
        finish(tmp_path / "run")


def test_what_can_be_told_before_a_model_is_loaded(
    vqa_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "run"
    assert len(ready(plan(vqa_data, out), "opt").examples) == 15  # type: ignore[union-attr]
    with pytest.raises(BadSetting, match="numbered from 1"):
        ready(plan(vqa_data, out, shard=(3, 2)), "opt")
    with pytest.raises(BadSetting, match="at least 1"):
        ready(plan(vqa_data, out, limit=0), "opt")
    with pytest.raises(BadInput, match="no folder"):
        ready(plan(tmp_path / "nowhere", out), "opt")
    with pytest.raises(BadSetting, match="holds no run"):
        ready(plan(vqa_data, vqa_data), "opt")
    monkeypatch.setattr(ptb, "package", lambda: None)
    with pytest.raises(ModelUnusable, match="pycocoevalcap"):
        ready(plan(vqa_data, out, task="coco-caption"), "opt")
    shutil.rmtree(out, ignore_errors=True)


def test_limit_and_departures_are_told(vqa_data: Path, tmp_path: Path) -> None:
    made = run(plan(vqa_data, tmp_path / "run", limit=3, protocol="lavis"), ScriptedBackend(echo))
    assert made is not None
    assert (made["n"], made["headline"]) == (3, "vqa_lavis")
    assert made["departures"] == ["Only the first 3 examples were asked."]
    assert any("length penalty" in line for line in made["paper_and_lavis_differ"])
