"""Rebuilds the bundled models from seeds: every stage of `assets/pocket/recipe.toml`, in order, a process each.

    python -m blip2.pocket.build                 # `make pocket`: hours of one core; goes on where it was stopped
    python -m blip2.pocket.build --smoke         # every stage for seconds, into a temporary folder
    python -m blip2.pocket.build --from itm      # this stage and those after it again

A stage that ended well is noted in `work/pocket/done.json` and skipped the next time; one that was stopped is started
again, and trainings then go on from their checkpoints. It knows no model: the recipe holds the commands.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from blip2.errors import BadSetting, Blip2Error

__all__ = ["Stage", "load_recipe", "main"]

ROOT = Path(__file__).resolve().parents[2]
RECIPE = ROOT / "assets" / "pocket" / "recipe.toml"
WORK = ROOT / "work" / "pocket"
ASSETS = ROOT / "assets" / "pocket"


class StageFailed(Blip2Error):
    """A stage of the recipe ended with an error; its own output says which."""


@dataclass(frozen=True)
class Stage:
    """One step of the recipe: `command` is a module and its arguments; `{work}` and `{assets}` in it are folders.

    `smoke` replaces the command where seconds must do; `makes` are the files or folders that say it is done. `minutes`
    is what it took when the committed models were made.
    """

    name: str
    about: str
    command: tuple[str, ...]
    smoke: tuple[str, ...]
    makes: tuple[str, ...]
    minutes: float


def load_recipe(path: Path = RECIPE) -> tuple[Stage, ...]:
    """The stages in order.

    Raises:
        BadSetting: the recipe is missing or a stage lacks a part.
    """
    try:
        rows = tomllib.loads(path.read_text("utf-8"))["stage"]
        return tuple(
            Stage(
                row["name"],
                row["about"],
                tuple(row["run"].split()),
                tuple(row["smoke"].split()),
                tuple(row["makes"]),
                float(row["minutes"]),
            )
            for row in rows
        )
    except (OSError, KeyError, ValueError) as error:
        raise BadSetting(f"The recipe {path.name} cannot be used: {error!r}.") from error


def _filled(text: str, work: Path, assets: Path) -> str:
    return text.replace("{work}", str(work)).replace("{assets}", str(assets))


def _run(stage: Stage, work: Path, assets: Path, smoke: bool) -> float:
    """Run a stage; the minutes it took."""
    command = [_filled(part, work, assets) for part in (stage.smoke if smoke else stage.command)]
    begun = time.monotonic()
    print(f"[{stage.name}] {stage.about}\n[{stage.name}] python -m {' '.join(command)}", file=sys.stderr, flush=True)
    environment = os.environ | {"OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", "1")}
    done = subprocess.run([sys.executable, "-m", *command], cwd=ROOT, env=environment, check=False)
    if done.returncode:
        raise StageFailed(f"The stage {stage.name} failed with code {done.returncode}; what it printed above says why.")
    missing = [made for made in stage.makes if not Path(_filled(made, work, assets)).exists()]
    if missing:
        raise StageFailed(f"The stage {stage.name} ended, but did not make {', '.join(missing)}.")
    return (time.monotonic() - begun) / 60


def build(stages: Sequence[Stage], work: Path, assets: Path, smoke: bool = False) -> dict[str, float]:
    """Run the stages that are not done yet; minutes by stage.

    Raises:
        StageFailed: a stage ended with an error, or without what it should make.
    """
    minutes = _done(work)
    for stage in stages:
        if stage.name in minutes and all(Path(_filled(made, work, assets)).exists() for made in stage.makes):
            print(f"[{stage.name}] is done", file=sys.stderr)
            continue
        minutes[stage.name] = round(_run(stage, work, assets, smoke), 2)
        _note(work, minutes)
        print(f"[{stage.name}] took {minutes[stage.name]:.1f} minutes", file=sys.stderr, flush=True)
    return minutes


def _done(work: Path) -> dict[str, float]:
    """The stages that ended well, with their minutes."""
    notes = work / "done.json"
    return dict(json.loads(notes.read_text("utf-8"))) if notes.is_file() else {}


def _note(work: Path, minutes: dict[str, float]) -> None:
    work.mkdir(parents=True, exist_ok=True)
    (work / "done.json").write_text(json.dumps(minutes, indent=1) + "\n", "utf-8")


def _forget(stages: Sequence[Stage], first: str, work: Path, assets: Path) -> None:
    """Remove what the stage `first` and those after it made."""
    names = [stage.name for stage in stages]
    if first not in names:
        raise BadSetting(f"The recipe has no stage {first!r}; its stages are {', '.join(names)}.")
    again = stages[names.index(first) :]
    _note(work, {name: minutes for name, minutes in _done(work).items() if name not in {stage.name for stage in again}})
    for stage in again:
        for made in stage.makes:
            path = Path(_filled(made, work, assets))
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the recipe; 0."""
    parser = argparse.ArgumentParser(prog="python -m blip2.pocket.build", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--smoke", action="store_true", help="every stage for seconds, into a temporary folder")
    parser.add_argument("--from", dest="first", metavar="STAGE", help="run this stage and those after it again")
    parser.add_argument("--list", action="store_true", help="only show the stages and the minutes they took")
    options = parser.parse_args(argv)
    stages = load_recipe()
    if options.list:
        for stage in stages:
            print(f"{stage.name:20s} {stage.minutes:6.1f} min  {stage.about}")
        return 0
    if options.smoke:
        with tempfile.TemporaryDirectory() as folder:
            build(stages, Path(folder) / "work", Path(folder) / "assets", smoke=True)
        return 0
    if options.first:
        _forget(stages, options.first, WORK, ASSETS)
    build(stages, WORK, ASSETS)
    return 0


if __name__ == "__main__":
    try:
        raise SystemExit(main())
    except Blip2Error as error:
        print(error, file=sys.stderr)
        raise SystemExit(1) from None
