"""Whether a Spacefile is right, as far as that can be told without the network: a list of findings.

`python -m blip2 space check` prints it; what a check of models says is in `blip2.space.models`.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from blip2 import settings
from blip2.errors import BadSetting
from blip2.memory import gigabytes
from blip2.space.contents import chosen, contents, forbidden, matches
from blip2.space.hardware import KINDS, ZERO_PYTHONS, ZERO_TORCHES
from blip2.space.models import misfits
from blip2.space.pins import is_exact, meets, numbers, pins, python_needed
from blip2.space.render import readme
from blip2.space.spacefile import Spacefile

COLOURS = ("red", "yellow", "green", "blue", "indigo", "purple", "pink", "gray")
VISIBILITIES = ("public", "private", "protected")
VOLUMES = ("bucket", "model", "dataset", "space")
SHORT = 60  # characters of a short description that the Hub shows
LARGEST = 1_000_000_000  # bytes that a Space may hold
NAME = re.compile(r"[A-Za-z_]\w*")
REPO = re.compile(r"[\w][\w.-]*")
SECRET = re.compile(r"hf_\w{8,}|sk-\w{8,}")


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found: nothing wrong, or each thing that is, in a sentence."""

    name: str
    wrong: tuple[str, ...]

    @property
    def ok(self) -> bool:
        return not self.wrong

    def to_json(self) -> dict[str, Any]:
        return {"check": self.name, "ok": self.ok, "wrong": list(self.wrong)}


def check(spacefile: Spacefile, folder: Path) -> list[Finding]:
    """Every check, in the order in which they are best mended. Raises `BadSetting` without a `requirements.txt`."""
    return [Finding(name, tuple(look(spacefile, folder))) for name, look in CHECKS.items()]


def _space(spacefile: Spacefile, folder: Path) -> list[str]:
    space, wrong = spacefile.space, []
    for key, value in (("name", space.name), ("owner", space.owner)):
        if (value or key == "name") and not REPO.fullmatch(value):
            wrong.append(f"space.{key} is {value!r}; use letters, digits, dots, dashes and underscores.")
    if space.sdk != "gradio":
        wrong.append(f"space.sdk is {space.sdk!r}, but the page is Gradio's; write gradio.")
    if space.visibility not in VISIBILITIES:
        wrong.append(f"space.visibility is {space.visibility!r}; choose one of {', '.join(VISIBILITIES)}.")
    if space.hardware not in KINDS:
        wrong.append(f"space.hardware is {space.hardware!r}; choose one of {', '.join(KINDS)}.")
    if not 1 <= space.start_minutes <= 600:
        wrong.append(f"space.start_minutes is {space.start_minutes}; it must lie between 1 and 600.")
    for volume in spacefile.volumes:
        if volume.type not in VOLUMES:
            wrong.append(f"A volume's type is {volume.type!r}; choose one of {', '.join(VOLUMES)}.")
        if not volume.mount_path.startswith("/"):
            wrong.append(f"The volume {volume.source} is mounted at {volume.mount_path!r}; write a path such as /data.")
    return wrong


def _versions(spacefile: Spacefile, folder: Path) -> list[str]:
    space, ours, wrong = spacefile.space, pins(folder), []
    if not is_exact(space.sdk_version) or not meets(space.sdk_version, ours.get("gradio", "")):
        wrong.append(
            f"space.sdk_version is {space.sdk_version}, but requirements.txt pins gradio at "
            f"{ours.get('gradio') or 'nothing'}; write an exact version that meets it."
        )
    oldest = python_needed(folder)
    if oldest and numbers(space.python_version)[: len(numbers(oldest))] < numbers(oldest):
        wrong.append(f"space.python_version is {space.python_version}, but the project needs {oldest} or newer.")
    hardware = KINDS.get(space.hardware)
    if hardware is None:
        return wrong
    torch = ours.get("torch", "")
    if not hardware.lends:
        if space.torch and not meets(space.torch, torch):
            wrong.append(f"space.torch is {space.torch}, but off ZeroGPU the pin {torch} is kept; remove the line.")
        return wrong
    if space.python_version not in ZERO_PYTHONS:
        wrong.append(f"space.python_version is {space.python_version}; ZeroGPU has {' and '.join(ZERO_PYTHONS)} only.")
    low, high = ZERO_TORCHES
    wanted = space.torch or torch
    if not is_exact(wanted) or not numbers(low) <= numbers(wanted) <= numbers(high):
        wrong.append(f"PyTorch would be {wanted} on ZeroGPU, which takes {low} to {high}; set space.torch.")
    return wrong


def _variables(spacefile: Spacefile, folder: Path) -> list[str]:
    wrong = []
    for key, value in spacefile.variables.items():
        if not key.startswith(settings.PREFIX):
            wrong.append(
                f"The variable {key} is no setting, since it does not begin with {settings.PREFIX}; remove it."
            )
        elif (name := key.removeprefix(settings.PREFIX).lower()) in spacefile.limits:
            wrong.append(f"{key} and limits.{name} say the same setting twice; keep the limit.")
        if SECRET.search(value):
            wrong.append(f"The variable {key} looks like a secret, and variables are public; name it under [secrets].")
    for limits, variables in (
        (spacefile.limits, {}),
        ({}, spacefile.variables),
        (spacefile.limits, spacefile.variables),
    ):
        try:
            settings.load({}, variables, limits)
        except BadSetting as error:
            wrong.append(str(error))
    return list(dict.fromkeys(wrong))


def _secrets(spacefile: Spacefile, folder: Path) -> list[str]:
    wrong = [
        f"The secret {SECRET.sub('…', name)!r} is no name of a variable; write its name, never its value."
        for name in spacefile.secrets
        if not NAME.fullmatch(name) or SECRET.search(name)
    ]
    both = sorted(set(spacefile.secrets) & set(spacefile.variables))
    return wrong + [f"{name} is a secret and a variable; keep one of them." for name in both]


def _files(spacefile: Spacefile, folder: Path) -> list[str]:
    wrong = [
        f"files.include has {glob!r}, and there is no such file; mend or remove it."
        for glob in spacefile.files.include
        if not matches(glob, folder)
    ]
    paths = chosen(spacefile, folder)
    if "app.py" not in paths:
        wrong.append("app.py, which the Space starts, is not among files.include; add it.")
    strays = [path for path in paths if forbidden(path)]
    if strays:
        wrong.append(f"{strays[0]} would be pushed ({len(strays)} such files); tests, data and caches stay here.")
    if spacefile.smoke.picture and not (folder / spacefile.smoke.picture).is_file():
        wrong.append(f"smoke.picture names {spacefile.smoke.picture}, and there is no such file.")
    size = sum(each.size for each in contents(spacefile, folder))
    if size > LARGEST:
        wrong.append(f"The files take {gigabytes(size)}, and a Space holds {gigabytes(LARGEST)}; leave some out.")
    return wrong


def _card(spacefile: Spacefile, folder: Path) -> list[str]:
    card, wrong = spacefile.card, []
    for key in ("colorFrom", "colorTo"):
        if (value := getattr(card, key)) not in COLOURS:
            wrong.append(f"card.{key} is {value!r}; choose one of {', '.join(COLOURS)}.")
    if not card.title.strip():
        wrong.append("card.title is empty; give the Space a title.")
    if not card.emoji or card.emoji.isascii() or len(card.emoji) > 8:
        wrong.append(f"card.emoji is {card.emoji!r}; the Hub wants a single emoji there.")
    if len(card.short_description) > SHORT:
        wrong.append(f"card.short_description has {len(card.short_description)} characters; the Hub takes {SHORT}.")
    return wrong


def _smoke(spacefile: Spacefile, folder: Path) -> list[str]:
    smoke, wrong = spacefile.smoke, []
    if not smoke.question.strip() or not any(each.strip() for each in smoke.answers):
        wrong.append("smoke needs a question, and answers of which one must come.")
    if not 1 <= smoke.seconds <= 3600:
        wrong.append(f"smoke.seconds is {smoke.seconds}; it must lie between 1 and 3600.")
    return wrong


def _readme(spacefile: Spacefile, folder: Path) -> list[str]:
    is_now, should_be = readme(spacefile, folder)
    return [] if is_now == should_be else ["README.md has another front matter; run python -m blip2 space render."]


CHECKS: dict[str, Callable[[Spacefile, Path], list[str]]] = {
    "space": _space,
    "versions": _versions,
    "card": _card,
    "variables and limits": _variables,
    "secrets": _secrets,
    "models": lambda spacefile, folder: misfits(spacefile),
    "files": _files,
    "smoke test": _smoke,
    "README": _readme,
}
