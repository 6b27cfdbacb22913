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
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import torch

from blip2.pocket.features import load_features
from blip2.pocket.grown_t5 import grow
from blip2.pocket.language_batches import Plan, Source, chunks, pictured, symbolic
from blip2.pocket.language_check import measure
from blip2.pocket.speaker import Speaker
from blip2.pocket.symbols import Symbols, slot_labels
from blip2.pocket.world import EVAL_SEEDS, scene_at

__all__ = ["load_speaker", "train"]


def _rate(plan: Plan, step: int) -> float:
    warm = min(1.0, (step + 1) / plan.warm_up)
    return plan.rate * warm * min(1.0, (plan.steps - step) / (plan.decay * plan.steps))


def load_speaker(path: Path, family: str) -> Speaker:
    """A trained model, without its optimiser."""
    speaker = Speaker(family)
    speaker.load_state_dict(torch.load(path, weights_only=True)["model"])
    return speaker


def train(
    plan: Plan,
    speaker: Speaker,
    source: Source,
    out: Path,
    report: Callable[[int, str], None],
    teacher: Speaker | None = None,
) -> None:
    """Train to the end of the plan; writes `out` every 250 steps and goes on from it if it is there."""
    optimiser = torch.optim.Adam(speaker.parameters(), plan.rate, (0.9, 0.98))
    step, seconds = 0, 0.0
    if out.exists():
        saved = torch.load(out, weights_only=True)
        speaker.load_state_dict(saved["model"])
        if "optimiser" in saved:
            optimiser.load_state_dict(saved["optimiser"])
        step, seconds = saved["step"], saved["seconds"]
    began, sums = time.process_time() - seconds, torch.zeros(5)
    while step < plan.steps:
        scenes, slots = source(step, plan.rows)
        made = chunks(plan, step, scenes)
        for group in optimiser.param_groups:
            group["lr"] = _rate(plan, step)
        for name, weight in speaker.named_parameters():
            weight.requires_grad_(step >= plan.alone or name.startswith(("projection", "tie_scale")))
        optimiser.zero_grad()
        labels, answers = slot_labels(scenes), sum(len(batch.answers) for _, batch in made)
        for about, batch in made:
            if teacher is not None and batch.twin is not None:
                with torch.no_grad():
                    batch.lesson = teacher.lesson(slots[about], batch.twin)
            output, share = speaker(slots[about], labels[about], batch), len(batch.answers) / answers
            (share * output.loss).backward()
            sums += share * torch.stack([output.answer, output.noun, output.part, output.tie, output.lesson]).detach()
        torch.nn.utils.clip_grad_norm_(speaker.parameters(), 1.0)
        optimiser.step()
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
    parser.add_argument("--phases", type=float, nargs=2, default=(0.5, 0.78), help="when conversations grow longer")
    parser.add_argument("--alone", type=int, default=0, help="first steps in which only the projection learns")
    parser.add_argument("--often", nargs="*", default=[], metavar="TYPE=WEIGHT", help="types to ask more often")
    parser.add_argument("--features", type=Path, help="cached pictures, for the stage of pictures")
    parser.add_argument("--checked", type=Path, help="cached pictures of evaluation scenes to measure on")
    parser.add_argument("--start", type=Path, help="checkpoint to begin from")
    parser.add_argument("--teacher", type=Path, help="for t5: an OPT checkpoint to begin from and to imitate")
    parser.add_argument("--out", type=Path, required=True)
    return parser.parse_args()


def main() -> None:
    """Run one stage as the command line says, with a report every 1,000 steps."""
    asked = _arguments()
    torch.set_num_threads(1)
    torch.manual_seed(asked.seed)
    speaker = Speaker(asked.family) if asked.start is None else load_speaker(asked.start, asked.family)
    plan = Plan(asked.family, asked.steps, asked.rows, rate=asked.rate, seed=asked.seed, alone=asked.alone)
    plan = replace(plan, phases=tuple(asked.phases), taught=asked.teacher is not None)
    often = (word.split("=") for word in asked.often)
    plan = replace(plan, often=tuple((name, float(weight)) for name, weight in often))
    if asked.stage == "symbols":
        source = symbolic(plan)
        fresh = [scene_at(EVAL_SEEDS.start + 5_000_000 + at) for at in range(160)]
        slots = Symbols()(fresh, 1)
    else:
        source = pictured(asked.features, plan)
        checked = load_features(asked.checked)
        fresh, slots = list(checked.scenes[:160]), checked.queries[:160].float()

    def report(step: int, line: str) -> None:
        print(line, flush=True)
        if step % 1000 == 0 or step == plan.steps:
            for split in ("train", "test"):
                scores = measure(speaker, fresh, slots, split, 4)
                print(f"  {split} " + " ".join(f"{kind} {share:.2f}" for kind, share in scores.items()), flush=True)

    teacher = load_speaker(asked.teacher, "opt") if asked.teacher else None
    if teacher is not None and asked.start is None:
        scenes, seen = source(0, 200)
        twin = chunks(plan, 0, scenes[:20])[0][1].twin
        assert twin is not None
        grow(speaker, teacher, seen, twin)
    train(plan, speaker, source, asked.out, report, teacher)


if __name__ == "__main__":
    main()
