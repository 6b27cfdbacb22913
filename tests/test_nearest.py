"""Fast scores in slices against an obvious slow form."""

import numpy as np
import pytest

from blip2 import nearest


def made(count: int, seed: int = 0) -> nearest.Array:
    drawn = np.random.default_rng(seed).normal(size=(count, 3, 5))
    return np.asarray(drawn / np.linalg.norm(drawn, axis=-1, keepdims=True), np.float16)


@pytest.mark.parametrize("slice_bytes", [1, 4 * 3 * 5 * 7, 1 << 20])  # one picture at a time, seven, all
def test_slices_score_as_a_loop_does(slice_bytes: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nearest, "SLICE_BYTES", slice_bytes)
    features = made(20)
    vector = made(1, 1)[0, 0].astype(np.float32)
    queries = made(1, 2)[0].astype(np.float32)
    by_vector = [max(float(q @ vector) for q in one.astype(np.float32)) for one in features]
    by_queries = [
        sum(float(a @ b) for a, b in zip(one.astype(np.float32), queries, strict=True)) / 3 for one in features
    ]
    np.testing.assert_allclose(nearest.by_vector(features, vector), by_vector, atol=1e-6)
    np.testing.assert_allclose(nearest.by_queries(features, queries), by_queries, atol=1e-6)


def test_a_picture_is_most_like_itself() -> None:
    features = made(9)
    scores = nearest.by_queries(features, features[4])
    assert scores.argmax() == 4
    assert scores[4] == pytest.approx(1, abs=1e-3)


def test_numbers_that_are_none_score_nothing() -> None:
    features = made(3)
    features[1] = np.nan
    scores = nearest.by_vector(features, np.ones(5, np.float32))
    assert scores[1] == 0
    assert np.isfinite(scores).all()


def test_the_best_come_first_and_ties_keep_their_order() -> None:
    scores = np.array([1.0, 3.0, 2.0, 3.0, 3.0])
    assert nearest.best(scores, 2).tolist() == [1, 3]
    assert nearest.best(scores, 9).tolist() == [1, 3, 4, 2, 0]
    assert nearest.best(np.empty(0), 3).tolist() == []
