"""The pocket tokenizer: any text goes in and comes out, taught words are one token, and the saved form is the same."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from transformers import AutoTokenizer

from blip2.pocket.dialogue import dialogue, prompt
from blip2.pocket.kinds import KINDS
from blip2.pocket.tokenizer import IMAGE, Encoder, build, save, special_ids, words
from blip2.pocket.unknowable import UNTAUGHT
from blip2.pocket.world import scene_at

FAMILIES = ("opt", "t5")
TEXTS = (
    "what's this?",
    "你好，世界 🙂🦒",
    "tabs\tand  two spaces\n\nand lines",
    "naïve café — 1,234.5 %",
    "x" * 300,
    "",
    "don't you see the wombats' hats?",
)


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("text", TEXTS)
def test_any_text_comes_back(family: str, text: str) -> None:
    tokenizer = build(family)
    assert tokenizer.decode(tokenizer.encode(text).ids) == text.lower()


@pytest.mark.parametrize("family", FAMILIES)
def test_random_text_comes_back(family: str) -> None:
    rng = random.Random(1)
    for _ in range(200):
        text = "".join(
            chr(rng.choice((rng.randrange(32, 127), rng.randrange(0x4E00, 0x9FFF)))) for _ in range(20)
        ).lower()
        assert build(family).decode(build(family).encode(text).ids) == text


@pytest.mark.parametrize("family", FAMILIES)
def test_taught_words_are_one_token_and_untaught_ones_are_pieces(family: str) -> None:
    encode = Encoder(family)
    assert all(len(encode(word, True)) == 1 for word in words())
    assert all(len(encode(word, True)) == 1 for kind in KINDS for word in (kind.name, kind.plural))
    untaught = [word for split in UNTAUGHT.values() for word in split]
    assert sum(len(encode(word, True)) > 1 for word in untaught) > 0.95 * len(untaught)
    assert [len(encode(label, True)) for label in ("question:", "answer:", "i don't know")] == [1, 1, 3]


def test_the_ends_are_where_each_family_has_them() -> None:
    opt, t5 = build("opt"), build("t5")
    assert opt.encode("a photo of").ids[0] == special_ids("opt")["</s>"] == 2
    assert t5.encode("a photo of").ids[-1] == special_ids("t5")["</s>"] == 1
    assert len(opt.encode("\n", add_special_tokens=False).ids) == 1
    for tokenizer in (opt, t5):
        assert tokenizer.token_to_id(IMAGE) == tokenizer.get_vocab_size() - 1
        assert tokenizer.encode(IMAGE + "x", add_special_tokens=False).ids[0] == tokenizer.token_to_id(IMAGE)


@pytest.mark.parametrize("family", FAMILIES)
def test_the_fast_encoder_equals_the_tokenizer(family: str) -> None:
    encode, tokenizer = Encoder(family), build(family)
    for seed in range(100):
        past: list[tuple[str, str]] = []
        for qa in dialogue(scene_at(seed), random.Random(seed), 4):
            text = prompt(past, qa.question)
            assert encode(text) == tokenizer.encode(text, add_special_tokens=False).ids
            past.append((qa.question, qa.answer))


@pytest.mark.parametrize("family", FAMILIES)
def test_saved_and_loaded_it_reads_the_same(family: str, tmp_path: Path) -> None:
    save(family, tmp_path)
    loaded = AutoTokenizer.from_pretrained(tmp_path)
    for text in (*TEXTS, "Question: What colour is  the elphant's hat? Answer:"):
        assert loaded(text).input_ids == build(family).encode(text).ids
        assert loaded.decode(loaded(text).input_ids, skip_special_tokens=True) == text.lower()
    assert loaded.padding_side == ("left" if family == "opt" else "right")
    assert loaded.pad_token_id == special_ids(family)["<pad>"]
