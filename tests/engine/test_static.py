"""Steps in fixed shapes write what plain steps write, whatever joins and leaves; what cannot be captured goes on."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from blip2.engine.batch import Batch, Job, make_job
from blip2.engine.runner import Runner
from blip2.engine.static import Capture, StaticSteps, again, rounded
from blip2.images import preprocess
from blip2.loading import LoadedModel
from blip2.values import Decoding, Picture
from tests.engine.conftest import PROMPTS

GREEDY, BEAMS = Decoding(method="greedy", max_new_tokens=14), Decoding(num_beams=3, max_new_tokens=26)


def jobs(runner: Runner, pictures: list[Picture], decoding: Decoding) -> list[Job]:
    made = []
    for i, prompt in enumerate(PROMPTS):
        pixels = preprocess(pictures[i].image, runner.info.image_size)[None]
        made.append(make_job(runner, str(i), runner.encode(pixels)[0], runner.tokens(prompt), decoding, 0))
    return made


def written(job: Job) -> list[tuple[int, ...]]:
    return [row.tokens for _, row, _ in job.beams.best()] if job.beams else [tuple(job.tokens)]


def answers(
    loaded: LoadedModel, pictures: list[Picture], decoding: Decoding, capture: Capture | None
) -> list[list[tuple[int, ...]]]:
    """Two begin, one is dropped under way, the others join one after the other."""
    runner = Runner(loaded, capture=capture)
    batch, waiting = Batch(runner), jobs(runner, pictures, decoding)
    every = list(waiting)
    batch.join([waiting.pop(0), waiting.pop(0)])
    steps = 0
    while batch.jobs or waiting:
        batch.step()
        steps += 1
        if steps == 3:
            batch.drop([every[1]])
        if waiting and steps % 2:
            batch.join([waiting.pop(0)])
    return [written(job) for job in every if job.done]


@pytest.mark.parametrize("decoding", [GREEDY, BEAMS], ids=["greedy", "beams"])
def test_fixed_shapes_write_the_same(loaded: LoadedModel, pictures: list[Picture], decoding: Decoding) -> None:
    repeats: list[int] = []

    def counted(step: Callable[[], Tensor]) -> Callable[[], Tensor]:
        def replay() -> Tensor:
            repeats.append(1)
            return step()

        return replay

    plain = answers(loaded, pictures, decoding, None)
    assert answers(loaded, pictures, decoding, counted) == plain
    assert len(plain) >= 5
    assert len(repeats) > 10


def test_surplus_slots_leave_nothing_behind_that_is_no_number(loaded: LoadedModel, pictures: list[Picture]) -> None:
    runner = Runner(loaded, capture=again)
    batch = Batch(runner)
    first = jobs(runner, pictures, GREEDY)
    batch.join(first[:3])  # run as four slots
    batch.step()
    (run,) = batch._runs.values()
    assert all(torch.isfinite(layer.keys).all() for layer in run.lane.slots.layers)
    assert torch.isfinite(run.logits).all()


def failing(step: Callable[[], Tensor]) -> Callable[[], Tensor]:
    raise RuntimeError("operation not permitted when stream is capturing")


def wrong(step: Callable[[], Tensor]) -> Callable[[], Tensor]:
    return lambda: -step()


@pytest.mark.parametrize("capture", [failing, wrong])
def test_what_cannot_be_captured_goes_on_without(
    loaded: LoadedModel, pictures: list[Picture], capture: Capture, caplog: pytest.LogCaptureFixture
) -> None:
    assert answers(loaded, pictures, GREEDY, capture) == answers(loaded, pictures, GREEDY, None)
    assert "not captured" in caplog.text


def test_a_shape_is_captured_at_its_second_use_and_let_go_with_its_buffers() -> None:
    made: list[int] = []

    def capture(step: Callable[[], Tensor]) -> Callable[[], Tensor]:
        made.append(1)
        return step

    steps = StaticSteps(capture)
    zeros = torch.zeros((1, 1), dtype=torch.long)
    step = (zeros, zeros, zeros, torch.ones((1, 1, 5), dtype=torch.bool))

    def forward(tokens: Tensor, mask: Tensor, positions: Tensor, columns: Tensor) -> Tensor:
        return mask.float().sum(2, keepdim=True)

    for expected in (0, 1, 1):
        assert steps.run("here", (2, 64), step, forward).tolist() == [[[5.0]]]
        assert len(made) == expected
    steps.forget()
    steps.run("there", (2, 64), step, forward)
    assert len(made) == 1


def test_sizes_are_few() -> None:
    assert [rounded(count, 1)[0] for count in (1, 2, 3, 5, 8, 9)] == [1, 2, 4, 8, 8, 16]
    assert [rounded(1, columns)[1] for columns in (1, 64, 65, 200)] == [64, 64, 128, 256]
