"""Fits the one number by which `photos` tells scenes from other pictures: a low quantile of what scenes score.

Scenes only, and only of training seeds: no photograph is looked at. Each scene is drawn at 224 to 448 pixels, and often
cropped a little, resized, or sent as JPEG of quality 60 to 95 (`handled`). Writes `assets/pocket/photos.json`.

    python -m blip2.pocket.photos_fit [--scenes 2000] [--seed 424242]     # needs the emoji font; two minutes
"""

from __future__ import annotations

import argparse
import io
import json
import random
import sys

import numpy as np
from PIL import Image

from blip2.pocket.photos import PARAMETERS, novelty
from blip2.pocket.scenes import render
from blip2.pocket.world import TRAIN_SEEDS, scene_at

REFUSED = 0.004  # share of handled scenes that the threshold turns away
SIDES = (224, 256, 320, 384, 448)
MOST_CUT = 0.06  # from each edge, in shares of the side


def handled(image: Image.Image, rng: random.Random) -> Image.Image:
    """The picture after what happens to pictures: half are cropped, half resized, and most sent as JPEG."""
    if rng.random() < 0.5:
        left, top, right, bottom = (rng.uniform(0, MOST_CUT) for _ in range(4))
        width, height = image.size
        edges = (left * width, top * height, (1 - right) * width, (1 - bottom) * height)
        image = image.crop((round(edges[0]), round(edges[1]), round(edges[2]), round(edges[3])))
    if rng.random() < 0.5:
        side = rng.randint(SIDES[0], SIDES[-1])
        image = image.resize((side, side), rng.choice((Image.Resampling.BILINEAR, Image.Resampling.BICUBIC)))
    if rng.random() < 0.6:
        packed = io.BytesIO()
        image.save(packed, "JPEG", quality=rng.randint(60, 95))
        image = Image.open(packed).convert("RGB")
    return image


def fit(scenes: int, seed: int) -> dict[str, object]:
    """The parameters, with what they were fitted on.

    Raises:
        FontMissing: the emoji font is not installed.
    """
    rng = random.Random(seed)
    values = []
    for index in range(scenes):
        image = render(scene_at(rng.randrange(TRAIN_SEEDS.start, TRAIN_SEEDS.stop)), rng.choice(SIDES))
        values.append(novelty(handled(image, rng)))
        if (index + 1) % 250 == 0:
            print(f"{index + 1} of {scenes} scenes", file=sys.stderr)
    quantiles = {str(q): round(float(np.quantile(values, q)), 4) for q in (0.5, 0.9, 0.99, 0.997, 1.0)}
    threshold = round(float(np.quantile(values, 1 - REFUSED)), 3)
    return {"threshold": threshold, "fitted_on": {"scenes": scenes, "seed": seed, "novelty_quantiles": quantiles}}


def main(argv: list[str] | None = None) -> int:
    """Fit and write."""
    parser = argparse.ArgumentParser(prog="python -m blip2.pocket.photos_fit", description=__doc__)
    parser.add_argument("--scenes", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=424242)
    options = parser.parse_args(argv)
    values = fit(options.scenes, options.seed)
    PARAMETERS.parent.mkdir(parents=True, exist_ok=True)
    PARAMETERS.write_text(json.dumps(values, indent=1) + "\n", "utf-8")
    print(json.dumps(values))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
