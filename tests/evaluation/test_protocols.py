"""The rows are what their sources say, and every task has one for each source."""

import pytest

from blip2.errors import BadSetting
from blip2.evaluation.protocols import NAMES, ROWS, TASKS, differences, find
from blip2.memory import Family


def test_every_task_has_both_sources_for_each_family_that_can_do_it() -> None:
    assert TASKS == (
        "vqav2",
        "okvqa",
        "gqa",
        "textvqa",
        "vizwiz",
        "coco-caption",
        "nocaps",
        "coco-retrieval",
        "flickr-retrieval",
        "pocket",
    )
    keys = [(row.task, row.name, row.family) for row in ROWS]
    assert len(set(keys)) == len(keys)
    for task, _, family in keys:
        assert {name for t, name, f in keys if (t, f) == (task, family)} == set(NAMES)


@pytest.mark.parametrize(
    ("name", "family", "prompt", "penalty", "cut", "metric"),
    [
        ("paper", "opt", "Question: {} Answer:", -1.0, 0, "vqa official"),
        ("paper", "t5", "Question: {} Short answer:", -1.0, 0, "vqa official"),
        ("lavis", "opt", "Question: {} Short answer:", 0.0, 32, "vqa lavis"),
        ("lavis", "t5", "Question: {} Short answer:", -1.0, 0, "vqa lavis"),
    ],
)
def test_vqav2(name: str, family: Family, prompt: str, penalty: float, cut: int, metric: str) -> None:
    row = find("vqav2", name, family)
    assert row.decoding is not None
    assert (row.prompt, row.decoding.length_penalty, row.prompt_tokens, row.metric) == (prompt, penalty, cut, metric)
    assert (row.decoding.method, row.decoding.num_beams, row.decoding.max_new_tokens) == ("beam", 5, 10)
    assert row.image_size == 224


def test_captions_do_not_follow_todays_defaults_in_the_papers_name() -> None:
    paper, lavis = find("coco-caption", "paper", "opt"), find("coco-caption", "lavis", "opt")
    assert paper.decoding is not None
    assert lavis.decoding is not None
    assert (paper.decoding.repetition_penalty, paper.decoding.length_penalty) == (1.0, 1.0)
    assert (lavis.decoding.repetition_penalty, lavis.decoding.length_penalty) == (1.15, 0.0)
    assert (paper.decoding.max_new_tokens, lavis.decoding.max_new_tokens) == (30, 29)
    assert find("coco-caption", "lavis", "t5").decoding.max_new_tokens == 30  # type: ignore[union-attr]
    assert (paper.prompt, paper.image_size) == ("a photo of", 364)


def test_only_lavis_lemmatises_and_only_okvqa() -> None:
    assert {(row.task, row.name) for row in ROWS if row.lemmatiser} == {("okvqa", "lavis")}


def test_retrieval() -> None:
    row = find("flickr-retrieval", "paper", "itm")
    assert (row.k_test, row.text_tokens, row.image_size) == (128, 35, 364)


def test_the_differences_are_told() -> None:
    told = differences(find("vqav2", "paper", "opt"))
    assert "length penalty: -1.0 in the paper, 0.0 in LAVIS" in told
    assert any(line.startswith("prompt: 'Question: {} Answer:' in the paper") for line in told)
    assert differences(find("gqa", "lavis", "t5")) == []


def test_what_cannot_be_run() -> None:
    with pytest.raises(BadSetting, match="needs a model of the family OPT or FlanT5, not matching"):
        find("vqav2", "paper", "itm")
    with pytest.raises(BadSetting, match="needs a model of the family matching, not OPT"):
        find("coco-retrieval", "paper", "opt")
    with pytest.raises(BadSetting, match="unknown"):
        find("imagenet", "paper", "opt")
