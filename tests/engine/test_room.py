"""Requests are weighed before they run: what they take at most, and what is free."""

import torch

from blip2.engine.batch import Batch, make_job
from blip2.engine.room import cost, free
from blip2.engine.runner import Runner
from blip2.engine.scheduler import Scheduler, Ticket
from blip2.images import preprocess
from blip2.loading import LoadedModel
from blip2.values import Decoding, Picture


def test_the_estimate_covers_what_a_request_really_holds(loaded: LoadedModel, pictures: list[Picture]) -> None:
    decoding = Decoding(num_beams=3, max_new_tokens=40, min_new_tokens=40)
    runner = Runner(loaded)
    picture = runner.encode(preprocess(pictures[0].image, loaded.info.image_size)[None])[0]
    job = make_job(runner, "a", picture, runner.tokens("a photo of"), decoding, 0)
    batch = Batch(runner)
    batch.join([job])
    held = 0
    while batch.jobs:
        batch.step()
        for run in batch._runs.values():
            held = max(held, run.lane.slots.nbytes)
    assert 0 < held <= cost(loaded, len(job.ids), decoding)


def test_wider_and_longer_requests_cost_more(loaded: LoadedModel) -> None:
    costs = [cost(loaded, 10, Decoding(num_beams=beams, max_new_tokens=n)) for beams, n in ((1, 5), (1, 50), (5, 50))]
    assert costs == sorted(set(costs))


def test_free_memory_is_a_number_of_bytes() -> None:
    assert free(torch.device("cpu")) > 1 << 20


def test_a_request_that_does_not_fit_waits_until_there_is_room() -> None:
    left = [100]
    scheduler: Scheduler[str] = Scheduler(room=lambda: left[0])
    for name, size in (("a", 60), ("b", 60), ("c", 10)):
        scheduler.submit(Ticket(name, name, bytes=size))
    assert [ticket.id for ticket in scheduler.admit()] == ["a"]
    left[0] = 40  # what the first has taken is free no more
    assert scheduler.admit() == []
    left[0] = 75
    assert [ticket.id for ticket in scheduler.admit()] == ["b", "c"]
    scheduler.finish(scheduler.running)
    left[0] = 5
    scheduler.submit(Ticket("d", "d", bytes=1000))
    assert [ticket.id for ticket in scheduler.admit()] == ["d"]  # alone, whatever it takes
