"""Retrieval in two passes against LAVIS's whole matrices, on a tiny real model."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from blip2.backends.local import LocalBackend
from blip2.engine.matcher import Matcher
from blip2.evaluation import ranking, recall
from blip2.evaluation.examples import Example, opener
from blip2.evaluation.journal import Journal
from blip2.evaluation.progress import Progress
from blip2.evaluation.protocols import Protocol
from blip2.evaluation.ranking import ENCODE, Ranker, matcher_of
from blip2.evaluation.ranking_rows import BY_IMAGE, BY_TEXT, Found, found, packed
from blip2.evaluation.retrieval_scores import best_texts, score_pairs
from blip2.images import preprocess
from blip2.lavis import LavisMatcher, blip_caption

N, K = 18, 3
WORDS = ("dog", "cat", "ball", "beach", "red", "blue", "car", "two", "snow", "green")


@pytest.fixture(scope="module")
def matcher(itm_folder: Path) -> Iterator[Matcher]:
    backend = LocalBackend([str(itm_folder)])
    yield matcher_of(backend, str(itm_folder))
    backend.close()


@pytest.fixture
def examples(tmp_path: Path) -> list[Example]:
    """Pictures of noise with two captions each; the last file is damaged."""
    rng = np.random.default_rng(0)
    made = []
    for at in range(N):
        path = tmp_path / f"{at}.png"
        Image.fromarray(rng.integers(0, 256, (56, 56, 3), dtype=np.uint8)).save(path)
        one, other = WORDS[at % 10], WORDS[at // 10]  # a pair of its own for each picture: equal texts would tie
        captions = (f"A {one} and a {other}.", f"{other} beside the {one}")
        made.append(Example(str(at), path.name, opener(path), captions))
    return made


def texts_of(examples: list[Example]) -> list[str]:
    return [text for example in examples for text in example.references]


def protocol(k: int) -> Protocol:
    return Protocol("x-retrieval", "paper", "itm", "retrieval", "recall", "test", k_test=k, text_tokens=35)


def ranked(matcher: Matcher, examples: list[Example], k: int, folder: Path) -> dict[str, Any]:
    ranker = Ranker(matcher, protocol(k), examples, texts_of(examples), folder / "features")
    ranker.first(Progress(len(examples)))
    with Journal(folder / "rows.jsonl") as written:
        ranker.second(examples, written, Progress(len(examples)))
        return written.rows


def wanted_by(row: dict[str, Any], who: int) -> dict[int, float]:
    """The scores of the texts that one direction wants, by their places."""
    each = found(row)
    kept = np.flatnonzero(each.flags & who)
    return {int(each.texts[at]): float(each.scores[at]) for at in kept}


@pytest.mark.parametrize("k", [K, 128])
def test_figures_are_those_of_lavis_matrices(matcher: Matcher, examples: list[Example], tmp_path: Path, k: int) -> None:
    pixels = torch.stack([preprocess(each.picture().image, matcher.info.image_size) for each in examples])
    texts = [blip_caption(text) for text in texts_of(examples)]
    by_image, by_text = LavisMatcher(matcher.loaded).compute_sim_matrix(pixels, texts, k_test=k)
    pairs = recall.Pairs.of([(2 * at, 2 * at + 1) for at in range(N)])
    rows = ranked(matcher, examples, k, tmp_path)
    for at, example in enumerate(examples):
        theirs = {text: score for text, score in enumerate(by_image[at].tolist()) if score > -100}
        assert wanted_by(rows[example.id], BY_IMAGE) == pytest.approx(theirs, abs=1e-4)
        theirs = {text: score for text, score in enumerate(by_text[:, at].tolist()) if score > -100}
        assert wanted_by(rows[example.id], BY_TEXT) == pytest.approx(theirs, abs=1e-4)
        assert best_texts(rows[example.id], 3) == np.argsort(-by_image[at], kind="stable")[:3].tolist()
    scores = score_pairs(examples, rows)
    expected = recall.of_matrices(by_image, by_text, pairs)
    assert scores.figures == pytest.approx(expected)
    assert 0 < expected["txt_r10"] <= 100
    assert len(scores.sure) == N * min(10, k)


def test_few_pictures_are_held_and_nothing_is_done_twice(
    matcher: Matcher, examples: list[Example], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    held: list[int] = []
    scored: list[int] = []
    vision, logits = Matcher.vision, Matcher.itm_logits

    def watch_vision(self: Matcher, pixels: torch.Tensor) -> torch.Tensor:
        held.append(len(pixels))
        return vision(self, pixels)

    def watch_logits(self: Matcher, seen: torch.Tensor, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        scored.append(len(ids))
        return logits(self, seen, ids, mask)

    monkeypatch.setattr(Matcher, "vision", watch_vision)
    monkeypatch.setattr(Matcher, "itm_logits", watch_logits)
    ranked(matcher, examples, K, tmp_path)
    assert max(held) <= ENCODE < N
    assert sum(held) == 2 * N  # once for the cosines, once for the pairs
    assert N * K <= sum(scored) < N * K + 2 * N * K  # a pair that both directions want is scored once
    held.clear()
    ranked(matcher, examples, K, tmp_path)  # all is there already
    assert held == []


def test_a_broken_picture_is_ranked_nowhere_and_its_texts_are_missed(
    matcher: Matcher, examples: list[Example], tmp_path: Path
) -> None:
    (tmp_path / "3.png").write_bytes(b"no picture")
    rows = ranked(matcher, examples, 128, tmp_path)
    assert "not a picture" in rows["3"]["error"]
    scores = score_pairs(examples, rows)
    assert scores.values["3"]["txt_r10"] == 0.0
    assert scores.values["3"]["img_r10"] == (0.0, 2)
    kept = [example for example in examples if example.id != "3"]
    assert {len(found(rows[example.id]).texts) for example in kept} == {2 * N}


def test_rows_keep_every_bit() -> None:
    rng = np.random.default_rng(0)
    numbers = rng.normal(size=(3, 7)).astype(np.float32)
    each = found(packed(Found(np.arange(7), np.array([1, 2, 3, 1, 2, 3, 1]), *numbers)))
    assert each.texts.tolist() == list(range(7))
    assert each.flags.tolist() == [1, 2, 3, 1, 2, 3, 1]
    for kept, number in zip((each.itc, each.itm, each.chance), numbers, strict=True):
        assert kept.tobytes() == number.tobytes()


def test_the_cosines_are_computed_in_blocks(
    matcher: Matcher, examples: list[Example], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = ranked(matcher, examples, K, tmp_path / "whole")
    monkeypatch.setattr(ranking, "CHUNK", 6)
    monkeypatch.setattr(ranking, "TEXTS", 7)
    blocks = ranked(matcher, examples, K, tmp_path / "blocks")
    for id_, row in whole.items():
        assert found(row).texts.tolist() == found(blocks[id_]).texts.tolist()
        np.testing.assert_allclose(found(row).scores, found(blocks[id_]).scores, atol=1e-4)
