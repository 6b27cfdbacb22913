"""Ranks and recalls against sorting everything, and against LAVIS's own figures."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from blip2.evaluation import recall
from blip2.evaluation.recall import Array, Pairs


def slow(by_image: Array, by_text: Array, pairs: Pairs) -> dict[str, float]:
    """LAVIS's way: sort every row, look where the right ones are."""
    text_ranks, image_ranks = [], []
    for row, right in zip(by_image, pairs.texts_of, strict=True):
        order = np.argsort(row)[::-1].tolist()
        text_ranks.append(min(order.index(text) for text in right))
    for row, right in zip(by_text, pairs.image_of, strict=True):
        text_order = np.argsort(row)[::-1].tolist()
        image_ranks.append(text_order.index(right))
    made = {f"txt_r{k}": 100 * sum(r < k for r in text_ranks) / len(text_ranks) for k in (1, 5, 10)}
    return made | {f"img_r{k}": 100 * sum(r < k for r in image_ranks) / len(image_ranks) for k in (1, 5, 10)}


def test_counting_equals_sorting() -> None:
    rng = np.random.default_rng(0)
    pairs = Pairs.of([range(at * 5, at * 5 + 5) for at in range(30)])
    scores = rng.normal(size=(30, 150))
    scores[pairs.image_of, np.arange(150)] += 2
    found = recall.of_matrices(scores, scores.T, pairs)
    expected = slow(scores, scores.T, pairs)
    assert {name: found[name] for name in expected} == expected
    assert 20 < found["img_r1"] < 80


def test_a_model_that_scores_all_alike_is_not_perfect() -> None:
    pairs = Pairs.of([[0], [1], [2]])
    assert recall.of_matrices(np.zeros((3, 3)), np.zeros((3, 3)), pairs)["txt_r1"] == 0.0


def test_what_was_not_among_the_best_is_not_found() -> None:
    assert recall.rank(np.array([1.0, recall.OUT, 0.5]), [1]) == recall.MISSED
    assert recall.rank(np.array([1.0, 0.7, 0.5]), [2, 1]) == 1
    assert recall.rank(np.array([]), []) == recall.MISSED


def test_the_best_are_those_of_a_sort() -> None:
    rng = np.random.default_rng(1)
    for k in (1, 3, 10, 50):
        row = rng.integers(0, 8, size=30).astype(float)  # with many ties
        expected = sorted(range(30), key=lambda at: (-row[at], at))[:k]
        assert recall.best(row, k).tolist() == expected
    assert recall.reranked(np.array([0.3, 0.1, 0.2]), np.array([1.0, 9.0, 2.0]), 2).tolist() == [1.3, -100.0, 2.2]


def golden(case: dict[str, Any]) -> tuple[Array, Array, Pairs]:
    """The matrices of the golden file, by its own construction."""
    sizes = [6 if at % 17 == 0 else 5 for at in range(case["n_images"])]
    ends = np.cumsum(sizes)
    pairs = Pairs.of([range(end - size, end) for end, size in zip(ends, sizes, strict=True)])
    i, j = np.arange(len(sizes))[:, None], np.arange(int(ends[-1]))[None]
    true = np.zeros((len(sizes), int(ends[-1])))
    true[pairs.image_of, np.arange(int(ends[-1]))] = 1
    first = ((7919 * i + 104729 * j + 31 * i * j) % 1009) / 1009 + case["boost"] * ((37 * j) % 101) / 101 * true
    second = ((15485863 * i + 32452843 * j + 17 * i * j) % 2003) / 2003 + case["boost"] * ((53 * j) % 103) / 103 * true
    return first + 1e-8 * (i * true.shape[1] + j), second, pairs


@pytest.mark.parametrize("number", range(4))
def test_figures_are_lavis_to_the_last_digit(anchors: Path, number: int) -> None:
    case = json.loads((anchors / "retrieval_golden" / "lavis_report_metrics.json").read_text())["cases"][number]
    first, second, pairs = golden(case)
    assert recall.of_matrices(first, first.T, pairs) == case["itc_only"]
    by_image = np.stack([recall.reranked(*rows, case["k_test"]) for rows in zip(first, second, strict=True)])
    by_text = np.stack([recall.reranked(*rows, case["k_test"]) for rows in zip(first.T, second.T, strict=True)])
    assert recall.of_matrices(by_image, by_text, pairs) == case["rerank"]
