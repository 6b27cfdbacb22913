"""From logits to next tokens: the score processors, and nucleus sampling. Pure tensor functions, one row a sequence.

Order and formulas are those of transformers, which LAVIS calls: repetition penalty (Keskar et al. 2019, section 4.1),
minimum length, then for sampling temperature, top-k and top-p (Holtzman et al. 2020).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from blip2.values import Decoding


@dataclass(frozen=True, slots=True)
class Past:
    """What the processors need to know of one row: its decoding and its tokens so far, start token first."""

    decoding: Decoding
    tokens: Sequence[int]

    @property
    def may_not_end(self) -> bool:
        return len(self.tokens) - 1 < self.decoding.min_new_tokens


def process(scores: Tensor, pasts: Sequence[Past], end_ids: Sequence[int]) -> Tensor:
    """Repetition penalty and minimum length on scores [R, V] (logits or log-probabilities); a new tensor if changed.

    The penalty divides a positive score by the factor and multiplies a negative one, for each token the row holds,
    start token included and prompt not, as in LAVIS.
    """
    penalised = [i for i, past in enumerate(pasts) if past.decoding.repetition_penalty != 1.0]
    unending = [i for i, past in enumerate(pasts) if past.may_not_end]
    if not penalised and not unending:
        return scores
    scores = scores.clone()
    for i in penalised:
        seen = torch.tensor(sorted(set(pasts[i].tokens)), device=scores.device)
        factor = pasts[i].decoding.repetition_penalty
        row = scores[i, seen]
        scores[i, seen] = torch.where(row < 0, row * factor, row / factor)
    if unending:
        rows = torch.tensor(unending, device=scores.device)
        scores[rows[:, None], torch.tensor(list(end_ids), device=scores.device)] = -torch.inf
    return scores


def warp(scores: Tensor, decoding: Decoding, keep: int = 1) -> Tensor:
    """Temperature, top-k and top-p on scores [..., V]; what falls out becomes -inf. At least `keep` tokens stay."""
    if decoding.temperature != 1.0:
        scores = scores / decoding.temperature
    if decoding.top_k:
        least = scores.topk(min(max(decoding.top_k, keep), scores.shape[-1])).values[..., -1:]
        scores = scores.masked_fill(scores < least, -torch.inf)
    if decoding.top_p < 1.0:
        ordered, order = scores.sort(descending=False)
        drop = ordered.softmax(-1).cumsum(-1) <= 1 - decoding.top_p
        drop[..., -keep:] = False
        scores = scores.masked_fill(drop.scatter(-1, order, drop), -torch.inf)
    return scores


def draw(scores: Tensor, count: int, generator: torch.Generator) -> Tensor:
    """`count` different indices drawn by softmax(scores [V]). The generator lives on the CPU, so that a seed means the
    same everywhere."""
    return torch.multinomial(scores.float().softmax(-1).cpu(), count, generator=generator).to(scores.device)


def next_tokens(
    logits: Tensor, pasts: Sequence[Past], end_ids: Sequence[int], generators: Sequence[torch.Generator]
) -> Tensor:
    """Greedy or nucleus: the next token [R] of each row from its logits [R, V]."""
    scores = process(logits, pasts, end_ids)
    tokens = scores.argmax(-1)
    for i, past in enumerate(pasts):
        if past.decoding.method == "nucleus":
            tokens[i] = draw(warp(scores[i], past.decoding), 1, generators[i])[0]
    return tokens
