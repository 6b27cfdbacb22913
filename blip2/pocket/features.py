"""Query outputs of many scenes, computed once: what the language models of the pocket train on.

    python -m blip2.pocket.features --vision work/pocket/vision/final.pt --scenes 30000 --first 500000000 \
        --out work/pocket/features/train.pt

Seeds count up from `--first`: below 1,000,000,000 they are training scenes, from there on evaluation scenes.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from blip2.pocket.vision import encode_scenes, load_vision
from blip2.pocket.world import Scene, scene_at


@dataclass(frozen=True)
class Features:
    """Query outputs [n, 16, 128] in half precision, and the scenes they are of."""

    queries: Tensor
    scenes: tuple[Scene, ...]


def load_features(path: str | Path) -> Features:
    """What `main` wrote."""
    stored = torch.load(path, weights_only=True)
    return Features(stored["queries"], tuple(scene_at(seed) for seed in stored["seeds"].tolist()))


def main(argv: Sequence[str] | None = None) -> None:
    """Command line; see the module's docstring."""
    parser = argparse.ArgumentParser(description="Encode scenes for the language models to train on.")
    parser.add_argument("--vision", type=Path, default=Path("work/pocket/vision/final.pt"))
    parser.add_argument("--scenes", type=int, default=30000)
    parser.add_argument("--first", type=int, default=500_000_000, help="the first scene's seed")
    parser.add_argument(
        "--exact", action="store_true", help="draw on the product's path (slow) instead of the fast one"
    )
    parser.add_argument("--out", type=Path, default=Path("work/pocket/features/train.pt"))
    args = parser.parse_args(argv)
    torch.set_num_threads(1)
    seeds = range(args.first, args.first + args.scenes)
    queries = encode_scenes(load_vision(args.vision), [scene_at(seed) for seed in seeds], args.exact)
    args.out.parent.mkdir(parents=True, exist_ok=True)
    torch.save({"queries": queries.half(), "seeds": torch.tensor(seeds)}, args.out)
    print(f"{args.scenes} scenes: {args.out}", flush=True)


if __name__ == "__main__":
    main()
