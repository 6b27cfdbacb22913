"""What is written from the Spacefile: the README's front matter, and the `requirements.txt` that the Space gets."""

import json
import re
from pathlib import Path

from blip2.space.hardware import KINDS
from blip2.space.pins import pinned_anew, requirements
from blip2.space.spacefile import Spacefile

README = "README.md"
FRONT = re.compile(r"\A---\n.*?^---\n+", re.MULTILINE | re.DOTALL)
SUPPLIED = frozenset({"gradio", "spaces"})  # the Space installs these itself: the SDK's version, and what ZeroGPU needs
PLAIN = re.compile(r"[A-Za-z][\w ./+-]*[\w+]|[A-Za-z]")  # needs no quotes in YAML
WORDS = frozenset({"yes", "no", "true", "false", "on", "off", "null", "y", "n"})


def front_matter(spacefile: Spacefile) -> str:
    """The YAML block at the top of a Space's README, its dashes and the empty line behind it included."""
    space, card = spacefile.space, spacefile.card
    lines: dict[str, object] = {
        "title": card.title,
        "emoji": card.emoji,
        "colorFrom": card.colorFrom,
        "colorTo": card.colorTo,
        "sdk": space.sdk,
        "sdk_version": space.sdk_version,
        "python_version": space.python_version,
        "app_file": "app.py",
        "suggested_hardware": space.hardware,
        "startup_duration_timeout": f"{space.start_minutes}m",
        "short_description": card.short_description,
        "license": card.license,
        "pinned": card.pinned,
        "models": card.models,
        "tags": card.tags,
    }
    shown = [f"{name}: {_yaml(value)}" for name, value in lines.items() if value not in ("", ())]
    return "\n".join(["---", *shown, "---", "", ""])


def with_front_matter(text: str, front: str) -> str:
    """A README's text with this front matter in place of the one it has, if any; the rest as it is."""
    return front + FRONT.sub("", text, count=1)


def readme(spacefile: Spacefile, folder: Path) -> tuple[str, str]:
    """The README beside the Spacefile: as it is, and as it should be. One that is missing is empty."""
    path = folder / README
    text = path.read_text(encoding="utf-8") if path.is_file() else ""
    return text, with_front_matter(text, front_matter(spacefile))


def pushed_requirements(spacefile: Spacefile, folder: Path) -> str:
    """What the Space installs: our pins without what the Space supplies, and on ZeroGPU another PyTorch."""
    hardware = KINDS.get(spacefile.space.hardware)
    lent = hardware is not None and hardware.lends and spacefile.space.torch
    return pinned_anew(requirements(folder), SUPPLIED, {"torch": spacefile.space.torch} if lent else {})


def _yaml(value: object) -> str:
    """A value in YAML, whose quoted texts and lists may be written as JSON's."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        return f"[{', '.join(_yaml(each) for each in value)}]"
    text = str(value)
    is_plain = PLAIN.fullmatch(text) and text.lower() not in WORDS
    return text if is_plain else json.dumps(text, ensure_ascii=False)
