"""Finished runs side by side."""

from pathlib import Path

import pytest

from blip2.backends.scripted import ScriptedBackend
from blip2.errors import BadInput
from blip2.evaluation import compare
from blip2.evaluation.compare import Finished
from blip2.evaluation.run import Plan, run


def finished(vqa_data: Path, folder: Path, every: int, limit: int | None = None) -> Finished:
    def answer(prompt: str) -> str:
        number = int(prompt.split()[-2].rstrip("?"))
        return f"it is {number}" if number % every == 0 else "no"

    run(Plan("vqav2", "scripted/opt", vqa_data, out=folder, limit=limit), ScriptedBackend(answer))
    return compare.load(folder)


def test_differences_with_intervals(vqa_data: Path, tmp_path: Path) -> None:
    runs = [finished(vqa_data, tmp_path / "all", 1), finished(vqa_data, tmp_path / "some", 4)]
    made = compare.compare(runs, draws=2000)
    first, second = made["figures"]["vqa_official"]
    assert first["value"] == pytest.approx(80.0)
    assert second["value"] == pytest.approx(20.0)
    assert second["difference"] == pytest.approx(-60.0)
    assert second["low"] < -60 < second["high"] < 0
    assert "beyond chance" in compare.card(made)
    page = compare.page(made)
    assert "-60.00" in page
    assert "src=" not in page
    same = compare.compare([runs[0], runs[0]], draws=500)["figures"]["vqa_official"][1]
    assert (same["difference"], same["low"], same["high"]) == (0.0, 0.0, 0.0)


def test_only_shared_examples_count(vqa_data: Path, tmp_path: Path) -> None:
    runs = [finished(vqa_data, tmp_path / "all", 2), finished(vqa_data, tmp_path / "few", 2, limit=4)]
    made = compare.compare(runs, draws=100)
    assert (made["examples"], made["left_out"]) == (4, [11, 0])
    assert made["figures"]["vqa_official"][0]["value"] == 50.0


def test_a_figure_that_is_no_mean_has_no_interval() -> None:
    report = {
        "figures": {"CIDEr": 50.0, "Bleu_4": 12.0},
        "model": {"name": "m", "revision": "", "dtype": "float32"},
        "protocol": {"name": "paper"},
        "task": "coco-caption",
        "n": 2,
        "broken": {"n": 0},
        "examples_per_second": 1.0,
    }
    values = {"1": {"CIDEr": 0.4, "Bleu_4": 0.5}, "2": {"CIDEr": 0.6, "Bleu_4": 0.5}}
    made = compare.compare([Finished("a", report, dict(values)), Finished("b", report, dict(values))], draws=10)
    assert set(made["figures"]) == {"CIDEr"}
    assert made["without_interval"] == {"Bleu_4": [12.0, 12.0]}
    assert "Bleu_4" in compare.card(made)


def test_what_cannot_be_compared(vqa_data: Path, tmp_path: Path) -> None:
    one = finished(vqa_data, tmp_path / "one", 1, limit=2)
    with pytest.raises(BadInput, match="two finished runs"):
        compare.compare([one])
    with pytest.raises(BadInput, match="no example in common"):
        compare.compare([one, Finished("x", one.report, {"other": {}})])
    with pytest.raises(BadInput, match="no finished run"):
        compare.load(tmp_path)
