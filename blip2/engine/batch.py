"""The running batch: requests join and leave between steps; each step asks the runner once for all of them.

Synchronous and without threads: the engine's worker drives it, and so does the LAVIS interface.
"""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from blip2.engine.beams import Beams, Step, rank
from blip2.engine.rows import Rows
from blip2.engine.runner import Runner
from blip2.engine.sampling import Past, next_tokens
from blip2.values import Decoding


@dataclass(eq=False, slots=True)
class Job:
    """One running generation. `picture` [Q, D] is the encoded image, `ids` the prompt's tokens.

    `tokens` and `logprobs` (raw, nats) grow by one a step for greedy and nucleus; `beams` holds a beam search's state.
    """

    id: str
    picture: Tensor
    ids: Sequence[int]
    decoding: Decoding
    generator: torch.Generator
    beams: Beams | None = None
    tokens: list[int] = field(default_factory=list)
    logprobs: list[float] = field(default_factory=list)
    ended: bool = False  # by the model's end token
    done: bool = False
    first_token_at: float = 0.0

    @property
    def rows(self) -> int:
        """Rows it holds in the batch now: its open beams, or one."""
        return len(self.beams.open) if self.beams else 1


def make_job(runner: Runner, id: str, picture: Tensor, ids: Sequence[int], decoding: Decoding, seed: int) -> Job:
    """A job ready to join a batch."""
    generator = torch.Generator().manual_seed(seed)
    loaded = runner.loaded
    beams = Beams(decoding, loaded.start_id, loaded.end_ids) if decoding.method == "beam" else None
    return Job(id, picture, ids, decoding, generator, beams)


class Batch:
    """Jobs in the order of their rows, and the logits of each row's next token."""

    def __init__(self, runner: Runner) -> None:
        self.runner = runner
        self.jobs: list[Job] = []
        self._rows: Rows | None = None
        self._logits: Tensor | None = None  # [R, V]
        self.steps = 0

    def join(self, newcomers: Sequence[Job]) -> None:
        """Read the newcomers' pictures and prompts and put them behind the running rows."""
        rows, logits = self.runner.prefill([j.picture for j in newcomers], [j.ids for j in newcomers])
        if self._rows is None or self._logits is None or not self.jobs:
            self._rows, self._logits = rows, logits
        else:
            self._rows.join(rows)
            self._logits = torch.cat([self._logits, logits])
        self.jobs += newcomers

    def drop(self, gone: Iterable[Job]) -> None:
        """Take jobs out before the next step; their rows are free at once."""
        leaving = set(gone)
        keep: list[int] = []
        start = 0
        for job in self.jobs:
            if job not in leaving:
                keep += range(start, start + job.rows)
            start += job.rows
        self.jobs = [job for job in self.jobs if job not in leaving]
        if not self.jobs:
            self._rows = self._logits = None
        elif self._rows is not None and self._logits is not None and len(keep) < start:
            index = torch.tensor(keep, device=self.runner.device)
            self._rows.select(index)
            self._rows.trim()
            self._logits = self._logits.index_select(0, index)

    @torch.inference_mode()
    def step(self) -> list[Job]:
        """Give every job its next token and run the model on those not done. Returns all jobs that took the step."""
        if self._rows is None or self._logits is None:
            return []
        jobs, starts = self.jobs, self._starts()
        self.steps += 1
        raw = self._logits.log_softmax(-1)
        self._choose([j for j in jobs if j.beams is None], starts, raw)
        self._search([j for j in jobs if j.beams is not None], starts, raw)
        now = time.monotonic()
        for job in jobs:
            job.first_token_at = job.first_token_at or now
        keep = [starts[job] + parent for job in jobs if not job.done for parent in parents(job)]
        tokens = [token for job in jobs if not job.done for token in newest(job)]
        left = any(job.done for job in jobs)
        self.jobs = [job for job in jobs if not job.done]
        if not self.jobs:
            self._rows = self._logits = None
            return jobs
        device = self.runner.device
        if keep != list(range(len(self._rows))):
            self._rows.select(torch.tensor(keep, device=device))
        if left:
            self._rows.trim()
        self._logits = self.runner.step(self._rows, torch.tensor(tokens, device=device))
        return jobs

    def _starts(self) -> dict[Job, int]:
        starts, row = {}, 0
        for job in self.jobs:
            starts[job] = row
            row += job.rows
        return starts

    def _choose(self, jobs: Sequence[Job], starts: dict[Job, int], raw: Tensor) -> None:
        """Greedy and nucleus, all in one."""
        if not jobs or self._logits is None:
            return
        index = torch.tensor([starts[job] for job in jobs], device=raw.device)
        start_id, end_ids = self.runner.loaded.start_id, self.runner.loaded.end_ids
        pasts = [Past(job.decoding, (start_id, *job.tokens)) for job in jobs]
        chosen = next_tokens(self._logits[index], pasts, end_ids, [job.generator for job in jobs])
        logprobs = raw[index].gather(1, chosen[:, None])[:, 0]
        for job, token, logprob in zip(jobs, chosen.tolist(), logprobs.tolist(), strict=True):
            job.logprobs.append(logprob)
            job.ended = token in end_ids
            if not job.ended:
                job.tokens.append(token)
            job.done = job.ended or len(job.tokens) >= job.decoding.max_new_tokens

    def _search(self, jobs: Sequence[Job], starts: dict[Job, int], raw: Tensor) -> None:
        """Beam search; requests of one shape are ranked together."""
        shapes: dict[tuple[int, ...], list[tuple[Job, Beams]]] = {}
        for job in jobs:
            if job.beams is not None:
                # Sampling draws row by row with its own warpers, so it is ranked alone.
                alone = starts[job] if job.decoding.beam_sample else -1
                shapes.setdefault((job.rows, job.decoding.num_beams, alone), []).append((job, job.beams))
        for group in shapes.values():
            rows = [starts[job] + i for job, beams in group for i in range(len(beams.open))]
            found = rank(
                raw[torch.tensor(rows, device=raw.device)],
                [beams for _, beams in group],
                self.runner.loaded.end_ids,
                [job.generator for job, _ in group],
            )
            size = raw.shape[1]
            for (job, beams), index, totals, logprobs in zip(group, *(t.tolist() for t in found), strict=True):
                ranked = zip(index, totals, logprobs, strict=True)
                beams.advance([Step(flat // size, flat % size, total, logprob) for flat, total, logprob in ranked])
                job.done = beams.done


def parents(job: Job) -> list[int]:
    """The rows, counted inside the job, that its rows now continue."""
    return job.beams.parents if job.beams else [0]


def newest(job: Job) -> list[int]:
    """The newest token of each of the job's rows."""
    return [row.tokens[-1] for row in job.beams.open] if job.beams else [job.tokens[-1]]


def run_all(runner: Runner, jobs: Sequence[Job], on_step: Callable[[list[Job]], None] | None = None) -> None:
    """Run jobs to their ends in one batch, in the calling thread."""
    batch = Batch(runner)
    batch.join(jobs)
    while batch.jobs:
        took = batch.step()
        if on_step:
            on_step(took)
