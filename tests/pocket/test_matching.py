"""The matching model's words, sentences and layers agree with the tokenizer and with Hugging Face's forward."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
import torch
from PIL import Image
from transformers import AutoProcessor, Blip2ForImageTextRetrieval

from blip2.pocket.matching import layers_of, matching_model, save_matching
from blip2.pocket.matching_data import IGNORE, NAMED, UNNAMED, WRONG, pairs_batch, plain_ids, texts_of
from blip2.pocket.matching_words import matching_tokenizer, vocabulary
from blip2.pocket.negatives import SWAPS, describe, full, spoil
from blip2.pocket.vision import QUERIES, SlotModel
from blip2.pocket.world import Scene, Thing, scene_at


@pytest.fixture(scope="module")
def model() -> Blip2ForImageTextRetrieval:
    torch.manual_seed(0)
    return matching_model(SlotModel()).eval()


def test_training_ids_are_those_of_the_tokenizer() -> None:
    rng, tokenizer = random.Random(0), matching_tokenizer()
    for seed in range(200):
        scene = scene_at(seed)
        true = describe(scene, rng)
        for sentence in (true, spoil(true, rng.choice(SWAPS), scene, rng) or true):
            assert plain_ids([sentence])[0][0].tolist() == tokenizer(sentence.text).input_ids


def test_any_text_can_be_read() -> None:
    tokenizer, words = matching_tokenizer(), vocabulary()
    assert tokenizer.tokenize("Two PUPPIES, qx!") == ["two", "puppies", ",", "q", "##x", "!"]
    assert len(tokenizer) == len(words)
    assert tokenizer("").input_ids == [words["[CLS]"], words["[SEP]"]]


def test_supervision_of_a_count() -> None:
    things = (Thing("dog", None, "big", 0, 0), Thing("dog", None, "big", 0, 1), Thing("cat", None, "big", 2, 2))
    scene = Scene("beach", things, seed=1)
    false = spoil(full(scene), "count", scene, random.Random(0))
    texts = texts_of([scene, scene], [full(scene), false], [full(scene)] * 2)
    assert texts.true.tolist() == [1, 0]
    assert texts.states[0, [0, 1, 8]].tolist() == [NAMED, NAMED, NAMED]
    assert texts.states[1, [0, 1, 8]].tolist() == [WRONG, WRONG, NAMED]
    assert texts.wrong[1, 1] == 1
    assert texts.wrong[0, 0] == IGNORE
    thing = spoil(full(scene), "thing", scene, random.Random(0))
    swapped = texts_of([scene], [thing], [full(scene)])
    assert UNNAMED in swapped.states[0].tolist()


def test_half_of_a_batch_is_true() -> None:
    texts = pairs_batch([scene_at(seed) for seed in range(8)], random.Random(0))
    assert texts.true.tolist() == [1] * 8 + [0] * 8
    assert texts.ids.shape == texts.mask.shape == texts.wrong.shape == texts.cells.shape[:2]


@torch.no_grad()
def test_layers_equal_the_models_own_forward(model: Blip2ForImageTextRetrieval) -> None:
    pixels = torch.randn(2, 3, 112, 112)
    image = model.vision_model(pixel_values=pixels).last_hidden_state
    ids, mask = plain_ids([full(scene_at(1)), full(scene_at(8))])
    places = torch.full((2, QUERIES), vocabulary()["<image>"])
    padded = {"input_ids": torch.cat([places, ids], 1), "attention_mask": torch.cat([torch.ones_like(places), mask], 1)}
    stock = model(pixel_values=pixels, **padded, use_image_text_matching_head=True).logits_per_image
    mine = model.itm_head(layers_of(model, image, ids, mask)[-1][:, :QUERIES]).mean(1)
    torch.testing.assert_close(mine, stock, atol=1e-5, rtol=1e-5)
    contrast = model(pixel_values=pixels, **padded)
    words = torch.nn.functional.normalize(model.text_projection(layers_of(model, None, ids, mask)[-1][:, 0]), dim=-1)
    torch.testing.assert_close(words, contrast.text_embeds, atol=1e-5, rtol=1e-5)


@torch.no_grad()
def test_the_saved_checkpoint_runs_in_stock_classes(model: Blip2ForImageTextRetrieval, tmp_path: Path) -> None:
    save_matching(model, tmp_path)
    loaded, report = Blip2ForImageTextRetrieval.from_pretrained(tmp_path, dtype=torch.float32, output_loading_info=True)
    assert not report["missing_keys"]
    assert not report["unexpected_keys"]
    processor = AutoProcessor.from_pretrained(tmp_path)
    picture = Image.new("RGB", (448, 448), (90, 140, 200))
    inputs = processor(images=picture, text="two dogs on a beach", return_tensors="pt")
    assert inputs.input_ids.shape[1] == QUERIES + 7
    assert loaded(**inputs, use_image_text_matching_head=True).logits_per_image.shape == (1, 2)
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) < 8_500_000
