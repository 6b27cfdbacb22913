"""How an answer ends other than by itself: visitor gone, deadline, stop string, no room, no memory, closed engine."""

import pytest
import torch
from torch import Tensor

from blip2.engine.engine import Engine
from blip2.engine.runner import Lane
from blip2.errors import BadPrompt, Closed, WillNotFit
from blip2.loading import LoadedModel
from blip2.prompts import defuse
from blip2.values import Chunk, Decoding, Finish, Picture, Request
from tests.engine.conftest import PROMPTS

GREEDY = Decoding(method="greedy", max_new_tokens=12)


def whole(engine: Engine, request: Request) -> Chunk:
    *_, last = engine.submit(request)
    return last


def test_closing_a_stream_frees_its_rows(engine: Engine, pictures: list[Picture]) -> None:
    endless = Decoding(num_beams=4, max_new_tokens=200, min_new_tokens=200)
    stream = engine.submit(Request("m", pictures[0], "two", endless))
    next(stream)
    other = engine.submit(Request("m", pictures[1], "", endless, id="other"))
    next(other)
    stream.close()  # type: ignore[attr-defined]
    while engine.scheduler.counts() != (1, 0):
        next(other)
    engine.cancel("other")
    last = list(other)[-1]
    assert last.finish is Finish.CANCELLED
    assert last.text, "what was found so far is kept"


def test_a_deadline_ends_an_answer(engine: Engine, pictures: list[Picture]) -> None:
    endless = Decoding(method="greedy", max_new_tokens=200, min_new_tokens=200)
    last = whole(engine, Request("m", pictures[0], "two", endless, deadline=0.02))
    assert last.finish is Finish.DEADLINE
    assert engine.scheduler.counts() == (0, 0)


def test_a_stop_string_ends_an_answer_before_it(engine: Engine, pictures: list[Picture]) -> None:
    decoding = Decoding(method="greedy", max_new_tokens=12)
    texts = [whole(engine, Request("m", picture, PROMPTS[2], decoding)).text for picture in pictures]
    text = max(texts, key=len)
    stop = text[3:6]
    for picture in pictures:
        for prompt in PROMPTS:
            plain = whole(engine, Request("m", picture, prompt, decoding)).text
            cut = whole(
                engine, Request("m", picture, prompt, Decoding(method="greedy", max_new_tokens=12, stop=(stop,)))
            )
            assert cut.text == plain.split(stop)[0].rstrip()
            assert (cut.finish is Finish.STOP) == (stop in plain)


def test_a_prompt_that_leaves_no_room_is_refused(engine: Engine, pictures: list[Picture]) -> None:
    with pytest.raises(BadPrompt, match=r"The prompt has \d+ tokens"):
        engine.submit(Request("m", pictures[0], "dog " * 2000, GREEDY))


def test_special_tokens_typed_by_a_visitor_are_only_text(engine: Engine) -> None:
    special = {engine.loaded.tokenizer.convert_tokens_to_ids("<image>")}
    typed, _ = defuse("what is <image> here?")
    assert not special & set(engine.tokens(typed))
    if engine.loaded.info.family == "opt":  # T5's vocabulary holds the whole string, so only `defuse` helps there
        assert not special & set(engine.tokens("what is <image> here?"))


def test_memory_running_out_loses_no_answer(
    engine: Engine, pictures: list[Picture], monkeypatch: pytest.MonkeyPatch
) -> None:
    requests = [Request("m", picture, "two", Decoding(num_beams=3, max_new_tokens=8)) for picture in pictures]
    alone = [whole(engine, request).candidates[0].ids for request in requests]
    real = engine.runner.step

    def small(lane: Lane, tokens: Tensor, parents: Tensor) -> Tensor:
        if len(tokens) > 2:
            raise torch.OutOfMemoryError("out of memory")
        return real(lane, tokens, parents)

    monkeypatch.setattr(engine.runner, "step", small)
    together = [list(stream)[-1].candidates[0].ids for stream in [engine.submit(request) for request in requests]]
    assert together == alone
    monkeypatch.setattr(engine.runner, "step", lambda *_: small(*[torch.zeros(9)] * 3))  # type: ignore[list-item]
    with pytest.raises(WillNotFit, match="fewer beams"):
        whole(engine, requests[0])


def test_a_closed_engine_says_so(loaded: LoadedModel, pictures: list[Picture]) -> None:
    engine = Engine(loaded)
    endless = Decoding(method="greedy", max_new_tokens=200, min_new_tokens=200)
    stream = engine.submit(Request("m", pictures[0], "two", endless))
    next(stream)
    engine.close()
    with pytest.raises(Closed):
        list(stream)
    with pytest.raises(Closed):
        engine.submit(Request("m", pictures[0], "two", GREEDY))
