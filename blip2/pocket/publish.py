"""Writes the accuracy report that is committed beside the weights: `report.json`, and the figures of `MODEL_CARD.md`.

    python -m blip2.pocket.publish [--scenes 2000] [--seed 2026] [--photos DIR] [--folder assets/pocket]

The model card is written by hand except between its two marks, where the report's tables go. With `--only` the figures
of the other models stay as they were, if they are of the same scenes.
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from blip2.errors import BadSetting
from blip2.pocket import report, report_card

__all__ = ["FOLDER", "figures_of", "main", "merged", "with_figures"]

FOLDER = Path(__file__).resolve().parents[2] / "assets" / "pocket"
FOLDERS = {"opt": "pocket_opt", "t5": "pocket_flant5", "itm": "pocket_itm"}
BEGIN, END = "<!-- figures: written by blip2.pocket.publish -->", "<!-- end of figures -->"


def figures_of(card: str) -> str:
    """What stands between the marks of a model card; empty without them."""
    return card.partition(BEGIN)[2].partition(END)[0].strip()


def with_figures(card: str, made: Mapping[str, Any]) -> str:
    """The model card with these figures between its marks, or as it was if it has none."""
    if BEGIN not in card or END not in card:
        return card
    before, _, rest = card.partition(BEGIN)
    return f"{before}{BEGIN}\n\n{report_card.card(made)}\n\n{END}{rest.partition(END)[2]}"


def merged(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    """The new figures, and of the old ones those that the new lack.

    Raises:
        BadSetting: the two are not of the same scenes.
    """
    for name in ("scenes", "seed", "source"):
        if old.get(name) != new[name]:
            raise BadSetting(
                f"The committed report has {name} {old.get(name)}, the new one {new[name]}; measure all models."
            )
    both = {**old, **new}
    both["weights_sha256"] = {**old["weights_sha256"], **new["weights_sha256"]}
    both["seconds"] = round(old["seconds"] + new["seconds"], 1)
    return both


def main(argv: Sequence[str] | None = None) -> int:
    """Measure and write; 0.

    Raises:
        FontMissing: the emoji font is not installed.
        Blip2Error: a model is not there.
    """
    parser = argparse.ArgumentParser(prog="python -m blip2.pocket.publish", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--scenes", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=2026)
    parser.add_argument("--photos", type=Path, help="a folder of photographs, to see how many are noticed")
    parser.add_argument("--only", nargs="+", choices=sorted(FOLDERS), default=list(FOLDERS), help="only these models")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="where the three checkpoints lie")
    options = parser.parse_args(argv)
    from blip2.backends.local import LocalBackend  # torch is not needed for --help

    models = {key: os.path.relpath(options.folder / FOLDERS[key]) for key in FOLDERS if key in options.only}
    if options.folder.resolve() == FOLDER:
        models = {key: report.MODELS[key] for key in models}
    backend = LocalBackend(list(models.values()))
    try:
        made = report.report(backend, report.fresh(options.scenes, options.seed), models, options.photos)
    finally:
        backend.close()
    mistakes = made.pop("mistakes")
    made |= report.about(models, "fresh", options.seed)
    file = options.folder / "report.json"
    if file.is_file() and len(models) < len(FOLDERS):
        made = merged(json.loads(file.read_text("utf-8")), made)
    file.write_text(json.dumps(made, indent=1) + "\n", "utf-8")
    card = options.folder / "MODEL_CARD.md"
    if card.is_file():
        card.write_text(with_figures(card.read_text("utf-8"), made), "utf-8")
    for key, wrong in mistakes.items():
        print(f"{key}: {len(wrong)} mistakes, such as {wrong[:3]}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
