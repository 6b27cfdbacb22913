"""Models on GPUs lent for each call: what goes over the seam is plain, and answers are those of a local model."""

import multiprocessing
import os
import pickle
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from time import monotonic
from typing import Any

import numpy as np
import pytest
import torch
from lender import Spaces, Worker

from blip2 import loading
from blip2.backends import lent
from blip2.backends.base import answer
from blip2.backends.lent import Order
from blip2.backends.local import POCKET, LocalBackend
from blip2.backends.zerogpu import ZeroGpuBackend
from blip2.cli.serve import opened
from blip2.errors import BadSetting, Blip2Error, Busy
from blip2.images import open_picture
from blip2.settings import load
from blip2.values import Chunk, Decoding, Finish, Request
from blip2.zoo import ROOT

OPT, T5, ITM = POCKET
BEACH = open_picture(ROOT / "assets" / "examples" / "beach.jpg")
SEA = open_picture(ROOT / "assets" / "examples" / "sea.jpg")
ASKED = Request(OPT, BEACH, "Question: Which animal is in the picture? Answer:")


ENDLESS = Decoding("greedy", max_new_tokens=500, min_new_tokens=500)


def close_all() -> None:
    """What the lent functions opened in this process."""
    for each in lent.BACKENDS.values():
        each.close()
    lent.BACKENDS.clear()


@pytest.fixture(scope="module")
def spaces() -> Iterator[Spaces]:
    made = Spaces()
    yield made
    made.close()


@pytest.fixture(scope="module")
def backend(spaces: Spaces) -> Iterator[ZeroGpuBackend]:
    made = ZeroGpuBackend(spaces.GPU(duration=60), device="cpu")
    yield made
    made.close()


@pytest.fixture(scope="module")
def here() -> Iterator[LocalBackend]:
    made = LocalBackend(device="cpu")
    yield made
    made.close()


@pytest.mark.parametrize("model", [OPT, T5])
@pytest.mark.parametrize("decoding", [Decoding(), Decoding("greedy"), Decoding("nucleus")], ids=lambda d: d.method)
def test_the_bundled_models_answer_as_they_do_here(
    backend: ZeroGpuBackend, here: LocalBackend, model: str, decoding: Decoding
) -> None:
    request = replace(ASKED, model=model, decoding=decoding, seed=3)
    lent_one, own = answer(backend, request), answer(here, request)
    assert (lent_one.text, lent_one.candidates) == (own.text, own.candidates)


def test_matches_features_and_maps_are_those_made_here(backend: ZeroGpuBackend, here: LocalBackend) -> None:
    texts = ["a dog on a beach", "a ship at sea"]
    one, other = (each.match(ITM, [BEACH, SEA], texts) for each in (backend, here))
    np.testing.assert_allclose(one.itm, other.itm, atol=1e-5)
    np.testing.assert_allclose(one.itc, other.itc, atol=1e-5)
    made, own = (each.embed(ITM, [BEACH], [], "image").image_embeds_proj for each in (backend, here))
    assert isinstance(made, np.ndarray)
    np.testing.assert_allclose(made, own, atol=1e-5)
    np.testing.assert_allclose(backend.attend(OPT, SEA).maps, here.attend(OPT, SEA).maps, atol=1e-5)
    for model in POCKET:
        text = "a dog </s> on [SEP] a beach"
        assert backend.count_tokens(model, text) == here.count_tokens(model, text)


def test_this_process_computes_nothing(backend: ZeroGpuBackend) -> None:
    assert not [each for each in lent.BACKENDS if each[0] == os.getpid()]
    threads = {thread.name for thread in threading.enumerate()}
    assert answer(backend, ASKED).text == "a dog"
    assert {thread.name for thread in threading.enumerate()} <= threads


def test_no_tensor_goes_over_the_seam() -> None:
    """A function's results, pickled, name nothing of torch."""
    order = Order(ITM, "auto", "cpu", 0)
    try:
        made: list[Any] = [
            *lent.write(replace(order, name=OPT), ASKED, monotonic(), None, 50.0, "nowhere"),
            lent.compare(order, (BEACH,), ("a dog",)),
            lent.extract(order, (BEACH,), ("a dog",), "multimodal"),
            lent.look(order, BEACH, "a dog"),
        ]
    finally:
        close_all()
    assert not [each for each in made if isinstance(each, Blip2Error)]
    for each in (*made, ASKED):
        data = pickle.dumps(each)
        assert b"torch" not in data
        assert type(pickle.loads(data)) is type(each)


def test_a_process_that_was_not_forked_loads_what_it_lacks(tmp_path: Path) -> None:
    order = Order(ITM, "auto", "cpu", 0)
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        made = pool.apply(lent.compare, (order, (BEACH,), ("a dog on a beach", "a ship at sea")))
    assert made.itm[0, 0] > made.itm[0, 1]


def test_what_goes_wrong_there_comes_back_as_it_is(backend: ZeroGpuBackend) -> None:
    with pytest.raises(Blip2Error, match="before it reads"):
        backend.attend(OPT, BEACH, "a dog")
    with pytest.raises(Blip2Error, match="Multimodal features need one text for each picture"):
        backend.embed(ITM, [BEACH], [], "multimodal")


def test_a_fault_there_is_a_sentence(backend: ZeroGpuBackend) -> None:
    with pytest.raises(Blip2Error, match=r"fault of the model's worker \(AttributeError\)"):
        list(backend.generate(replace(ASKED, picture=replace(BEACH, image=None, digest="new"))))  # type: ignore[arg-type]


def test_the_lenders_refusal_is_a_sentence(spaces: Spaces, backend: ZeroGpuBackend) -> None:
    spaces.refusal = "You have exceeded your quota.\n<a href='x'>Sign up</a>"
    try:
        said = r"No GPU could be borrowed for this \(You have exceeded your quota. Sign up\); please try again later."
        with pytest.raises(Busy, match=said):
            list(backend.generate(ASKED))
        with pytest.raises(Busy, match=said):
            backend.match(ITM, [BEACH], ["a dog"])
    finally:
        spaces.refusal = ""
    assert sum(backend.stats().running.values()) == 0


def test_a_loan_that_breaks_off_is_a_sentence_and_the_next_one_answers(spaces: Spaces) -> None:
    own = Spaces()
    backend = ZeroGpuBackend(own.GPU(duration=60), [T5], device="cpu")
    try:
        stream = backend.generate(replace(ASKED, model=T5, decoding=ENDLESS))
        next(stream)
        (worker,) = own.workers
        assert isinstance(worker, Worker)
        os.kill(worker.process.pid or 0, signal.SIGKILL)
        with pytest.raises(Busy, match="GPU task aborted"):
            list(stream)
        assert answer(backend, replace(ASKED, model=T5)).finish is Finish.END
    finally:
        backend.close()
        own.close()


def test_an_answer_has_less_time_than_the_loan_and_none_of_it_is_too_little() -> None:
    told: list[float] = []

    def lend(function: Callable[..., Any]) -> Callable[..., Any]:
        def run(order: Order, request: Request, asked: float, until: float | None, seconds: float, stop: str) -> Any:
            told.append(seconds)
            return function(order, request, asked, until, 0.0, stop)

        return run

    backend = ZeroGpuBackend(lend, [OPT], device="cpu", seconds=61)
    try:
        assert answer(backend, ASKED).finish is Finish.DEADLINE
    finally:
        close_all()
        backend.close()
    assert told == [51]


def test_the_wait_for_a_gpu_counts() -> None:
    order, now = Order(OPT, "auto", "cpu", 0), monotonic()
    try:
        (late,) = lent.write(order, ASKED, now - 9, now - 1, 50.0, "nowhere")
        *_, brief = lent.write(order, ASKED, now, None, 0.0, "nowhere")
        *_, whole = lent.write(order, ASKED, now - 9, now + 60, 50.0, "nowhere")
    finally:
        close_all()
    assert isinstance(late, Chunk)
    assert isinstance(brief, Chunk)
    assert isinstance(whole, Chunk)
    assert late.finish is brief.finish is Finish.DEADLINE
    assert whole.finish is Finish.END
    assert 9 <= whole.usage.queued <= whole.usage.first_token <= whole.usage.total


def test_more_than_may_be_under_way_are_refused(spaces: Spaces) -> None:
    backend = ZeroGpuBackend(spaces.GPU(duration=60), [OPT], device="cpu", max_waiting=1)
    try:
        stream = backend.generate(ASKED)
        next(stream)
        with pytest.raises(Busy, match="1 answers are under way already"):
            list(backend.generate(ASKED))
        assert list(stream)[-1].text == "a dog"
    finally:
        backend.close()


def test_a_space_that_lends_gpus_is_known_by_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    spaces = Spaces()
    monkeypatch.setitem(sys.modules, "spaces", spaces.module())
    flags = {"models": OPT, "device": "cpu"}
    backends = [
        opened(load(flags, environment, {"gpu_seconds": "33"}))
        for environment in ({"SPACES_ZERO_GPU": "true"}, {"SPACES_ZERO_GPU": "true", "BLIP2_ZEROGPU": "no"}, {})
    ]
    try:
        assert [type(each) for each in backends] == [ZeroGpuBackend, LocalBackend, LocalBackend]
        assert spaces.durations == [33] * 4
        assert answer(backends[0], ASKED).text == "a dog"
    finally:
        for each in backends:
            each.close()
        spaces.close()


def test_a_model_waits_in_main_memory_until_a_gpu_is_there() -> None:
    here = loading.load(OPT, "auto", "cpu", staged=True)
    assert loading.moved(here) is here
    elsewhere = replace(here, info=replace(here.info, device="meta"))
    there = loading.moved(elsewhere)
    assert there.device == torch.device("meta")
    assert {value.device.type for value in there.model.parameters()} == {"meta"}
    with pytest.raises(BadSetting, match="cannot be lent a GPU in int8"):
        loading.load(OPT, "int8", "cpu", staged=True)


def test_importing_touches_no_gpu_and_no_spaces() -> None:
    code = (
        "import sys, app, blip2.backends.zerogpu, torch\n"
        "sys.exit(torch.cuda.is_initialized() or 'spaces' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0
    assert not torch.cuda.is_initialized()
