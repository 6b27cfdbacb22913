"""The batch step by step: who holds slots, what a dropped request costs, prefixes, and long searches."""

import torch

from blip2.engine.batch import Batch, Job, make_job, run_all
from blip2.engine.prefixes import Prefixes, common
from blip2.engine.runner import Runner
from blip2.images import preprocess
from blip2.loading import LoadedModel
from blip2.values import Decoding, Picture

LONG = Decoding(num_beams=4, max_new_tokens=60, min_new_tokens=60)


def job(runner: Runner, picture: Picture, prompt: str, decoding: Decoding, name: str = "a") -> Job:
    encoded = runner.encode(preprocess(picture.image, runner.info.image_size)[None])[0]
    return make_job(runner, name, encoded, runner.tokens(prompt), decoding, 0, key=picture.digest)


def best(done: Job) -> tuple[int, ...]:
    return done.beams.best()[0][1].tokens if done.beams else tuple(done.tokens)


def test_a_dropped_request_takes_no_further_step(loaded: LoadedModel, pictures: list[Picture]) -> None:
    runner = Runner(loaded)
    jobs = [job(runner, pictures[i], "two", LONG, str(i)) for i in range(3)]
    alone = job(runner, pictures[2], "two", LONG)
    run_all(runner, [alone])
    batch = Batch(runner)
    batch.join(jobs)
    batch.step()
    batch.step()
    batch.drop([jobs[0]])
    assert batch.step() == [jobs[2], jobs[1]], "the last slot moved into the free one"
    assert [j.beams.length for j in jobs if j.beams] == [2, 3, 3]
    batch.drop([jobs[1]])
    while batch.jobs:
        batch.step()
    assert best(jobs[2]) == best(alone), "moving its keys changed nothing"


def test_newcomers_join_while_others_run(loaded: LoadedModel, pictures: list[Picture]) -> None:
    runner = Runner(loaded)
    early, late = (job(runner, pictures[i], prompt, LONG) for i, prompt in ((0, "two"), (1, "how many dogs are there")))
    batch = Batch(runner)
    batch.join([early])
    for _ in range(20):
        batch.step()
    batch.join([late])
    while batch.jobs:
        batch.step()
    for done, picture, prompt in ((early, pictures[0], "two"), (late, pictures[1], "how many dogs are there")):
        single = job(runner, picture, prompt, LONG)
        run_all(runner, [single])
        assert best(done) == best(single)


def test_columns_nobody_descends_from_are_dropped(loaded: LoadedModel, pictures: list[Picture]) -> None:
    """Sixty steps of four beams would take 240 columns; the search is right and holds far fewer."""
    runner = Runner(loaded)
    done = job(runner, pictures[0], "two", LONG)
    batch = Batch(runner)
    batch.join([done])
    run = next(iter(batch._runs.values()))
    longest = 0
    while batch.jobs:
        longest = max([longest, *run.lane.slots.lengths])
        batch.step()
    assert longest < 220
    assert len(best(done)) == 60


def test_a_follow_up_reads_only_what_is_new(loaded: LoadedModel, pictures: list[Picture]) -> None:
    first = "Question: what is this? Answer:"
    second = f"{first} a dog. Question: why? Answer:"
    decoding = Decoding(max_new_tokens=8)
    plain = Runner(loaded)
    keeping = Runner(loaded, Prefixes(64 << 20))
    for prompt in (first, second, second, first, "Question: how many? Answer:"):
        for picture in pictures[:2]:
            kept, fresh = (job(runner, picture, prompt, decoding) for runner in (keeping, plain))
            run_all(keeping, [kept])
            run_all(plain, [fresh])
            assert best(kept) == best(fresh)
    prefixes = keeping.prefixes
    assert prefixes is not None
    assert prefixes.reused > 0
    again = prefixes.read
    run_all(keeping, [job(keeping, pictures[0], second, decoding)])
    assert prefixes.read - again == (0 if keeping.is_t5 else 1), "a retry reads one token at most"


def test_prefixes_are_bounded_and_found_by_their_longest_common_part() -> None:
    prefixes = Prefixes(limit=3 * 400)
    for name, ids in (("a", (1, 2)), ("a", (1, 2, 3)), ("b", (1, 2, 3, 4)), ("a", (9,))):
        prefixes.put(name, ids, torch.zeros(100))
    assert len(prefixes) == 3, "the prefix of another is dropped"
    shared, found = prefixes.longest("a", (1, 2, 3, 7))
    assert found is not None
    assert (shared, found.ids) == (3, (1, 2, 3))
    assert prefixes.exact("b", (1, 2, 3)) is None
    prefixes.put("c", (5,), torch.zeros(100))
    assert prefixes.longest("a", (9,))[0] == 0, "the least recently used went first"
    assert prefixes.bytes == 1200
    assert common((1, 2, 3), (1, 2)) == 2
