"""What every backend promises: the same tests run on each of `BUILDERS`."""

import threading
import time
from collections.abc import Generator
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from blip2.backends.base import Backend, answer
from blip2.errors import BadPrompt, Blip2Error, UnknownModel
from blip2.values import Chunk, Decoding, Finish
from tests.backends.conftest import Subject

METHODS = (
    Decoding("greedy", max_new_tokens=8),
    Decoding("beam", num_beams=3, max_new_tokens=8),
    Decoding("nucleus", max_new_tokens=8),
)


def idle(backend: Backend) -> bool:
    """Whether nothing runs or waits any more, within ten seconds."""
    end = time.monotonic() + 10
    while time.monotonic() < end:
        stats = backend.stats()
        if not sum(stats.running.values()) + sum(stats.waiting.values()):
            return True
        time.sleep(0.005)
    return False


@pytest.mark.parametrize("decoding", METHODS, ids=lambda d: d.method)
def test_a_stream_ends_with_its_only_final_chunk(subject: Subject, decoding: Decoding) -> None:
    request = subject.request(decoding)
    chunks = list(subject.backend.generate(request))
    assert [chunk.final for chunk in chunks] == [False] * (len(chunks) - 1) + [True]
    assert {chunk.request_id for chunk in chunks} == {request.id}
    last = chunks[-1]
    assert last.text == last.candidates[0].text
    assert 0 < last.usage.new_tokens <= 8
    assert 0 <= last.usage.queued <= last.usage.first_token <= last.usage.total
    assert 0 < last.candidates[0].confidence <= 1


@pytest.mark.parametrize("decoding", METHODS[::2], ids=lambda d: d.method)
def test_without_beams_the_text_only_grows(subject: Subject, decoding: Decoding) -> None:
    texts = [chunk.text for chunk in subject.backend.generate(subject.request(decoding))]
    assert all(later.startswith(earlier) for earlier, later in pairwise(texts))


def test_as_many_candidates_as_asked_for(subject: Subject) -> None:
    last = answer(subject.backend, subject.request(Decoding("beam", num_beams=4, max_new_tokens=4, num_return=3)))
    assert len(last.candidates) == 3


@pytest.mark.parametrize("decoding", METHODS, ids=lambda d: d.method)
def test_the_same_request_gives_the_same_answer(subject: Subject, decoding: Decoding) -> None:
    first, second = (answer(subject.backend, subject.request(decoding, seed=5)) for _ in range(2))
    assert (first.text, first.candidates) == (second.text, second.candidates)
    assert second.usage.image_cached


def test_the_prompt_counts_as_count_tokens_says(subject: Subject) -> None:
    request = subject.request()
    last = answer(subject.backend, request)
    assert last.usage.prompt_tokens == subject.backend.count_tokens(subject.model, request.prompt)
    assert last.usage.image_tokens == subject.backend.describe(subject.model).image_tokens


def test_a_length_that_is_reached_is_said(subject: Subject) -> None:
    last = answer(subject.backend, subject.request(Decoding("greedy", max_new_tokens=3, min_new_tokens=3)))
    assert (last.finish, last.usage.new_tokens) == (Finish.LENGTH, 3)


@pytest.mark.parametrize("method", ["greedy", "beam", "nucleus"])
def test_closing_the_stream_cancels(subject: Subject, method: Any) -> None:
    stream = subject.backend.generate(subject.request(replace(subject.long, method=method)))
    next(stream)
    assert isinstance(stream, Generator)
    stream.close()
    assert idle(subject.backend)
    assert _steps_stand_still(subject.backend, subject.model)


@pytest.mark.parametrize("method", ["greedy", "beam", "nucleus"])
def test_cancelling_from_another_thread_ends_the_stream(subject: Subject, method: Any) -> None:
    request = subject.request(replace(subject.long, method=method))
    chunks: list[Chunk] = []
    for chunk in subject.backend.generate(request):
        if not chunks:
            thread = threading.Thread(target=subject.backend.cancel, args=(request.id,))
            thread.start()
            thread.join()
        chunks.append(chunk)
    assert chunks[-1].finish is Finish.CANCELLED
    assert chunks[-1].usage.new_tokens < 200
    assert idle(subject.backend)


def test_cancelling_an_unknown_id_does_nothing(subject: Subject) -> None:
    subject.backend.cancel("no such request")
    assert answer(subject.backend, subject.request()).finish is not Finish.CANCELLED


@pytest.mark.parametrize("method", ["greedy", "beam"])
def test_a_deadline_ends_the_stream(subject: Subject, method: Any) -> None:
    last = answer(subject.backend, subject.request(replace(subject.long, method=method), deadline=0.03))
    assert last.finish is Finish.DEADLINE
    assert last.usage.new_tokens < 200
    assert idle(subject.backend)


def test_a_stop_string_is_never_shown(subject: Subject) -> None:
    whole = answer(subject.backend, subject.request(Decoding("greedy", max_new_tokens=8))).text
    stop = whole[len(whole) // 2 :][:2]
    texts = [
        c.text for c in subject.backend.generate(subject.request(Decoding("greedy", max_new_tokens=8, stop=(stop,))))
    ]
    assert texts[-1] == whole[: whole.index(stop)].rstrip()
    assert not any(stop in text for text in texts)


def test_requests_at_once_answer_as_one_at_a_time(subject: Subject) -> None:
    requests = [subject.request(METHODS[i % 3], picture=subject.pictures[i % 2], seed=i) for i in range(6)]
    alone = [answer(subject.backend, replace(request, id=f"alone{i}")).text for i, request in enumerate(requests)]
    together: dict[int, str] = {}

    def run(index: int) -> None:
        together[index] = answer(subject.backend, requests[index]).text

    threads = [threading.Thread(target=run, args=(index,)) for index in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [together[index] for index in range(6)] == alone


def test_an_unknown_model_is_named(subject: Subject) -> None:
    with pytest.raises(UnknownModel, match="no/such-model-here"):
        answer(subject.backend, subject.request(model="blip2_opt/no/such-model-here"))
    with pytest.raises(UnknownModel):
        subject.backend.describe("blip2_opt/no/such-model-here")


def test_a_prompt_over_the_budget_is_refused_with_both_numbers(subject: Subject) -> None:
    budget = subject.backend.describe(subject.model).prompt_budget
    prompt = "why " * (budget + 5)
    tokens = subject.backend.count_tokens(subject.model, prompt)
    with pytest.raises(BadPrompt, match=rf"{tokens}.*{budget}"):
        answer(subject.backend, subject.request(prompt=prompt))


def test_a_matching_model_does_not_write(subject: Subject) -> None:
    with pytest.raises(Blip2Error, match=subject.matcher):
        answer(subject.backend, subject.request(model=subject.matcher))


def test_models_lists_what_describe_knows(subject: Subject) -> None:
    names = [info.name for info in subject.backend.models()]
    assert {subject.model, subject.matcher} <= set(names)
    assert [subject.backend.describe(name).name for name in names] == names


def test_matches_are_probabilities_and_cosines(subject: Subject) -> None:
    texts = ["a red ball", "two dogs on a beach", "a cat"]
    match = subject.backend.match(subject.matcher, subject.pictures, texts)
    assert match.itm.shape == match.itc.shape == (2, 3)
    assert match.itm.dtype == match.itc.dtype == np.float32
    assert ((match.itm >= 0) & (match.itm <= 1)).all()
    assert (abs(match.itc) <= 1 + 1e-5).all()
    alone = subject.backend.match(subject.matcher, subject.pictures[1:], texts[2:])
    np.testing.assert_allclose(alone.itm[0, 0], match.itm[1, 2], atol=1e-4)
    np.testing.assert_allclose(alone.itc[0, 0], match.itc[1, 2], atol=1e-4)


def test_features_have_the_shapes_and_unit_projections(subject: Subject) -> None:
    texts = ["a red ball", "a cat"]
    image = subject.backend.embed(subject.matcher, subject.pictures, [], "image")
    text = subject.backend.embed(subject.matcher, [], texts, "text")
    both = subject.backend.embed(subject.matcher, subject.pictures, texts, "multimodal")
    assert image.image_embeds is not None
    assert image.image_embeds_proj is not None
    assert text.text_embeds_proj is not None
    assert both.multimodal_embeds is not None
    assert image.image_embeds.shape[:2] == image.image_embeds_proj.shape[:2] == both.multimodal_embeds.shape[:2]
    assert image.text_embeds is text.image_embeds is both.image_embeds is None
    np.testing.assert_allclose(np.linalg.norm(image.image_embeds_proj, axis=-1), 1, atol=1e-4)
    np.testing.assert_allclose(np.linalg.norm(text.text_embeds_proj[:, 0], axis=-1), 1, atol=1e-4)


def test_a_text_longer_than_the_model_reads_has_features_too(subject: Subject) -> None:
    longest = "red ball " * 1200
    text = subject.backend.embed(subject.matcher, [], [longest], "text")
    both = subject.backend.embed(subject.matcher, subject.pictures[:1], [longest], "multimodal")
    assert text.text_embeds is not None
    assert both.multimodal_embeds is not None
    assert np.isfinite(text.text_embeds).all()


def _steps_stand_still(backend: Backend, model: str) -> bool:
    before = backend.stats().steps[model]
    time.sleep(0.05)
    return backend.stats().steps[model] == before
