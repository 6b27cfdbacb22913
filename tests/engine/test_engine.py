"""The engine against stock `generate()`, and against itself: batched and single, cached and not, streamed and whole."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import pytest
import torch
from torch import Tensor

from blip2.engine.engine import Engine
from blip2.images import preprocess
from blip2.loading import LoadedModel
from blip2.values import Chunk, Decoding, Picture, Request
from tests.engine.conftest import PROMPTS

GREEDY = Decoding(method="greedy", max_new_tokens=12)
MIXED = (
    GREEDY,
    Decoding(max_new_tokens=10),
    Decoding(method="nucleus", max_new_tokens=9, temperature=0.8, top_p=0.7),
    Decoding(num_beams=3, max_new_tokens=14, length_penalty=-1.0, num_return=2),
    Decoding(method="greedy", max_new_tokens=5, repetition_penalty=1.5, min_new_tokens=3),
    Decoding(max_new_tokens=6, repetition_penalty=1.3),
)


def whole(engine: Engine, request: Request) -> Chunk:
    *_, last = engine.submit(request)
    return last


def ask(engine: Engine, picture: Picture, prompt: str, decoding: Decoding, seed: int = 0) -> tuple[int, ...]:
    return whole(engine, Request(engine.loaded.info.name, picture, prompt, decoding, seed)).candidates[0].ids


@torch.inference_mode()
def inputs(loaded: LoadedModel, picture: Picture, prompt: str) -> dict[str, Tensor]:
    """What stock `generate` is given: the projected queries, then the prompt."""
    pixels = preprocess(picture.image, loaded.info.image_size)[None]
    image = loaded.model.get_image_features(pixels).pooler_output
    words = loaded.model.language_model.get_input_embeddings()(torch.tensor([loaded.tokenizer(prompt).input_ids]))
    embeds = torch.cat([image, words], 1)
    return {"inputs_embeds": embeds, "attention_mask": torch.ones(embeds.shape[:2], dtype=torch.long)}


@torch.inference_mode()
def stock(loaded: LoadedModel, picture: Picture, prompt: str, **settings: Any) -> tuple[int, ...]:
    """Stock generate's new tokens, end token and padding off."""
    out = loaded.model.language_model.generate(
        **inputs(loaded, picture, prompt), eos_token_id=loaded.end_ids[0], pad_token_id=0, **settings
    )
    ids = out[0].tolist()
    if loaded.info.family == "t5":
        ids = ids[1:]
    return tuple(ids[: ids.index(loaded.end_ids[0])] if loaded.end_ids[0] in ids else ids)


def test_greedy_equals_stock(engine: Engine, pictures: list[Picture]) -> None:
    answers = set()
    for picture in pictures:
        for prompt in PROMPTS:
            mine = ask(engine, picture, prompt, GREEDY)
            assert mine == stock(engine.loaded, picture, prompt, max_new_tokens=12, do_sample=False)
            answers.add(mine)
    assert len(answers) > 10, "the tiny models' answers vary, or this test shows nothing"


def test_greedy_with_penalty_and_minimum_equals_stock(engine: Engine, pictures: list[Picture]) -> None:
    decoding = Decoding(method="greedy", max_new_tokens=12, min_new_tokens=6, repetition_penalty=1.4)
    for picture, prompt in zip(pictures, PROMPTS, strict=True):
        want = stock(
            engine.loaded, picture, prompt, max_new_tokens=12, min_new_tokens=6, repetition_penalty=1.4, do_sample=False
        )
        if engine.loaded.info.family == "t5":  # for OPT, stock does not see the start token when given embeddings
            assert ask(engine, picture, prompt, decoding) == want
        assert len(ask(engine, picture, prompt, decoding)) >= 6


def test_beams_equal_stock_where_both_define_the_same(engine: Engine, pictures: list[Picture]) -> None:
    """Without length penalty a score only falls, so LAVIS's and the newer stopping rules find the same best text."""
    for picture in pictures:
        for prompt in PROMPTS[:4]:
            mine = ask(engine, picture, prompt, Decoding(num_beams=4, max_new_tokens=9, length_penalty=0.0))
            assert mine == stock(
                engine.loaded, picture, prompt, num_beams=4, max_new_tokens=9, length_penalty=0.0, do_sample=False
            )


@pytest.mark.parametrize("penalty", [1.0, -1.0, 2.0])
def test_beams_equal_an_obvious_slow_search(engine: Engine, pictures: list[Picture], penalty: float) -> None:
    for picture, prompt in zip(pictures, PROMPTS, strict=True):
        decoding = Decoding(num_beams=3, max_new_tokens=8, length_penalty=penalty)
        assert ask(engine, picture, prompt, decoding) == slow_beams(engine.loaded, picture, prompt, decoding)


@torch.inference_mode()
def slow_beams(loaded: LoadedModel, picture: Picture, prompt: str, decoding: Decoding) -> tuple[int, ...]:
    """The rules of `blip2.engine.beams`, written straight down: no cache, one forward pass per hypothesis."""
    width, power = decoding.num_beams, decoding.length_penalty
    given = inputs(loaded, picture, prompt)
    rows: list[tuple[float, list[int]]] = [(0.0, [])]
    kept: list[tuple[float, list[int]]] = []
    for step in range(decoding.max_new_tokens):
        every = []
        for total, ids in rows:
            scores = next_logprobs(loaded, given, ids)
            every += [(total + float(score), [*ids, token]) for token, score in enumerate(scores)]
        every.sort(key=lambda item: -item[0])
        rows = []
        for place, (total, ids) in enumerate(every[: 2 * width]):
            if ids[-1] in loaded.end_ids:
                if place < width:
                    kept.append((total / len(ids) ** power, ids[:-1]))  # len(ids) = start token + tokens before the end
            elif len(rows) < width:
                rows.append((total, ids))
        kept = sorted(kept, key=lambda item: -item[0])[:width]
        if len(kept) == width and kept[-1][0] >= every[0][0] / (step + 2) ** power:
            return tuple(kept[0][1])
    kept += [(total / (1 + len(ids)) ** power, ids) for total, ids in rows]
    return tuple(max(kept, key=lambda item: item[0])[1])


@torch.inference_mode()
def next_logprobs(loaded: LoadedModel, given: dict[str, Tensor], ids: Sequence[int]) -> Tensor:
    model = loaded.model.language_model
    if loaded.info.family == "t5":
        out = model(**given, decoder_input_ids=torch.tensor([[loaded.start_id, *ids]]))
    else:
        words = model.get_input_embeddings()(torch.tensor([ids], dtype=torch.long))
        out = model(inputs_embeds=torch.cat([given["inputs_embeds"], words], 1))
    return out.logits[0, -1].log_softmax(-1)


def test_nucleus_equals_stock_with_the_same_seed(engine: Engine, pictures: list[Picture]) -> None:
    answers = set()
    for seed in range(4):
        decoding = Decoding(method="nucleus", max_new_tokens=10, temperature=0.9, top_p=0.8)
        mine = ask(engine, pictures[0], PROMPTS[2], decoding, seed)
        torch.manual_seed(seed)
        assert mine == stock(
            engine.loaded,
            pictures[0],
            PROMPTS[2],
            max_new_tokens=10,
            do_sample=True,
            temperature=0.9,
            top_p=0.8,
            top_k=0,
        )
        answers.add(mine)
    assert len(answers) > 1


def test_batched_equals_single(engine: Engine, pictures: list[Picture]) -> None:
    """Requests of every kind and length, together and one after the other; some join while others run."""
    requests = [
        Request(engine.loaded.info.name, picture, prompt, decoding, seed=i)
        for i, (picture, prompt) in enumerate((p, q) for p in pictures for q in PROMPTS[:3])
        for decoding in MIXED
    ]
    streams = [engine.submit(request) for request in requests]
    together = [list(stream)[-1] for stream in streams]
    for request, chunk in zip(requests[::3], together[::3], strict=True):
        alone = whole(engine, Request(request.model, request.picture, request.prompt, request.decoding, request.seed))
        assert [c.ids for c in alone.candidates] == [c.ids for c in chunk.candidates]
        assert alone.finish == chunk.finish
        assert alone.candidates[0].confidence == pytest.approx(chunk.candidates[0].confidence, rel=1e-4)


def test_a_seen_picture_is_not_encoded_again(engine: Engine, pictures: list[Picture]) -> None:
    first = whole(engine, Request("m", pictures[0], "two", GREEDY))
    again = whole(engine, Request("m", pictures[0], "two", GREEDY))
    assert (first.usage.image_cached, again.usage.image_cached) == (False, True)
    assert first.candidates[0].ids == again.candidates[0].ids


@pytest.mark.parametrize("decoding", MIXED[:3])
def test_streamed_equals_whole(engine: Engine, pictures: list[Picture], decoding: Decoding) -> None:
    chunks = list(engine.submit(Request("m", pictures[1], PROMPTS[1], decoding, seed=3)))
    assert [chunk.final for chunk in chunks] == [False] * (len(chunks) - 1) + [True]
    assert chunks[-1].text == chunks[-1].candidates[0].text
    if decoding.method != "beam":
        for before, after in pairwise(chunks):
            assert after.text.startswith(before.text)
    assert chunks[-1].usage.new_tokens == len(chunks[-1].candidates[0].ids)


def test_confidence_comes_from_the_raw_distribution(engine: Engine, pictures: list[Picture]) -> None:
    for decoding in MIXED:
        chosen = whole(engine, Request("m", pictures[2], PROMPTS[2], decoding, seed=1)).candidates[0]
        given = inputs(engine.loaded, pictures[2], PROMPTS[2])
        for i, token in enumerate(chosen.tokens):
            wanted = next_logprobs(engine.loaded, given, chosen.ids[:i])[chosen.ids[i]]
            assert token.logprob == pytest.approx(float(wanted), abs=1e-3)
