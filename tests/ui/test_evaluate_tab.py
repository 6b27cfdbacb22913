"""The evaluate tab's handlers, and the tab in a page."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gradio as gr
import pytest

from blip2.backends.scripted import ScriptedBackend
from blip2.evaluation.run import Plan, run
from blip2.settings import Settings
from blip2.ui.evaluate_tab import Handlers, evaluate_tab
from blip2.ui.evaluate_view import CHOOSE, NONE, figures_of
from blip2.ui.studio import Studio


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with one run: the bundled world's committed scenes, answered with markup."""
    from blip2.evaluation import pocket_task
    from blip2.pocket.sprites import FontMissing

    def no_font() -> Path:
        raise FontMissing("no font")

    monkeypatch.setattr(pocket_task, "font_file", no_font)
    plan = Plan("pocket", "scripted/opt", out=tmp_path / "runs" / "one", limit=1)
    run(plan, ScriptedBackend(default="<b>dog</b>"))
    return tmp_path / "runs"


def ids(table: str) -> list[str]:
    return re.findall(r'data-prediction="([^"]+)"', table)


def test_choosing_a_run_lists_its_predictions(folder: Path) -> None:
    figures, count, table, picture, detail = Handlers(folder).on_choose("one", "", "all")
    assert "Pocket scenes" in figures
    assert f"{len(ids(table))} of {len(ids(table))} predictions" in count
    assert '<th scope="col">Question</th>' in table
    assert "<b>dog" not in table
    assert "&lt;b&gt;dog" in table
    assert (picture["visible"], detail) == (False, CHOOSE)
    assert "No prediction is like that" in Handlers(folder).on_choose("one", "", "right")[2]
    assert len(ids(Handlers(folder).on_choose("one", "caption", "wrong")[2])) == 1


def test_what_is_not_there_is_said(folder: Path) -> None:
    assert Handlers(folder).on_choose(None, "", "all")[0] == NONE
    assert "no finished run" in Handlers(folder).on_choose("../one", "", "all")[0]
    assert Handlers(folder).on_again("gone")["value"] == "one"
    assert Handlers(folder / "nowhere").on_again(None)["choices"] == []


def test_a_damaged_run_is_said_and_the_page_still_opens(folder: Path) -> None:
    (folder / "two").mkdir()
    (folder / "two" / "report.json").write_text('{"a": 1}')
    figures, count, table, _, detail = Handlers(folder).on_choose("two", "", "all")
    assert "The run &#x27;two&#x27; is damaged" in figures
    assert 'role="alert"' in figures
    assert (count, table, detail) == ("", "", "")
    with gr.Blocks():  # the newest run is the one that is shown first
        evaluate_tab(Studio(Settings(runs=str(folder)), ScriptedBackend()))


def test_a_run_whose_predictions_are_gone_says_so_and_gives_no_wrong_advice(folder: Path) -> None:
    path = folder / "one" / "predictions.jsonl"
    path.write_bytes(path.read_bytes()[:20])
    _, count, table, _, detail = Handlers(folder).on_choose("one", "", "all")
    assert "holds 0 of the" in count
    assert "--resume" in count
    assert (table, detail) == ("", "")


def test_a_click_shows_the_picture_and_every_fact_as_text(folder: Path) -> None:
    (talk, *_) = ids(Handlers(folder).on_choose("one", "talk 1", "all")[2])
    picture, detail = Handlers(folder).on_select("one", talk)
    assert picture["value"].size == (448, 448)
    assert "<b>dog" not in detail
    assert "&lt;b&gt;dog" in detail
    assert "Question:" in detail
    assert "<dt>Ended because</dt><dd>the model ended its answer</dd>" in detail
    assert re.search(r"<dt>Confidence</dt><dd>\d+\.\d%</dd>", detail)
    names = re.findall("<dt>(.*?)</dt>", detail)
    assert [name for name in names if not name[0].isupper()] == []
    assert "no finished run" in Handlers(folder).on_select("two", talk)[1]
    assert "no longer in the data" in Handlers(folder).on_select("one", "<i>nothing</i>")[1]


def test_published_figures_stand_beside(folder: Path) -> None:
    report: dict[str, Any] = {
        "published": [{"figure": "CIDEr", "published": 145.8, "difference": -1.0, "protocol": "paper"}],
        "protocol": {"name": "paper"},
        "figures": {"CIDEr": 144.8},
        "calibration": {"ece": 0.1},
        "broken": {"n": 2},
        "dataset": "COCO captions",
        "split": "test",
        "n": 5000,
        "model": {"name": "m", "dtype": "float16"},
    }
    shown = figures_of(report)
    assert "published 145.8 (-1.00)" in shown
    assert "broken pictures" in shown


@pytest.mark.filterwarnings("error::UserWarning")  # gradio warns of a handler whose inputs do not fit it
@pytest.mark.parametrize("runs", [lambda folder: folder, lambda folder: folder / "nowhere"])
def test_the_tab_builds_with_and_without_runs(folder: Path, runs: Callable[[Path], Path]) -> None:
    studio = Studio(Settings(runs=str(runs(folder))), ScriptedBackend())
    with gr.Blocks() as blocks:
        evaluate_tab(studio)
    shown = [str(block.value) for block in blocks.blocks.values() if isinstance(block, gr.HTML)]
    assert any(("Pocket scenes" if runs(folder).is_dir() else "No finished run yet") in text for text in shown)
