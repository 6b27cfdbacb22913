"""What every backend promises of its models: where they looked, loading and unloading, the state, the queue."""

import threading
from collections.abc import Generator

import numpy as np
import pytest

from blip2.backends.base import answer
from blip2.errors import BadInput, Blip2Error, Closed, UnknownModel
from blip2.values import Chunk, Decoding
from tests.backends.conftest import Subject, local, scripted


@pytest.mark.parametrize("kind", ["model", "matcher"])
def test_where_it_looked_is_one_map_whose_sum_is_one(subject: Subject, kind: str) -> None:
    looked = [subject.backend.attend(getattr(subject, kind), picture) for picture in subject.pictures]
    for each in looked:
        assert each.words == ("",)
        assert each.maps.dtype == np.float32
        assert each.maps.ndim == 3
        assert each.maps.shape[0] == 1
        assert each.maps.shape[1] == each.maps.shape[2]
        assert (each.maps >= 0).all()
        np.testing.assert_allclose(each.maps.sum((1, 2)), 1, atol=1e-5)
    assert abs(looked[0].maps - looked[1].maps).max() > 1e-5, "another picture is looked at elsewhere"


def test_each_word_has_its_map(subject: Subject) -> None:
    looked = subject.backend.attend(subject.matcher, subject.pictures[0], "a red ball")
    assert looked.words == ("", "a", "red", "ball")
    assert looked.maps.shape[0] == 4
    np.testing.assert_allclose(looked.maps.sum((1, 2)), 1, atol=1e-5)
    assert abs(looked.maps[2] - looked.maps[3]).max() > 1e-5


def test_a_model_that_writes_has_no_maps_of_words(subject: Subject) -> None:
    with pytest.raises(BadInput, match="before it reads"):
        subject.backend.attend(subject.model, subject.pictures[0], "a red ball")


def test_the_state_of_each_loaded_model_is_told(subject: Subject) -> None:
    answer(subject.backend, subject.request())
    stats = subject.backend.stats()
    assert set(stats.models) == set(stats.loaded)
    one, info = stats.models[subject.model], subject.backend.describe(subject.model)
    assert (one.title, one.device, one.dtype, one.family) == (info.title, info.device, info.dtype, info.family)
    assert one.tokens > 0


def test_a_model_is_unloaded_and_loaded_again(subject: Subject) -> None:
    backend = subject.backend
    assert {subject.model, subject.matcher} <= set(backend.loadable())
    backend.describe(subject.matcher)
    backend.unload(subject.matcher)
    assert subject.matcher not in [info.name for info in backend.models()]
    assert subject.matcher not in backend.stats().loaded
    with pytest.raises(Blip2Error):
        backend.match(subject.matcher, subject.pictures, ["a cat"])
    with pytest.raises(UnknownModel, match="nothing to unload"):
        backend.unload(subject.matcher)
    fit = backend.fits(subject.matcher)
    assert fit.fits
    assert fit.sentence.endswith(".")
    assert backend.load(subject.matcher) == backend.describe(subject.matcher)
    assert subject.matcher in backend.stats().loaded
    backend.match(subject.matcher, subject.pictures, ["a cat"])


def test_only_what_is_allowed_is_loaded(subject: Subject) -> None:
    for act in (subject.backend.load, subject.backend.fits):
        with pytest.raises(UnknownModel, match="no/such-model-here' may not be loaded here; choose one of "):
            act("blip2_opt/no/such-model-here")


def test_the_last_model_stays(subject: Subject) -> None:
    others = [info.name for info in subject.backend.models() if info.name != subject.model]
    subject.backend.describe(subject.model)
    for name in others:
        subject.backend.unload(name)
    try:
        with pytest.raises(BadInput, match="only model"):
            subject.backend.unload(subject.model)
    finally:
        for name in others:
            subject.backend.load(name)


def test_unloading_ends_what_is_being_answered_with_a_sentence(subject: Subject) -> None:
    stream = subject.backend.generate(subject.request(subject.long))
    next(stream)
    thread = threading.Thread(target=subject.backend.unload, args=(subject.model,))
    thread.start()
    with pytest.raises(Closed, match="unloaded"):
        list(stream)
    thread.join()
    subject.backend.load(subject.model)
    assert answer(subject.backend, subject.request()).text


def test_whoever_waits_is_told_the_place() -> None:
    for build in (lambda: scripted(slots=1), lambda: local(max_rows=5)):
        subject = build()
        try:
            first = subject.backend.generate(subject.request(subject.long))
            next(first)
            seen: list[list[Chunk]] = [[], []]

            def run(index: int, subject: Subject = subject, seen: list[list[Chunk]] = seen) -> None:
                seen[index].extend(subject.backend.generate(subject.request(Decoding(max_new_tokens=4))))

            threads = [threading.Thread(target=run, args=(index,)) for index in range(2)]
            for thread in threads:
                thread.start()
            while sum(subject.backend.stats().waiting.values()) < 2:
                next(first)
            assert isinstance(first, Generator)
            while not all(seen):  # both were told
                next(first)
            first.close()
            for thread in threads:
                thread.join()
            told = sorted([chunk.waiting for chunk in chunks if chunk.waiting] for chunks in seen)
            assert told == [[1], [2, 1]]
            assert all(chunk.text == "" for chunks in seen for chunk in chunks if chunk.waiting)
            assert all(chunks[-1].final and not chunks[-1].waiting for chunks in seen)
        finally:
            subject.backend.close()
