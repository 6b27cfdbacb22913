"""The folder of a run: what it is (`run.json`), its rows, and the files made from them.

`run.json` is written once and compared afterwards: a resumed run, or another part of it, must ask the same model the
same questions in the same way. It holds all that scoring needs, so a run can be scored again without its model.
"""

import hashlib
import json
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from blip2.errors import BadInput, BadSetting
from blip2.evaluation import journal
from blip2.evaluation.examples import Dataset
from blip2.values import ModelInfo

ABOUT, REPORT, PAGE = "run.json", "report.json", "report.html"
PACKAGES = ("blip2-studio", "torch", "transformers", "accelerate", "bitsandbytes", "numpy", "pillow", "pycocoevalcap")
# What a part of a run, or its continuation, must have in common with the rest; and what to say if it has not.
SAME = ("task", "protocol", "model", "revision", "dtype", "limit", "seed", "shards", "digest")


@dataclass(frozen=True, slots=True)
class About:
    """What a run is. `digest` is of the examples' ids, questions and references; `data` the folder they came from."""

    task: str
    protocol: str
    model: str
    title: str
    family: str
    source: str
    revision: str
    dtype: str
    device: str
    image_size: int
    data: str
    limit: int | None
    seed: int
    shards: int
    digest: str
    n: int
    versions: dict[str, str]

    @classmethod
    def of(cls, task: str, protocol: str, info: ModelInfo, dataset: Dataset, **rest: Any) -> "About":
        """From the model as loaded and the examples as read; `rest` gives data, limit, seed and shards."""
        facts = {name: getattr(info, name) for name in ("title", "family", "source", "revision", "dtype", "device")}
        return cls(
            task=task,
            protocol=protocol,
            model=info.name,
            image_size=info.image_size,
            digest=digest(dataset),
            n=len(dataset.examples),
            versions=versions(),
            **facts,
            **rest,
        )


def digest(dataset: Dataset) -> str:
    """SHA-256 of what is asked: it changes when the data, or how much of it is used, changes."""
    sum_ = hashlib.sha256()
    for each in dataset.examples:
        sum_.update(json.dumps([each.id, each.image, each.question, each.prompt, each.references, each.texts]).encode())
    return sum_.hexdigest()


def versions() -> dict[str, str]:
    """Python and the packages that can change an answer or a figure."""
    made = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            made[name] = version(name)
        except PackageNotFoundError:
            continue
    return made


def enter(folder: Path, about: About, part: str, resume: bool) -> None:
    """Make the folder, or join the run that is in it. Raises `BadSetting` where it holds something else."""
    path = folder / ABOUT
    check_started(folder, part, resume)
    folder.mkdir(parents=True, exist_ok=True)
    if path.is_file():
        there = load(folder)
        for name in SAME:
            mine, theirs = getattr(about, name), getattr(there, name)
            if mine != theirs:
                raise BadSetting(
                    f"The run in {folder} has {name} {_short(theirs)}, not {_short(mine)}; choose another --out, or "
                    "the same settings to go on with it."
                )
    else:
        journal.write_text(path, json.dumps(asdict(about), indent=2) + "\n")


def check_started(folder: Path, part: str, resume: bool) -> None:
    """Raises `BadSetting` where the folder holds something else, or a part that is not to be resumed."""
    if folder.exists() and not (folder / ABOUT).is_file() and any(folder.iterdir()):
        raise BadSetting(f"The folder {folder} is not empty and holds no run; choose another one with --out.")
    path = folder / part
    if path.is_file() and path.stat().st_size and not resume:
        raise BadSetting(f"There is a run in {folder} already; add --resume to go on with it, or choose another --out.")


def load(folder: Path) -> About:
    """What the run in a folder is. Raises `BadInput` where there is none."""
    path = folder / ABOUT
    if not path.is_file():
        raise BadInput(f"There is no run in {folder}: {ABOUT} is missing.")
    try:
        data = json.loads(path.read_text("utf-8"))
        return About(**{each.name: data[each.name] for each in fields(About)})
    except (ValueError, KeyError, TypeError) as error:
        raise BadInput(f"The file {path} is damaged; start the run anew in another folder.") from error


def report(folder: Path) -> dict[str, Any]:
    """The report of a finished run. Raises `BadInput` where there is none."""
    path = folder / REPORT
    if not path.is_file():
        raise BadInput(f"There is no finished run in {folder}: {REPORT} is missing; finish it with --resume.")
    try:
        made: dict[str, Any] = json.loads(path.read_text("utf-8"))
    except ValueError as error:
        raise BadInput(f"The file {path} is damaged; make it again with --resume.") from error
    return made


def rows(folder: Path) -> dict[str, dict[str, Any]]:
    """All rows of a run by id, from its parts. Raises `BadInput` where two parts answered one example."""
    made: dict[str, dict[str, Any]] = {}
    for path in journal.parts(folder):
        for row in journal.read(path):
            if row["id"] in made:
                raise BadInput(
                    f"The example {row['id']!r} is in two parts of {folder}; the parts are of different runs."
                )
            made[row["id"]] = row
    return made


def merge(folders: Sequence[Path], out: Path | None = None) -> Path:
    """Bring the parts of one run from several folders into one (`out`, or the first folder); returns it.

    Raises `BadInput` where the folders hold different runs, or different rows of the same part.
    """
    abouts = [load(folder) for folder in folders]
    target = out or folders[0]
    for folder, about in zip(folders[1:], abouts[1:], strict=True):
        unlike = [name for name in SAME if getattr(about, name) != getattr(abouts[0], name)]
        if unlike:
            raise BadInput(
                f"The runs in {folders[0]} and {folder} differ in {', '.join(unlike)}; merge parts of one run."
            )
    enter(target, abouts[0], "", resume=True)
    for folder in folders:
        for path in journal.parts(folder):
            place = target / path.name
            if place.resolve() == path.resolve():
                continue
            if place.is_file() and place.read_bytes() != path.read_bytes():
                raise BadInput(
                    f"The part {path.name} is in {target} and in {folder}, with other rows; remove one of them."
                )
            journal.write_text(place, path.read_text("utf-8"))
    return target


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:16]}…"
