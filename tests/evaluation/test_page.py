"""The report's page stands alone: no address is fetched, pictures are inside, text is text."""

import re
from pathlib import Path

import pytest

from blip2.backends.scripted import ScriptedBackend
from blip2.evaluation import question_files
from blip2.evaluation.page import worst
from blip2.evaluation.run import Plan, run
from blip2.evaluation.scores import Scores


@pytest.fixture
def page(vqa_data: Path, tmp_path: Path) -> str:
    run(
        Plan("vqav2", "scripted/opt", vqa_data, out=tmp_path / "run"),
        ScriptedBackend(default="<script>alert(1)</script>"),
    )
    return (tmp_path / "run" / "report.html").read_text("utf-8")


def test_it_needs_nothing_from_elsewhere(page: str) -> None:
    assert page.startswith("<!doctype html>")
    assert not re.search(r"""(?:src|href)=["'](?!data:)""", page)
    assert "@import" not in page
    assert "url(" not in page


def test_pictures_and_plots_are_inside(page: str) -> None:
    assert page.count('src="data:image/jpeg;base64,') == 12
    assert page.count("is not a picture") >= 3  # the broken ones show why
    assert page.count("<svg") >= 4
    assert 'aria-label="Reliability: accuracy against confidence"' in page


def test_what_a_model_says_is_text(page: str) -> None:
    assert "<script" not in page
    assert "&lt;script&gt;" in page


def test_the_worst_come_first_the_sure_ones_before_the_unsure(vqa_data: Path) -> None:
    dataset = question_files.vqav2(vqa_data).limited(4)
    ids = [example.id for example in dataset.examples]
    values = dict(zip(ids, (1.0, 0.0, 0.3, 0.0), strict=True))
    scores = Scores({}, "vqa_official", {}, {id_: {"vqa_official": value} for id_, value in values.items()})
    rows = {id_: {"confidence": sure} for id_, sure in zip(ids, (0.9, 0.2, 0.5, 0.8), strict=True)}
    assert [example.id for example in worst(dataset, rows, scores, 3)] == [ids[3], ids[1], ids[2]]
