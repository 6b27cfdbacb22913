"""Our pins: what `requirements.txt` asks for, and versions compared. It knows no network and no installed package."""

import re
from collections.abc import Mapping
from pathlib import Path

from blip2.errors import BadSetting

REQUIREMENTS = "requirements.txt"


def name_of(line: str) -> str:
    """The package that a line of `requirements.txt` names, in lower case; empty for a comment or an option."""
    found = re.match(r"\s*([A-Za-z0-9][\w.-]*)", line)
    return found[1].lower().replace("_", "-") if found else ""


def pins(folder: Path) -> dict[str, str]:
    """The versions that the folder's `requirements.txt` pins, by package: `6.31.*`, or empty where it pins none."""
    found = {}
    for line in requirements(folder).splitlines():
        if name := name_of(line):
            pinned = re.search(r"==\s*([\w.*+!-]+)", line)
            found[name] = pinned[1] if pinned else ""
    return found


def requirements(folder: Path) -> str:
    """The folder's `requirements.txt`. Raises `BadSetting` where there is none."""
    try:
        return (folder / REQUIREMENTS).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadSetting(f"There is no {REQUIREMENTS} beside the Spacefile that can be read; add one.") from error


def python_needed(folder: Path) -> str:
    """The oldest Python that the folder's `pyproject.toml` allows; empty where it does not say."""
    try:
        text = (folder / "pyproject.toml").read_text(encoding="utf-8")
    except OSError:
        return ""
    found = re.search(r"""requires-python\s*=\s*["']>=\s*([\d.]+)""", text)
    return found[1] if found else ""


def numbers(version: str) -> tuple[int, ...]:
    """`2.13.0` -> (2, 13, 0); what is no number ends it."""
    found = re.match(r"\d+(?:\.\d+)*", version)
    return tuple(int(part) for part in found[0].split(".")) if found else ()


def is_exact(version: str) -> bool:
    """Whether a version names one release: three numbers and nothing else."""
    return re.fullmatch(r"\d+\.\d+\.\d+", version) is not None


def meets(version: str, pin: str) -> bool:
    """Whether an exact version is one that the pin allows; `6.31.0` meets `6.31.*`, `6.31.0` and no pin at all."""
    if not pin:
        return True
    if pin.endswith(".*"):
        return version.startswith(pin[:-1])
    return numbers(version) == numbers(pin)


def pinned_anew(text: str, drop: frozenset[str], replace: Mapping[str, str]) -> str:
    """A `requirements.txt` without the packages in `drop`, and with those in `replace` at another version."""
    lines = []
    for line in text.splitlines():
        name = name_of(line)
        if name in drop:
            continue
        lines.append(f"{name}=={replace[name]}" if name in replace else line)
    return "\n".join(lines) + "\n"
