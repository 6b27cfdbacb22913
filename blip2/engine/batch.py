"""The running batch: requests join and leave between steps; a step asks the runner once for all of one width.

Synchronous and without threads: the engine's worker drives it, and so does the LAVIS interface.
"""

import time
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from blip2.engine.beams import Beams, Step, rank
from blip2.engine.runner import Lane, Runner
from blip2.engine.sampling import Past, next_tokens
from blip2.values import Decoding


@dataclass(eq=False, slots=True)
class Job:
    """One running generation. `picture` [Q, D] is the encoded image (`key` names it), `ids` the prompt's tokens.

    `tokens` and `logprobs` (raw, nats) grow by one a step for greedy and nucleus; `beams` holds a beam search's state.
    """

    id: str
    picture: Tensor
    ids: Sequence[int]
    decoding: Decoding
    generator: torch.Generator
    beams: Beams | None = None
    key: Hashable | None = None
    tokens: list[int] = field(default_factory=list)
    logprobs: list[float] = field(default_factory=list)
    ended: bool = False  # by the model's end token
    done: bool = False
    first_token_at: float = 0.0

    def parents(self) -> list[int]:
        """Which of its beams each of its beams now continues."""
        return self.beams.parents if self.beams else [0]

    def newest(self) -> list[int]:
        """The newest token of each beam."""
        return [row.tokens[-1] for row in self.beams.open] if self.beams else [self.tokens[-1]]


def make_job(
    runner: Runner,
    id: str,
    picture: Tensor,
    ids: Sequence[int],
    decoding: Decoding,
    seed: int,
    key: Hashable | None = None,
) -> Job:
    """A job ready to join a batch."""
    generator = torch.Generator().manual_seed(seed)
    loaded = runner.loaded
    beams = Beams(decoding, loaded.start_id, loaded.end_ids) if decoding.method == "beam" else None
    return Job(id, picture, ids, decoding, generator, beams, key)


class Run:
    """The jobs of one width, in the order of their slots, and the logits of their next tokens."""

    def __init__(self, runner: Runner, width: int) -> None:
        self.runner = runner
        self.width = width
        self.lane = Lane(runner, width)
        self.jobs: list[Job] = []
        self.logits: Tensor = torch.empty(0)  # [slots, beams, V]

    def join(self, newcomers: Sequence[Job]) -> None:
        """Read the newcomers' pictures and prompts."""
        logits = self.runner.prefill(self.lane, [(job.picture, job.ids, job.key) for job in newcomers])
        wide = logits[:, None].expand(-1, self.width, -1)
        self.logits = torch.cat([self.logits, wide]) if self.jobs else wide
        self.jobs += newcomers

    def drop(self, gone: Sequence[Job]) -> None:
        """Take jobs out before the next step."""
        moves = self._close(gone)
        if moves:
            self.logits = self.logits.clone()
            for source, to in moves:
                self.logits[to] = self.logits[source]
        self.logits = self.logits[: len(self.jobs)]

    def step(self) -> None:
        """Give every job its next token and run the model on those not done."""
        choose(self.jobs, self.logits, self.runner.loaded.end_ids, self.runner.loaded.start_id)
        self._close([job for job in self.jobs if job.done])
        if not self.jobs:
            return
        tokens = [wide(job.newest(), self.width) for job in self.jobs]
        parents = [wide(job.parents(), self.width) for job in self.jobs]
        device = self.runner.device
        self.logits = self.runner.step(
            self.lane, torch.tensor(tokens, device=device), torch.tensor(parents, device=device)
        )

    def _close(self, gone: Sequence[Job]) -> list[tuple[int, int]]:
        moves = self.lane.close([self.jobs.index(job) for job in gone]) if gone else []
        for source, to in moves:
            self.jobs[to] = self.jobs[source]
        self.jobs = self.jobs[: self.lane.slots.count]
        return moves


class Batch:
    """All running jobs, by width, so that a greedy request does not pay for five beams."""

    def __init__(self, runner: Runner) -> None:
        self.runner = runner
        self._runs: dict[int, Run] = {}

    @property
    def jobs(self) -> list[Job]:
        return [job for run in self._runs.values() for job in run.jobs]

    @torch.inference_mode()
    def join(self, newcomers: Sequence[Job]) -> None:
        """Read the newcomers' pictures and prompts; they take part in the next step."""
        for width in sorted({job.decoding.width for job in newcomers}):
            run = self._runs.setdefault(width, Run(self.runner, width))
            run.join([job for job in newcomers if job.decoding.width == width])

    @torch.inference_mode()
    def drop(self, gone: Iterable[Job]) -> None:
        """Take jobs out before the next step; their slots are free at once."""
        leaving = set(gone)
        for run in self._runs.values():
            run.drop([job for job in run.jobs if job in leaving])

    @torch.inference_mode()
    def step(self) -> list[Job]:
        """One step for every job. Returns all that took it, those that are done now included."""
        took = self.jobs
        for run in self._runs.values():
            if run.jobs:
                run.step()
        now = time.monotonic()
        for job in took:
            job.first_token_at = job.first_token_at or now
        return took


def choose(jobs: Sequence[Job], logits: Tensor, end_ids: Sequence[int], start_id: int) -> None:
    """Advance each job by the logits [slots, beams, V] of its slot; the results reach the host in one transfer."""
    raw = logits.log_softmax(-1)
    groups: dict[tuple[int, ...], list[int]] = {}
    for slot, job in enumerate(jobs):
        shape: tuple[int, ...] = (0,)
        if job.beams:
            # Sampling draws with its own warpers, so a request that samples its beams is ranked alone.
            shape = (len(job.beams.open), job.decoding.num_beams, slot if job.decoding.beam_sample else -1)
        groups.setdefault(shape, []).append(slot)
    found = []
    for shape, slots in groups.items():
        index = torch.tensor(slots, device=raw.device)
        generators = [jobs[slot].generator for slot in slots]
        if shape == (0,):
            pasts = [Past(jobs[slot].decoding, (start_id, *jobs[slot].tokens)) for slot in slots]
            tokens = next_tokens(logits[index, 0], pasts, end_ids, generators)
            found.append(torch.stack([tokens.float(), raw[index, 0].gather(1, tokens[:, None])[:, 0]], 1)[:, None])
        else:
            searches = [beams for slot in slots if (beams := jobs[slot].beams)]
            found.append(rank(raw[index, : shape[0]], searches, end_ids, generators))
    flat = iter(torch.cat([part.flatten() for part in found]).tolist())
    for part, slots in zip(found, groups.values(), strict=True):
        for slot in slots:
            rows = [[next(flat) for _ in range(part.shape[2])] for _ in range(part.shape[1])]
            advance(jobs[slot], rows, logits.shape[-1], end_ids)


def advance(job: Job, rows: Sequence[Sequence[float]], vocabulary: int, end_ids: Sequence[int]) -> None:
    """What was chosen for one job: (token, log-probability); for beams (index, sum, log-probability), best first."""
    if job.beams:
        job.beams.advance([Step(int(i) // vocabulary, int(i) % vocabulary, total, lp) for i, total, lp in rows])
        job.done = job.beams.done
        return
    token, logprob = int(rows[0][0]), rows[0][1]
    job.logprobs.append(logprob)
    job.ended = token in end_ids
    if not job.ended:
        job.tokens.append(token)
    job.done = job.ended or len(job.tokens) >= job.decoding.max_new_tokens


def wide(values: list[int], width: int) -> list[int]:
    """`values` filled up to `width`: a slot with fewer beams open computes some for nothing."""
    return values + [0] * (width - len(values))


def run_all(runner: Runner, jobs: Sequence[Job], on_step: Callable[[list[Job]], None] | None = None) -> None:
    """Run jobs to their ends in one batch, in the calling thread."""
    batch = Batch(runner)
    batch.join(jobs)
    while batch.jobs:
        took = batch.step()
        if on_step:
            on_step(took)
