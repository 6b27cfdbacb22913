"""Training of the pocket language models.

Two stages, the same loop: on symbolic pictures, where the whole logic of the conversations is learnt without drawing
anything, then on what the trained eyes see, with a new projection that first learns alone.

    python -m blip2.pocket.language --family opt --stage symbols --steps 6000 --out work/pocket/language/opt_symbols.pt
    python -m blip2.pocket.language --family opt --stage pictures --steps 3000 --features work/pocket/features \\
        --start work/pocket/language/opt_symbols.pt --out work/pocket/language/opt.pt

A batch follows from the seed and the step, and a stopped training goes on from `--out`, so a result follows from the
command. One thread is as fast as several at this size.
"""

from __future__ import annotations

import argparse
import random
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from blip2.pocket.asker import QA
from blip2.pocket.dialogue import dialogue, lots
from blip2.pocket.language_data import Batch, Symbols, conversations, opt_batch, slot_labels, turns_of
from blip2.pocket.speaker import Speaker, newline
from blip2.pocket.tokenizer import Encoder, special_ids
from blip2.pocket.world import EVAL_SEEDS, Scene, scene_at

__all__ = ["Plan", "Source", "load_speaker", "measure", "train"]

# Asked more often in training than by visitors: what is slow to learn.
_EMPHASIS = {"at": 3.5, "relation": 3.5, "beside": 3.5, "next": 2.5, "count_kind": 2.4, "exist": 2.4, "other": 8.0}
_EMPHASIS |= {"unknown_thing": 1.8, "unknown_fact": 1.8, "it_fact": 2.0, "and": 2.5, "it_next": 1.5}
_LOTS = lots(_EMPHASIS)

Source = Callable[[int, int], tuple[list[Scene], Tensor]]  # (step, how many) -> scenes and their slots [n, 16, 128]


@dataclass(frozen=True)
class Plan:
    """How to train. Lengths of conversations grow in three phases that begin at `phases` of the steps."""

    family: str
    steps: int
    rows: int
    tokens: int = 120  # of conversation a row
    rate: float = 1.2e-3
    seed: int = 0
    decay: float = 0.45  # share of the steps in which the rate falls to nothing
    alone: int = 0  # steps in which only the projection learns
    phases: tuple[float, float] = (0.5, 0.78)
    warm_up: int = 100


_LENGTHS = ((1, 1, 2, 2, 2, 3), (1, 2, 2, 3, 4, 6), (1, 2, 3, 4, 8, 14))


def _ask(scene: Scene, rng: random.Random, turns: int) -> list[QA]:
    return dialogue(scene, rng, turns, follow=0.65, drawn_from=_LOTS)


def symbolic(plan: Plan) -> Source:
    """Fresh scenes of the training seeds as symbols."""
    symbols = Symbols()

    def draw(step: int, count: int) -> tuple[list[Scene], Tensor]:
        scenes = [scene_at(plan.seed * 50_000_000 + step * count + at) for at in range(count)]
        return scenes, symbols(scenes, step)

    return draw


def pictured(folder: Path, plan: Plan) -> Source:
    """Training scenes as the eyes saw them: what `features` cached."""
    seeds, slots = [], []
    for path in sorted(folder.glob("*.pt")):
        part = torch.load(path, weights_only=True)
        seeds.append(part["seeds"])
        slots.append(part["features"])
    known, seen = torch.cat(seeds).tolist(), torch.cat(slots)

    def draw(step: int, count: int) -> tuple[list[Scene], Tensor]:
        chosen = random.Random(f"{plan.seed} {step} pictures").sample(range(len(known)), count)
        return [scene_at(known[at]) for at in chosen], seen[chosen].float()

    return draw


def _collate(plan: Plan, scenes: Sequence[Scene], rng: random.Random, lengths: Sequence[int], encode: Encoder) -> Batch:
    ids = special_ids(plan.family)
    stop = encode(".")[0]
    rows = [conversations(scene, rng, lengths, plan.tokens, encode, _ask) for scene in scenes]
    if plan.family == "opt":
        return opt_batch(rows, ids["</s>"], newline(), stop)
    raise NotImplementedError(plan.family)


def measure(
    speaker: Speaker, scenes: Sequence[Scene], slots: Tensor, split: str = "train", turns: int = 6
) -> dict[str, float]:
    """Share of answers all of whose tokens are the model's first choice, by type and `all`; history is the right one."""
    encode, ids = Encoder(speaker.family), special_ids(speaker.family)
    right: dict[str, list[bool]] = defaultdict(list)
    labels = slot_labels(scenes)
    for first in range(0, len(scenes), 16):
        part = range(first, min(first + 16, len(scenes)))
        said = [dialogue(scenes[at], random.Random(f"{at} {split}"), turns, split) for at in part]
        talks = [turns_of(qas, encode) for qas in said]
        rows = [[talk] for talk in talks]
        batch = opt_batch(rows, ids["</s>"], newline(), encode(".")[0])
        with torch.no_grad():
            output = speaker(slots[part.start : part.stop], labels[part.start : part.stop], batch)
        table = torch.zeros_like(batch.labels, dtype=torch.bool)
        table[batch.labels != -100] = output.chosen != output.right
        for kind, row, start, end, _ in batch.answers:
            right[kind].append(not bool(table[row, start:end].any()))
    scores = {kind: sum(values) / len(values) for kind, values in sorted(right.items())}
    everything = [value for values in right.values() for value in values]
    return {"all": sum(everything) / len(everything), **scores}


def _rate(plan: Plan, step: int) -> float:
    warm = min(1.0, (step + 1) / plan.warm_up)
    return plan.rate * warm * min(1.0, (plan.steps - step) / (plan.decay * plan.steps))


def load_speaker(path: Path, family: str) -> Speaker:
    """A trained model, without its optimiser."""
    speaker = Speaker(family)
    speaker.load_state_dict(torch.load(path, weights_only=True)["model"])
    return speaker


def train(plan: Plan, speaker: Speaker, source: Source, out: Path, report: Callable[[int, str], None]) -> None:
    """Train to the end of the plan; writes `out` every 250 steps and goes on from it if it is there."""
    optimiser = torch.optim.Adam(speaker.parameters(), plan.rate, (0.9, 0.98))
    step, seconds, encode = 0, 0.0, Encoder(plan.family)
    if out.exists():
        saved = torch.load(out, weights_only=True)
        speaker.load_state_dict(saved["model"])
        optimiser.load_state_dict(saved["optimiser"])
        step, seconds = saved["step"], saved["seconds"]
    began, sums = time.process_time() - seconds, torch.zeros(4)
    while step < plan.steps:
        phase = sum(step >= share * plan.steps for share in plan.phases)
        scenes, slots = source(step, plan.rows)
        batch = _collate(plan, scenes, random.Random(f"{plan.seed} {step}"), _LENGTHS[phase], encode)
        for group in optimiser.param_groups:
            group["lr"] = _rate(plan, step)
        for name, weight in speaker.named_parameters():
            weight.requires_grad_(step >= plan.alone or name.startswith(("projection", "tie_scale")))
        output = speaker(slots, slot_labels(scenes), batch)
        optimiser.zero_grad()
        output.loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(speaker.parameters(), 1.0)
        optimiser.step()
        sums += torch.stack([output.answer, output.noun, output.part, output.tie]).detach()
        step += 1
        if step % 50 == 0:
            losses = " ".join(f"{value:.3f}" for value in (sums / 50).tolist())
            report(step, f"step {step} losses {losses} seconds {time.process_time() - began:.0f}")
            sums.zero_()
        if step % 250 == 0 or step == plan.steps:
            _save(out, speaker, optimiser, step, time.process_time() - began)


def _save(out: Path, speaker: Speaker, optimiser: torch.optim.Optimizer, step: int, seconds: float) -> None:
    out.parent.mkdir(parents=True, exist_ok=True)
    state = {"model": speaker.state_dict(), "optimiser": optimiser.state_dict(), "step": step, "seconds": seconds}
    torch.save(state, out.with_suffix(".new"))
    out.with_suffix(".new").replace(out)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Train a pocket language model.")
    parser.add_argument("--family", choices=("opt", "t5"), required=True)
    parser.add_argument("--stage", choices=("symbols", "pictures"), required=True)
    parser.add_argument("--steps", type=int, required=True)
    parser.add_argument("--rows", type=int, default=10)
    parser.add_argument("--rate", type=float, default=1.2e-3)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--features", type=Path, help="folder of cached pictures, for the stage of pictures")
    parser.add_argument("--start", type=Path, help="checkpoint to begin from")
    parser.add_argument("--out", type=Path, required=True)
    return parser.parse_args()


def main() -> None:
    """Run one stage as the command line says, with a report every 500 steps."""
    asked = _arguments()
    torch.set_num_threads(1)
    torch.manual_seed(asked.seed)
    speaker = Speaker(asked.family) if asked.start is None else load_speaker(asked.start, asked.family)
    plan = Plan(asked.family, asked.steps, asked.rows, rate=asked.rate, seed=asked.seed)
    source = symbolic(plan)
    fresh = [scene_at(EVAL_SEEDS.start + 5_000_000 + at) for at in range(160)]
    slots = Symbols()(fresh, 1)

    def report(step: int, line: str) -> None:
        print(line, flush=True)
        if step % 500 == 0 or step == plan.steps:
            for split in ("train", "test"):
                scores = measure(speaker, fresh, slots, split)
                print(f"  {split} " + " ".join(f"{kind} {share:.2f}" for kind, share in scores.items()), flush=True)

    train(plan, speaker, source, asked.out, report)


if __name__ == "__main__":
    main()
