"""Trains the pocket's matching model (ITM and ITC) on one core, resumably.

    python -m blip2.pocket.matching_train --vision work/pocket/vision/final.pt --steps 4800 --seed 0 \
        --work work/pocket/matching --out assets/pocket/pocket_itm

The picture encoder is frozen and its outputs are computed once. Matching with one-word negatives leaves chance only
with help inside: words learn the cells they speak of, and whether they are wrong; queries learn whether the sentence
names what they see. The heads for that are not part of the checkpoint.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from transformers import Blip2ForImageTextRetrieval

from blip2.pocket.matching import layers_of, matching_model, save_matching
from blip2.pocket.matching_check import evaluate
from blip2.pocket.matching_data import IGNORE, SUMMARY, Texts, captions_batch, pairs_batch
from blip2.pocket.scenes import view
from blip2.pocket.vision import CELLS, IMAGE_SIZE, QUERIES, SLOT_SPLIT, WIDTH, SlotModel, load_vision, to_pixels
from blip2.pocket.vision_data import Labels, labels_of
from blip2.pocket.vision_train import slot_loss
from blip2.pocket.world import Scene, scene_at

FIRST_SEED = 700_000_000  # of the training seeds
GROUND, RELATE, JUDGE = 2, 3, 4  # layers after which words know their cells, how these lie, whether they are wrong
RELATE_FROM = 1500  # step from which relations are helped: words must find their cells first
SUMMARISE_FROM = 2500  # step from which caption and picture, each alone, say all that they hold
SUMMARISER = 10  # the query that does
CONTRAST_FROM = 3500  # step from which every step has its contrast, and summaries count twice; before, every other one
LOG_EVERY, SAVE_EVERY, CHECK_EVERY = 100, 250, 1000
DECAY = 0.55


class Helpers(nn.Module):
    """The heads that supervise the middle layers, and the temperature of the contrast."""

    def __init__(self, eyes: SlotModel) -> None:
        super().__init__()
        self.cells = nn.Linear(WIDTH, CELLS)
        self.wrong = nn.Linear(WIDTH, 2)
        self.states = nn.Linear(WIDTH, 4)
        self.scale = nn.Parameter(torch.tensor(2.7))
        self.slot_head = nn.Linear(WIDTH, sum(SLOT_SPLIT))
        self.place_head = nn.Linear(WIDTH, eyes.place_head.out_features)
        self.slot_head.load_state_dict(eyes.slot_head.state_dict())
        self.place_head.load_state_dict(eyes.place_head.state_dict())
        self.lies = nn.Linear(WIDTH, 6)
        self.summary = nn.Linear(WIDTH, SUMMARY)

    def slot_logits(self, queries: Tensor) -> tuple[Tensor, ...]:
        return torch.split(self.slot_head(queries[:, :CELLS]), list(SLOT_SPLIT), -1)


def matching_loss(
    model: Blip2ForImageTextRetrieval, helpers: Helpers, image: Tensor, texts: Texts, labels: Labels, relate: bool
) -> tuple[Tensor, Tensor]:
    """Loss of true and false sentences with pictures [2n, 65, 160], and which were judged rightly [2n]."""
    states = [state.float() for state in layers_of(model, image, texts.ids, texts.mask)]
    logits = model.itm_head(states[-1][:, :QUERIES]).mean(1)
    loss = F.cross_entropy(logits, texts.true)
    where = helpers.cells(states[GROUND][:, QUERIES:])[texts.speaks]
    loss = loss + F.binary_cross_entropy_with_logits(where, texts.cells[texts.speaks])
    weight = torch.tensor([1.0, 3.0])
    wrong = helpers.wrong(states[JUDGE][:, QUERIES:]).flatten(0, 1)
    loss = loss + F.cross_entropy(wrong, texts.wrong.flatten(), weight, ignore_index=IGNORE)
    named = helpers.states(states[-1][:, :CELLS]).flatten(0, 1)
    loss = loss + F.cross_entropy(named, texts.states.flatten(), ignore_index=IGNORE)
    if relate and bool((texts.lies != IGNORE).any()):
        lies = helpers.lies(states[RELATE][:, QUERIES:]).unflatten(-1, (2, 3)).flatten(0, 2)
        loss = loss + F.cross_entropy(lies, texts.lies.flatten(), ignore_index=IGNORE)
    loss = loss + 0.15 * slot_loss(helpers, states[1][:, :QUERIES], labels)
    return loss, logits.argmax(-1) == texts.true


def contrast_loss(
    model: Blip2ForImageTextRetrieval, helpers: Helpers, image: Tensor, captions: tuple[Tensor, ...], summarise: float
) -> Tensor:
    """Pictures [n, 65, 160] against the n captions and n spoilt ones, both ways; the best query counts."""
    ids, mask, said = captions
    queries = layers_of(model, image, None, None)[-1].float()
    texts = layers_of(model, None, ids, mask)[-1][:, 0].float()
    pictures = F.normalize(model.vision_projection(queries), dim=-1)
    words = F.normalize(model.text_projection(texts), dim=-1)
    scores = torch.einsum("iqp,tp->itq", pictures, words).amax(-1) * helpers.scale.exp().clamp(max=100)
    target = torch.arange(len(image))
    loss = (F.cross_entropy(scores, target) + F.cross_entropy(scores[:, : len(image)].T, target)) / 2
    if summarise:
        alone = helpers.summary(torch.cat([queries[:, SUMMARISER], texts]))
        loss = loss + summarise * F.binary_cross_entropy_with_logits(alone, torch.cat([said[: len(image)], said]))
    return loss


@torch.no_grad()
def see(eyes: SlotModel, scenes: Sequence[Scene]) -> Tensor:
    """Outputs of the picture encoder [n, 65, 160] in half precision."""
    parts = [
        eyes.see(to_pixels([view(scene, IMAGE_SIZE, 2) for scene in scenes[at : at + 64]])).half()
        for at in range(0, len(scenes), 64)
    ]
    return torch.cat(parts)


def _pick(labels: Labels, rows: list[int]) -> Labels:
    return Labels(*(value[rows] for value in vars(labels).values()))


class Trainer:
    """A training in progress: model, helpers, optimizer, pictures."""

    def __init__(self, vision: Path, scenes: int, seed: int, work: Path) -> None:
        torch.manual_seed(seed)
        eyes = load_vision(vision)
        self.model, self.helpers = matching_model(eyes).train(), Helpers(eyes)
        self.weights = [p for p in (*self.model.parameters(), *self.helpers.parameters()) if p.requires_grad]
        self.adam = torch.optim.Adam(self.weights, lr=1.2e-3, betas=(0.9, 0.98))
        self.kept, self.step, self.seconds, self.seed = work / "checkpoint.pt", 0, 0.0, seed
        work.mkdir(parents=True, exist_ok=True)
        if self.kept.exists():
            saved = torch.load(self.kept, weights_only=True)
            self.model.load_state_dict(saved["model"])
            self.helpers.load_state_dict(saved["helpers"])
            self.adam.load_state_dict(saved["adam"])
            self.step, self.seconds = saved["step"], saved["seconds"]
        self.scenes = [scene_at(FIRST_SEED + seed * 1_000_000 + index) for index in range(scenes)]
        cached = work / "seen.pt"
        self.images = torch.load(cached, weights_only=True) if cached.exists() else see(eyes, self.scenes)
        torch.save(self.images, cached)

    def save(self) -> None:
        """Write what a later run goes on from."""
        parts = {"model": self.model.state_dict(), "helpers": self.helpers.state_dict(), "adam": self.adam.state_dict()}
        torch.save(parts | {"step": self.step, "seconds": self.seconds}, self.kept)

    def advance(self, steps: int, batch: int) -> tuple[float, float]:
        """One step of a training of `steps`; the loss and the share judged rightly."""
        rng = random.Random(f"matching {self.seed} {self.step}")
        rows = rng.sample(range(len(self.scenes)), batch)
        scenes, image = [self.scenes[row] for row in rows], self.images[rows].float()
        texts, labels = pairs_batch(scenes, rng), labels_of([*scenes, *scenes])
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=self.step < 0.97 * steps):
            loss, right = matching_loss(
                self.model, self.helpers, torch.cat([image, image]), texts, labels, self.step >= RELATE_FROM
            )
            if self.step % 2 == 0 or self.step >= CONTRAST_FROM:
                weight = 0.0 if self.step < SUMMARISE_FROM else 20.0 if self.step < CONTRAST_FROM else 40.0
                loss = loss + contrast_loss(self.model, self.helpers, image, captions_batch(scenes, rng), weight)
        torch.autograd.backward(loss)
        nn.utils.clip_grad_norm_(self.weights, 1.0)
        fall = min(1.0, 0.02 + 0.98 * (steps - self.step) / ((1 - DECAY) * steps))
        for group in self.adam.param_groups:
            group["lr"] = 1.2e-3 * min(1.0, (self.step + 1) / 200) * fall
        self.adam.step()
        self.adam.zero_grad()
        self.step += 1
        return loss.item(), right.float().mean().item()


def train(trainer: Trainer, steps: int, batch: int, out: Path, check: int) -> None:
    """Train to `steps` steps, with checkpoints and figures on the way; the model goes to `out`."""
    clock, losses, rights = time.perf_counter() - trainer.seconds, 0.0, 0.0
    while trainer.step < steps:
        loss, right = trainer.advance(steps, batch)
        losses, rights = losses + loss, rights + right
        trainer.seconds = time.perf_counter() - clock
        if trainer.step % LOG_EVERY == 0:
            figures = (trainer.step, losses / LOG_EVERY, rights / LOG_EVERY, trainer.seconds)
            print("step {} loss {:.3f} right {:.3f} seconds {:.0f}".format(*figures), flush=True)
            losses = rights = 0.0
        if trainer.step % SAVE_EVERY == 0 or trainer.step == steps:
            trainer.save()
        if trainer.step % CHECK_EVERY == 0:
            print(json.dumps({"step": trainer.step, **evaluate(trainer.model, 300)}), flush=True)
    save_matching(trainer.model, out)
    print(json.dumps({"final": evaluate(trainer.model, check)}), flush=True)


def main(argv: Sequence[str] | None = None) -> None:
    """Command line; see the module's docstring."""
    parser = argparse.ArgumentParser(description="Train the pocket's matching model.")
    parser.add_argument("--vision", type=Path, default=Path("work/pocket/vision/final.pt"))
    parser.add_argument("--scenes", type=int, default=24000, help="scenes whose pictures are kept ready")
    parser.add_argument("--steps", type=int, default=4800)
    parser.add_argument("--batch", type=int, default=24, help="scenes a step; two sentences each")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--work", type=Path, default=Path("work/pocket/matching"))
    parser.add_argument("--out", type=Path, default=Path("assets/pocket/pocket_itm"))
    parser.add_argument("--check", type=int, default=1000, help="fresh scenes to measure on at the end")
    args = parser.parse_args(argv)
    torch.set_num_threads(1)
    train(Trainer(args.vision, args.scenes, args.seed, args.work), args.steps, args.batch, args.out, args.check)


if __name__ == "__main__":
    main()
