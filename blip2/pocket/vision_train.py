"""Trains the pocket models' eyes, on one core, resumably.

    python -m blip2.pocket.vision_train --steps 8000 --seed 0 --out work/pocket/vision

First the ViT alone, told about every patch of crowded pictures; then ViT and Q-Former together, with ever more of the
scenes as they will be met. `checkpoint.pt` is written as it goes and resumed from; `final.pt` holds the result.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from blip2.pocket.scenes import photo
from blip2.pocket.vision import IMAGE_SIZE, SlotModel, start_well, to_pixels
from blip2.pocket.vision_data import IGNORE, NOTHING, Labels, batch_at, labels_of
from blip2.pocket.world import EVAL_SEEDS, scene_at

ALONE = 0.2  # share of the steps in which the ViT trains alone
DECAY = 0.6  # where the learning rate starts to fall
EXACT = 0.9  # until here the layers compute in bfloat16, which is faster
LOG_EVERY, SAVE_EVERY, CHECK_EVERY = 50, 500, 1000


class SlotHeads(Protocol):
    """What has the heads by which queries say what they know."""

    place_head: nn.Linear

    def slot_logits(self, queries: Tensor) -> tuple[Tensor, ...]: ...


def crowding(progress: float) -> float:
    """Share of crowded pictures at this point of the training, 0 to 1."""
    if progress < ALONE:
        return 0.85
    return 0.6 if progress < 0.5 else 0.35 if progress < 0.8 else 0.12


def rate(step: int, steps: int) -> float:
    """Learning-rate factor: warm-up over 100 steps (again when the Q-Former joins), then flat, then down to 2%."""
    joined = int(ALONE * steps)
    warm = min(1.0, (step + 1) / 100) if step < joined else min(1.0, 0.1 + (step - joined + 1) / 200)
    return warm * min(1.0, 0.02 + 0.98 * (steps - step) / ((1 - DECAY) * steps))


def _ce(logits: Tensor, target: Tensor, weight: Tensor | None = None) -> Tensor:
    """Cross-entropy of logits [..., classes]; zero where every target is ignored."""
    if bool((target == IGNORE).all()):
        return logits.sum() * 0
    return F.cross_entropy(logits.flatten(0, -2), target.flatten(), weight, ignore_index=IGNORE)


def _kind_weight(empty: float) -> Tensor:
    weight = torch.ones(NOTHING + 1)
    weight[NOTHING] = empty
    return weight


def patch_loss(model: SlotModel, image: Tensor, labels: Labels) -> Tensor:
    """What patches should say: the thing under them, its cell, and where they are themselves."""
    kind, size, colour, cell, row, column = model.patch_logits(image)
    side = torch.arange(row.shape[-1])
    rows, columns = side.repeat_interleave(len(side)), side.repeat(len(side))
    loss = _ce(kind, labels.patch_kind, _kind_weight(0.3)) + 0.3 * _ce(size, labels.patch_size)
    loss = loss + 0.3 * _ce(colour, labels.patch_colour) + 0.3 * _ce(cell, labels.patch_cell)
    return loss + 0.1 * (_ce(row, rows.expand(len(image), -1)) + _ce(column, columns.expand(len(image), -1)))


def slot_loss(model: SlotHeads, queries: Tensor, labels: Labels) -> Tensor:
    """What queries should say: the thing in their cell, and the place."""
    kind, size, colour = model.slot_logits(queries)
    loss = _ce(kind, labels.kind, _kind_weight(0.4)) + 0.4 * _ce(size, labels.size) + 0.3 * _ce(colour, labels.colour)
    return loss + 0.3 * _ce(model.place_head(queries[:, 9]), labels.place)


def optimizers(model: SlotModel) -> list[torch.optim.Optimizer]:
    """Muon for the ViT's matrices, Adam for the rest."""
    matrices = [p for p in model.vision.encoder.parameters() if p.ndim == 2]
    chosen = {id(p) for p in matrices}
    rest = [p for p in model.parameters() if id(p) not in chosen]
    muon = torch.optim.Muon(matrices, lr=2.5e-3, weight_decay=0.02, momentum=0.95, adjust_lr_fn="match_rms_adamw")
    adam = torch.optim.Adam(rest, lr=1.2e-3, betas=(0.9, 0.98))
    for optimizer in (muon, adam):
        for group in optimizer.param_groups:
            group["top"] = group["lr"]
    return [muon, adam]


@torch.no_grad()
def evaluate(model: SlotModel, scenes: int, first: int = 0) -> dict[str, float]:
    """Shares right on fresh scenes, on the product's path (every fourth picture through JPEG)."""
    model.eval()
    right = dict.fromkeys(("kind", "size", "colour", "place", "scene"), 0)
    seen = dict.fromkeys(right, 0)
    for start in range(first, first + scenes, 50):
        part = [scene_at(EVAL_SEEDS.start + start + i) for i in range(min(50, first + scenes - start))]
        images = [photo(s, IMAGE_SIZE, 85 if i % 4 == 0 else None) for i, s in enumerate(part)]
        queries = model.query(model.see(to_pixels(images)))
        labels, logits = labels_of(part), model.slot_logits(queries)
        thing, whole = labels.kind != NOTHING, torch.ones(len(part), dtype=torch.bool)
        targets = (labels.kind, labels.size, labels.colour)
        for name, said, target in zip(("kind", "size", "colour"), logits, targets, strict=True):
            ok, known = said.argmax(-1) == target, target != IGNORE
            right[name] += int((ok & thing & known).sum())
            seen[name] += int((thing & known).sum())
            whole &= (ok | ~known).all(-1)
        place = model.place_head(queries[:, 9]).argmax(-1) == labels.place
        right["place"] += int(place.sum())
        right["scene"] += int((whole & place).sum())
        seen["place"] = seen["scene"] = seen["place"] + len(part)
    model.train()
    return {name: round(right[name] / max(seen[name], 1), 4) for name in right}


def _step(model: SlotModel, step: int, steps: int, batch: int, base: int) -> tuple[Tensor, Tensor]:
    """The loss of one step, and the share of non-empty patches (then cells) whose kind is right."""
    alone = step < ALONE * steps
    pixels, labels = batch_at(step, batch, crowding(step / steps), 0.1 if step / steps < 0.55 else 0.35, base)
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=step < EXACT * steps):
        image = model.see(pixels)
        queries = None if alone else model.query(image)
    image = image.float()
    loss = patch_loss(model, image, labels)
    said, target = model.patch_logits(image)[0], labels.patch_kind
    if queries is not None:
        queries = queries.float()
        loss = 0.5 * loss + slot_loss(model, queries, labels)
        said, target = model.slot_logits(queries)[0], labels.kind
    thing = target != NOTHING
    return loss, (said.argmax(-1) == target)[thing].float().mean()


def train(steps: int, seed: int, batch: int, out: Path, pause_at: int | None = None) -> SlotModel:
    """Train, or go on training, to `steps` steps of `batch` pictures; a checkpoint is kept in `out`."""
    out.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(seed)
    base = (seed + 1) * 10_000_000  # of the training seeds
    model = SlotModel().train()
    start_well(model, batch_at(0, 256, 0.5, 0.3, base)[0])
    group, first, spent = optimizers(model), 0, 0.0
    kept = out / "checkpoint.pt"
    if kept.exists():
        saved = torch.load(kept, weights_only=True)
        model.load_state_dict(saved["model"])
        for optimizer, state in zip(group, saved["optimizers"], strict=True):
            optimizer.load_state_dict(state)
        first, spent = saved["step"], saved["seconds"]
    clock, loss_sum, right_sum = time.perf_counter() - spent, 0.0, 0.0
    for step in range(first, steps):
        loss, right = _step(model, step, steps, batch, base)
        torch.autograd.backward(loss)
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        for optimizer in group:
            for part in optimizer.param_groups:
                part["lr"] = part["top"] * rate(step, steps)
            optimizer.step()
            optimizer.zero_grad()
        loss_sum, right_sum = loss_sum + loss.item(), right_sum + right.item()
        done = step + 1
        if done % LOG_EVERY == 0:
            figures = (loss_sum / LOG_EVERY, right_sum / LOG_EVERY, time.perf_counter() - clock)
            print("step {} loss {:.3f} kind {:.3f} seconds {:.0f}".format(done, *figures), flush=True)
            loss_sum = right_sum = 0.0
        if done % SAVE_EVERY == 0 or done in (steps, pause_at):
            states = [optimizer.state_dict() for optimizer in group]
            spent = time.perf_counter() - clock
            torch.save({"model": model.state_dict(), "optimizers": states, "step": done, "seconds": spent}, kept)
        if done % CHECK_EVERY == 0 and done > ALONE * steps:
            print(json.dumps({"step": done, **evaluate(model, 300)}), flush=True)
        if done == pause_at:
            break
    return model


def main(argv: Sequence[str] | None = None) -> None:
    """Command line; see the module's docstring."""
    parser = argparse.ArgumentParser(description="Train the pocket models' eyes.")
    parser.add_argument("--steps", type=int, default=8000)
    parser.add_argument("--batch", type=int, default=24)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path("work/pocket/vision"))
    parser.add_argument("--pause-at", type=int, help="stop after this step, to go on later")
    parser.add_argument("--check", type=int, default=1000, help="fresh scenes to measure on at the end")
    args = parser.parse_args(argv)
    torch.set_num_threads(1)
    model = train(args.steps, args.seed, args.batch, args.out, args.pause_at)
    if args.pause_at is None:
        print(json.dumps({"final": evaluate(model, args.check)}), flush=True)
        torch.save({"model": model.state_dict()}, args.out / "final.pt")


if __name__ == "__main__":
    main()
