"""Beam search by LAVIS's rules, which are those of the transformers release it pins (4.33, `beam_search.py`).

Newer releases divide and stop differently and return other texts. The rules, with L counting the start token:

- each step ranks the best (1 + number of end tokens, at least 2) * beams candidates over beams x vocabulary;
- an end token among the first `beams` ranks closes a hypothesis, one ranked lower is dropped; the first `beams`
  candidates that are not end tokens go on;
- a closed hypothesis scores sum of log-probabilities / L ** length_penalty, L without the end token; the best `beams`
  are kept;
- the search is done when `beams` are kept and the worst is at least (best candidate of this step) / (L + 1) **
  length_penalty; at the maximum length the open beams are closed with their own lengths.

`rank` is the tensor half, batched over requests of one shape; `Beams` the bookkeeping of one request, without tensors.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from blip2.engine.sampling import Past, draw, process, warp
from blip2.values import Decoding


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """A row's new tokens, their raw log-probabilities, and the search's summed score."""

    tokens: tuple[int, ...] = ()
    logprobs: tuple[float, ...] = ()
    total: float = 0.0


@dataclass(frozen=True, slots=True)
class Step:
    """A ranked candidate: row `parent` continued by `token`, with the summed score and the raw log-probability."""

    parent: int
    token: int
    total: float
    logprob: float


class Beams:
    """The open and closed hypotheses of one request."""

    def __init__(self, decoding: Decoding, start_id: int, end_ids: Sequence[int]) -> None:
        self.decoding = decoding
        self.start_id = start_id
        self.end_ids = frozenset(end_ids)
        self.open: list[Hypothesis] = [Hypothesis()]
        self.parents: list[int] = [0]
        self.closed: list[tuple[float, Hypothesis, bool]] = []  # score, hypothesis, whether the model ended it
        self.done = False

    def pasts(self) -> list[Past]:
        """What the processors need to know of the open rows."""
        return [Past(self.decoding, (self.start_id, *row.tokens)) for row in self.open]

    @property
    def length(self) -> int:
        """New tokens of the open rows."""
        return len(self.open[0].tokens) if self.open else 0

    def advance(self, ranked: Sequence[Step]) -> None:
        """One step, from its ranked candidates, best first. `open`, `parents` and `done` are new afterwards."""
        beams = self.decoding.num_beams
        rows: list[Hypothesis] = []
        parents: list[int] = []
        for rank, step in enumerate(ranked):
            old = self.open[step.parent]
            logprobs = (*old.logprobs, step.logprob)
            if step.token in self.end_ids:
                if rank < beams:
                    self._close(Hypothesis(old.tokens, logprobs, step.total), ended=True)
                continue
            rows.append(Hypothesis((*old.tokens, step.token), logprobs, step.total))
            parents.append(step.parent)
            if len(rows) == beams:
                break
        length = 1 + self.length
        self.open, self.parents = rows, parents
        if len(self.closed) >= beams:
            best_possible = ranked[0].total / (length + 1) ** self.decoding.length_penalty
            self.done = self.worst >= best_possible
        if not self.done and (not rows or self.length >= self.decoding.max_new_tokens):
            for row in self.open:
                self._close(row, ended=False)
            self.done = True

    @property
    def worst(self) -> float:
        return min(score for score, _, _ in self.closed)

    def best(self) -> list[tuple[float, Hypothesis, bool]]:
        """The closed hypotheses, best first; of equals the later one, as in LAVIS."""
        return sorted(self.closed, key=lambda item: item[0])[::-1]

    def leader(self) -> Hypothesis:
        """The best hypothesis so far, open or closed."""
        front = self.open[0]
        score = front.total / (1 + len(front.tokens)) ** self.decoding.length_penalty
        best = self.best()
        return best[0][1] if best and best[0][0] > score else front

    def abandon(self) -> None:
        """Close what is open, to give the best so far of a search that was stopped."""
        if not self.closed:
            for row in self.open:
                self._close(row, ended=False)
        self.done = True

    def _close(self, row: Hypothesis, ended: bool) -> None:
        score = row.total / (1 + len(row.tokens)) ** self.decoding.length_penalty
        if len(self.closed) < self.decoding.num_beams or score > self.worst:
            self.closed.append((score, row, ended))
            if len(self.closed) > self.decoding.num_beams:
                self.closed.pop(min(range(len(self.closed)), key=lambda i: self.closed[i][0]))


def rank(
    logprobs: Tensor, searches: Sequence[Beams], end_ids: Sequence[int], generators: Sequence[torch.Generator]
) -> Tensor:
    """Candidates of n `searches` that have r open rows each, from raw log-probabilities [n, r, V].

    Returns [n, candidates, 3], best first: the flat index into [r, V], the summed score, the raw log-probability. All
    float32, so that they reach the host together; an index below 2^24 is exact.
    """
    count, rows, vocabulary = logprobs.shape
    flat = logprobs.reshape(count * rows, vocabulary)
    scores = process(flat, [past for search in searches for past in search.pasts()], end_ids)
    sums = torch.tensor([row.total for search in searches for row in search.open], device=logprobs.device)
    totals = (scores + sums[:, None]).view(count, rows * vocabulary)
    width = min(max(2, 1 + len(end_ids)) * searches[0].decoding.num_beams, rows * vocabulary)
    if searches[0].decoding.beam_sample:
        # The warpers see the summed scores, row by row, as in the release LAVIS pins; each row keeps a token beside its
        # ends, or all rows could be without a way on once a sure one has ended.
        keep = 1 + len(end_ids)
        warped = warp(totals.view(count, rows, vocabulary), searches[0].decoding, keep).view_as(totals)
        picked = torch.stack([draw_some(row, width, gen) for row, gen in zip(warped, generators, strict=True)])
        best, order = warped.gather(1, picked).sort(descending=True, dim=1)
        index = picked.gather(1, order)
    else:
        best, index = totals.topk(width, dim=1)
    raw = logprobs.reshape(count, rows * vocabulary).gather(1, index)
    return torch.stack([index.float(), best, raw], 2)


def draw_some(scores: Tensor, count: int, generator: torch.Generator) -> Tensor:
    """`count` indices by softmax(scores [V]); when fewer have any probability, the best of the others fill up."""
    possible = int(torch.isfinite(scores).sum())
    if possible >= count:
        return draw(scores, count, generator)
    if not possible:  # rows that hold only what was filled up
        return torch.arange(count, device=scores.device)
    drawn = draw(scores, possible, generator)
    rest = scores.clone()
    rest[drawn] = -torch.inf
    others = torch.ones_like(rest, dtype=torch.bool)
    others[drawn] = False
    return torch.cat([drawn, others.nonzero()[: count - possible, 0]])
