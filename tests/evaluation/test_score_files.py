"""Scoring files that any system wrote."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from blip2.errors import BadInput
from blip2.evaluation import score_files
from blip2.evaluation.score_files import score_answers, score_captions, score_retrieval

Write = Callable[[str, Any], Path]
TRUTHS = {
    "annotations": [
        {"question_id": at, "answers": [{"answer": answer}] * 10, "question_type": "what", "answer_type": kind}
        for at, (answer, kind) in enumerate([("one penny", "other"), ("yes", "yes/no"), ("2", "number")])
    ]
}


def test_answers_in_both_forms(write: Write) -> None:
    said = [
        {"question_id": 0, "answer": "one penny"},
        {"question_id": 1, "answer": "Yes."},
        {"question_id": 2, "answer": "3"},
    ]
    predictions, references = write("said.json", said), write("true.json", TRUTHS)
    official = score_answers(predictions, references)
    assert official.figures == pytest.approx({"accuracy": 100 / 3, "vqa_official": 100 / 3, "vqa_lavis": 100 / 3})
    assert official.values["0"]["vqa_official"] == 1.0
    lavis = score_answers(predictions, references, form="lavis")
    assert lavis.values["0"]["accuracy"] == 0.0  # normalised to "1 penny", which no annotator says
    assert lavis.values["1"]["accuracy"] == 1.0
    assert lavis.tables["by kind of answer"]["yes/no"] == {
        "accuracy": 100.0,
        "vqa_official": 0.0,
        "vqa_lavis": 100.0,
        "n": 1,
    }


def test_what_is_missing_counts_as_wrong_unless_told_otherwise(write: Write) -> None:
    predictions, references = write("said.json", {"1": "yes"}), write("true.json", TRUTHS)
    whole = score_answers(predictions, references)
    assert (whole.n, whole.missing) == (3, 2)
    assert whole.figures["accuracy"] == pytest.approx(100 / 3)
    part = score_answers(predictions, references, partial=True)
    assert (part.n, part.missing, part.figures["accuracy"]) == (1, 2, 100.0)
    assert "2 without a prediction" in score_files.card(part)


def test_questions_are_checked_against(write: Write) -> None:
    asked = {"questions": [{"question_id": at, "image_id": 1, "question": "?"} for at in range(3)]}
    predictions, references = write("said.json", {"1": "yes"}), write("true.json", TRUTHS)
    assert score_answers(predictions, references, write("asked.json", asked)).n == 3
    asked["questions"].append({"question_id": 9, "image_id": 1, "question": "?"})
    with pytest.raises(BadInput, match="Question 9"):
        score_answers(predictions, references, write("asked.json", asked))


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ({"7": "yes"}, "nothing in the references"),
        ([{"question_id": 1, "answer": "a"}, {"question_id": 1, "answer": "b"}], "two predictions"),
        ([{"question_id": 1}], "needs question_id and answer"),
        (3, "holds no predictions"),
    ],
)
def test_predictions_that_cannot_be_used(write: Write, said: Any, told: str) -> None:
    with pytest.raises(BadInput, match=told):
        score_answers(write("said.json", said), write("true.json", TRUTHS))


def test_other_forms_of_answers(write: Write) -> None:
    gqa = {"20": {"answer": "dog", "types": {"structural": "query"}}, "21": {"answer": "no"}}
    found = score_answers(write("said.json", [{"questionId": "20", "prediction": "the dog"}]), write("gqa.json", gqa))
    assert found.figures == {"accuracy": 50.0}
    text = {"data": [{"question_id": 5, "answers": ["acme"] * 10}]}
    assert score_answers(write("said.json", {"5": "acme"}), write("text.json", text)).figures["accuracy"] == 100.0
    vizwiz = [{"image": "a.jpg", "answers": [{"answer": "pen"}] * 10, "answer_type": "other"}]
    said = [{"image": "a.jpg", "answer": "pen"}]
    assert score_answers(write("said.json", said), write("vizwiz.json", vizwiz)).figures["accuracy"] == 100.0


def test_the_rows_of_a_run(write: Write, tmp_path: Path) -> None:
    path = tmp_path / "predictions.jsonl"
    path.write_text('{"id": "1", "image": "x", "answer": "yes"}\n{"id": "2", "image": "y", "error": "damaged"}\n')
    found = score_answers(path, write("true.json", TRUTHS))
    assert (found.missing, found.figures["accuracy"]) == (1, pytest.approx(100 / 3))


def test_captions_by_domain(write: Write) -> None:
    images = [{"id": 1, "domain": "in-domain"}, {"id": 2, "domain": "out-domain"}]
    true = {"images": images, "annotations": [{"image_id": at, "caption": f"a dog {at}"} for at in (1, 2)]}
    said = [{"image_id": 1, "caption": "a dog 1"}, {"image_id": 2, "caption": "nothing"}]
    found = score_captions(write("said.json", said), write("true.json", true), use_java=False)
    assert found.tables["by domain"]["in-domain"]["Bleu_1"] == pytest.approx(100.0, abs=1e-4)
    assert found.tables["by domain"]["out-domain"]["ROUGE_L"] == 0.0
    mapping = score_captions(write("a.json", {"1": "a dog 1"}), write("b.json", {"1": ["a dog 1"]}), use_java=False)
    assert mapping.figures["ROUGE_L"] == pytest.approx(100.0)


def test_retrieval_from_matrices_and_from_rankings(write: Write, tmp_path: Path) -> None:
    references = write("true.json", [{"image": "1.jpg", "caption": ["a", "b"]}, {"image": "2.jpg", "caption": ["c"]}])
    scores = np.array([[0.9, 0.1, 0.3], [0.2, 0.8, 0.5]])  # the second picture finds "b", which is not its own
    np.savez(tmp_path / "scores.npz", i2t=scores, t2i=scores.T)
    matrices = score_retrieval(tmp_path / "scores.npz", references)
    assert (matrices.figures["txt_r1"], matrices.figures["txt_r5"]) == (50.0, 100.0)
    assert matrices.figures["img_r1"] == pytest.approx(200 / 3)
    rankings = {
        "i2t": {str(at): np.argsort(-row).tolist() for at, row in enumerate(scores)},
        "t2i": {str(at): np.argsort(-row).tolist() for at, row in enumerate(scores.T)},
    }
    assert score_retrieval(write("ranks.json", rankings), references).figures == matrices.figures
    owners = write("owners.json", {"txt2img": [0, 0, 1]})
    assert score_retrieval(write("m.json", {"i2t": scores.tolist()}), owners).figures == matrices.figures
    lists = write("lists.json", {"img2txt": [[0, 1], [2]]})
    assert score_retrieval(tmp_path / "scores.npz", lists).figures == matrices.figures


def test_scores_of_another_shape(write: Write, tmp_path: Path) -> None:
    references = write("true.json", {"txt2img": [0, 1]})
    np.savez(tmp_path / "scores.npz", i2t=np.zeros((3, 2)), t2i=np.zeros((2, 3)))
    with pytest.raises(BadInput, match=r"\(3, 2\); the references need \(2, 2\)"):
        score_retrieval(tmp_path / "scores.npz", references)
    with pytest.raises(BadInput, match="no `i2t`"):
        score_retrieval(write("x.json", {"t2i": []}), references)


def test_the_golden_files_through_the_front_door(anchors: Path) -> None:
    folder = anchors / "vqa_anchor"
    expected = json.loads((folder / "golden_summary.json").read_text())["vizwiz"]["mutated"]
    found = score_answers(
        folder / "vizwiz_golden_predictions.json",
        folder / "vizwiz_val_annotations.json",
        folder / "vizwiz_val_questions.json",
    )
    assert round(found.figures["vqa_official"], 4) == expected["official"]
    assert round(found.figures["vqa_lavis"], 4) == expected["lavis"]
