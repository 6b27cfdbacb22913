"""The accuracy of answers: the counted form against the written-out one, and both against others' figures."""

import json
import random
from collections.abc import Sequence
from pathlib import Path

import pytest

from blip2.evaluation import vqa

GOLDEN = ("vizwiz", "textvqa")


def slow(answer: str, references: Sequence[str], form: vqa.Form) -> float:
    """As the original is written: for each annotator, count the equal answers of all others."""
    given = answer.replace("\n", " ").replace("\t", " ").strip()
    truths = list(references)
    if form == "official":
        truths = [text.replace("\n", " ").replace("\t", " ").strip() for text in truths]
    differ = len(set(truths)) > 1
    if differ:
        truths = [vqa.without_punctuation(text) for text in truths]
        if form == "official":
            truths = [vqa.without_articles(text) for text in truths]
    if differ or form == "lavis":
        given = vqa.without_articles(vqa.without_punctuation(given))
    accuracies = []
    for left_out in range(len(truths)):
        others = [text for at, text in enumerate(truths) if at != left_out]
        equal = [text for text in others if text == given]
        accuracies.append(min(1.0, len(equal) / 3))
    return sum(accuracies) / len(accuracies)


@pytest.mark.parametrize("form", vqa.FORMS)
def test_counting_equals_leaving_each_annotator_out(form: vqa.Form) -> None:
    rng = random.Random(0)
    words = ["two", "2", "a dog", "dog", "dog.", "the dog", "don't", "dont", "yes, sir", "1,000", "", "cat\n", "3.5"]
    for _ in range(2000):
        truths = rng.choices(words, k=rng.choice([1, 2, 3, 10]))
        answer = rng.choice([*words, "Dog!"])
        assert vqa.accuracy(answer, truths, form) == pytest.approx(slow(answer, truths, form), abs=1e-12)


@pytest.mark.parametrize(("equal", "share"), [(0, 0.0), (1, 0.3), (2, 0.6), (3, 0.9), (4, 1.0), (10, 1.0)])
def test_ten_annotators_give_the_known_steps(equal: int, share: float) -> None:
    truths = ["red"] * equal + [f"other {at}" for at in range(10 - equal)]
    assert vqa.accuracy("red", truths) == pytest.approx(share)


def test_the_forms_differ_where_they_are_known_to() -> None:
    assert vqa.accuracy("UNANSWERABLE.", ["unanswerable"] * 10, "official") == 0.0
    assert vqa.accuracy("UNANSWERABLE.", ["unanswerable"] * 10, "lavis") == 1.0
    truths = ["one penny"] * 9 + ["penny"]
    assert vqa.accuracy("one penny", truths, "official") == 1.0
    assert vqa.accuracy("one penny", truths, "lavis") == 0.0  # LAVIS never turns the annotators' "one" into "1"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1,000", "1000"),
        ("t-shirt", "t shirt"),
        ("dont", "don't"),
        ("The U.S.A.", "usa"),
        ("None", "0"),
        ("'ows'at", "'ow's'at"),
    ],
)
def test_normalising(text: str, expected: str) -> None:
    assert vqa.normalised(text) == expected


def test_gqa_is_an_exact_match_once_normalised() -> None:
    assert vqa.exact("The dog.", "dog") == 1.0
    assert vqa.exact("dogs", "dog") == 0.0


def test_normaliser_agrees_with_the_official_code(anchors: Path) -> None:
    pairs = json.loads((anchors / "vqa_anchor" / "normaliser_golden.json").read_text())
    assert len(pairs) > 2000
    assert [(text, vqa.normalised(text)) for text, _ in pairs] == [tuple(pair) for pair in pairs]


@pytest.mark.parametrize("name", GOLDEN)
def test_scores_agree_with_the_official_code_and_with_lavis(anchors: Path, name: str) -> None:
    folder = anchors / "vqa_anchor"
    rows = json.loads((folder / f"{name}_val_annotations.json").read_text())["annotations"]
    truths = {row["question_id"]: [each["answer"] for each in row["answers"]] for row in rows}
    predictions = json.loads((folder / f"{name}_golden_predictions.json").read_text())
    expected = json.loads((folder / "golden_summary.json").read_text())[name]
    for form in vqa.FORMS:
        scores = [100 * vqa.accuracy(row["answer"], truths[row["question_id"]], form) for row in predictions]
        assert [round(score, 2) for score in scores] == [row[form] for row in predictions]
        assert round(sum(scores) / len(scores), 4) == expected["mutated"][form]
        own = [100 * vqa.accuracy(vqa.most_common(each), each, form) for each in truths.values()]
        assert round(sum(own) / len(own), 4) == expected["majority_answer"][form]
