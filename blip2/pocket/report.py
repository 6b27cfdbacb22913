"""The accuracy report of the bundled models, on scenes never trained on.

    python -m blip2 pocket report [--scenes N] [--seed S] [--json] [--photos DIR] [--committed]

Draws fresh scenes (evaluation seeds only), asks the models through the backend that serves them, and prints tables, or
JSON with the keys `opt`, `t5`, `itm`, `itc`, and `photos` where a folder of photographs is given. Without the emoji
font it says how to get it and uses the committed scenes, as `--committed` does.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import platform
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from typing import Any

from blip2 import zoo
from blip2.backends.base import Backend
from blip2.errors import BadSetting
from blip2.images import picture_from
from blip2.pocket import report_card
from blip2.pocket.committed import load_committed
from blip2.pocket.exam import Sheet, draw_sheets
from blip2.pocket.examiner import AT_ONCE, Candidate, examine
from blip2.pocket.matching_exam import Matching
from blip2.pocket.photo_exam import PhotoExam
from blip2.pocket.scenes import FontMissing, render
from blip2.values import Picture

__all__ = ["MODELS", "about", "fresh", "report", "run"]

MODELS = {"opt": "blip2_opt/pocket_opt", "t5": "blip2_t5/pocket_flant5", "itm": "blip2/pocket"}
BLOCK = 96  # scenes drawn and held in memory at a time
Asked = tuple[Sheet, Picture]


def fresh(scenes: int, seed: int) -> Iterator[Asked]:
    """New scenes as the page would show them, with what they are asked.

    Raises:
        FontMissing: the emoji font is not installed.
    """
    for sheet in draw_sheets(scenes, seed):
        yield sheet, picture_from(render(sheet.scene))


def report(
    backend: Backend, asked: Iterable[Asked], models: Mapping[str, str] = MODELS, photos: Path | None = None
) -> dict[str, Any]:
    """The report's figures for the models named: `opt` and `t5` write answers, `itm` matches.

    Shares are in [0, 1]. `photos` adds how many pictures of a folder are noticed to be none of the world's.
    """
    begun = time.monotonic()
    candidates = {key: Candidate(backend, models[key]) for key in ("opt", "t5") if key in models}
    matching = Matching(backend, models["itm"]) if "itm" in models else None
    exam = PhotoExam(photos) if photos else None
    rest, scenes = iter(asked), 0
    with ThreadPoolExecutor(AT_ONCE) as pool:
        while block := list(islice(rest, BLOCK)):
            examine(candidates.values(), block, pool)
            if matching:
                matching.add(block)
            if exam:
                exam.add_scenes([picture for _, picture in block])
            scenes += len(block)
            _progress(scenes, begun, candidates, matching)
    made: dict[str, Any] = {key: candidate.paper.figures() for key, candidate in candidates.items()}
    made |= matching.figures() if matching else {}
    made |= {"photos": exam.figures()} if exam else {}
    made["scenes"] = scenes
    made["seconds"] = round(time.monotonic() - begun, 1)
    made["mistakes"] = {key: candidate.paper.mistakes for key, candidate in candidates.items()}
    return made


def _progress(scenes: int, begun: float, candidates: Mapping[str, Candidate], matching: Matching | None) -> None:
    parts = [f"{key} {candidate.paper.shares['all'].value}" for key, candidate in candidates.items()]
    parts += [f"itm {matching.judged.value}"] if matching else []
    print(f"{scenes} scenes, {time.monotonic() - begun:.0f} s: {', '.join(parts)}", file=sys.stderr, flush=True)


def about(models: Mapping[str, str], source: str, seed: int | None) -> dict[str, Any]:
    """What the figures were measured on and with, so that they can be had again."""
    import torch  # only to say its version
    import transformers

    weights = {}
    for name in models.values():
        folder = zoo.find(name).folder
        file = folder / "model.safetensors" if folder else None
        if file and file.is_file():
            weights[name] = hashlib.sha256(file.read_bytes()).hexdigest()
    return {
        "source": source,
        "seed": seed,
        "decoding": "greedy",
        "weights_sha256": weights,
        "versions": {
            "python": platform.python_version(),
            "torch": torch.__version__,
            "transformers": transformers.__version__,
        },
    }


def run(options: argparse.Namespace) -> int:
    """Run the report with the options of `blip2.cli.pocket` and print it; 0.

    Raises:
        Blip2Error: a setting out of range, a folder without pictures, or a model that is not there.
    """
    if options.scenes < 1:
        raise BadSetting(f"The number of scenes is {options.scenes}; it must be at least 1.")
    from blip2.backends.local import LocalBackend  # torch is not needed for --help

    models = {key: MODELS[key] for key in MODELS if key in options.only}
    asked, source, seed = _scenes(options)
    backend = LocalBackend(list(models.values()))
    try:
        made = report(backend, asked, models, options.photos)
    finally:
        backend.close()
    mistakes = made.pop("mistakes")
    if options.mistakes:
        options.mistakes.write_text(json.dumps(mistakes, indent=1, ensure_ascii=False) + "\n", "utf-8")
    made |= about(models, source, seed)
    print(json.dumps(made, indent=1) if options.json else report_card.card(made))
    return 0


def _scenes(options: argparse.Namespace) -> tuple[Iterable[Asked], str, int | None]:
    """The scenes to ask about, where they come from, and their seed."""
    if not options.committed:
        try:
            from blip2.pocket.sprites import font_file

            font_file()
            return fresh(options.scenes, options.seed), "fresh", options.seed
        except FontMissing as error:
            print(f"{error} Until then the committed scenes are used.", file=sys.stderr)
    return load_committed(), "committed", None
