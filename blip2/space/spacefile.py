"""The Spacefile: how the app is hosted on Hugging Face Spaces, read from TOML into frozen values.

Unknown keys and values of the wrong kind are refused with a sentence. Whether the values are right together is for
`blip2.space.checks`. It knows no network and no settings.
"""

import difflib
import re
import tomllib
from collections.abc import Mapping
from dataclasses import MISSING, Field, dataclass, field, fields
from pathlib import Path
from typing import Any, TypeVar, get_type_hints

from blip2.errors import BadSetting

NAME = "Spacefile"
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Space:
    """Where it runs. An empty `owner` is the account whose token pushes; `torch` is what ZeroGPU gets for our pin.

    `sleep_seconds` without visitors until it sleeps (0: the Hub's own rule); `start_minutes` it may take to start.
    """

    name: str
    sdk_version: str
    python_version: str
    hardware: str
    owner: str = ""
    visibility: str = "public"
    sdk: str = "gradio"
    torch: str = ""
    sleep_seconds: int = 0
    start_minutes: int = 30


@dataclass(frozen=True, slots=True)
class Card:
    """What the Hub shows of the Space. The names are the Hub's own, so that its reference can be read beside it."""

    title: str
    emoji: str
    colorFrom: str
    colorTo: str
    short_description: str = ""
    license: str = ""
    models: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    pinned: bool = False


@dataclass(frozen=True, slots=True)
class Files:
    """What is pushed: globs relative to the Spacefile's folder, `**` crossing folders."""

    include: tuple[str, ...]
    exclude: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Volume:
    """A bucket or repository of the Hub that is mounted into the Space."""

    source: str
    mount_path: str
    type: str = "bucket"
    path: str = ""
    read_only: bool = False


@dataclass(frozen=True, slots=True)
class Smoke:
    """What is asked of the pushed app: a question about a picture, and words one of which its answer must have."""

    picture: str
    question: str
    answers: tuple[str, ...]
    model: str = ""
    seconds: int = 180


@dataclass(frozen=True, slots=True)
class Spacefile:
    """All of it. `limits` are settings by name, as written; `secrets` are names only."""

    space: Space
    card: Card
    files: Files
    smoke: Smoke
    variables: Mapping[str, str] = field(default_factory=dict)
    secrets: tuple[str, ...] = ()
    volumes: tuple[Volume, ...] = ()
    limits: Mapping[str, str] = field(default_factory=dict)


def read(path: Path) -> Spacefile:
    """The Spacefile there. Raises `BadSetting` for what cannot be read or is not allowed."""
    return parse(_text(path))


def parse(text: str) -> Spacefile:
    """The Spacefile that the TOML `text` says. Raises `BadSetting` with the key that is wrong."""
    data = _tables(text)
    secrets = _table(data, "secrets")
    for key in secrets:
        if key != "required":
            raise BadSetting(
                f"The Spacefile gives a value to the secret {key!r}; secrets go there by name only, as "
                f'required = ["{key}"], and their values to the Space itself.'
            )
    required = secrets.get("required", [])
    volumes = data.get("volumes", [])
    if not isinstance(volumes, list):
        raise BadSetting("The Spacefile's volumes must each begin with [[volumes]].")
    return Spacefile(
        space=_made(Space, _table(data, "space"), "space"),
        card=_made(Card, _table(data, "card"), "card"),
        files=_made(Files, _table(data, "files"), "files"),
        smoke=_made(Smoke, _table(data, "smoke"), "smoke"),
        variables={key: _plain(value, f"variables.{key}") for key, value in _table(data, "variables").items()},
        secrets=_value(required, tuple[str, ...], "secrets.required"),
        volumes=tuple(_made(Volume, each, "volumes") for each in volumes),
        limits=_limits(data),
    )


def limits_in(path: Path) -> dict[str, str]:
    """The limits of the Spacefile there, setting by setting, as written; none where there is no such file."""
    return _limits(_tables(_text(path))) if path.is_file() else {}


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not text in UTF-8"
        raise BadSetting(f"The file {path} cannot be read ({reason}); name a Spacefile with --file.") from error


def _tables(text: str) -> dict[str, Any]:
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise BadSetting(f"The Spacefile is not TOML: {error}.") from error
    _known(data, [each.name for each in fields(Spacefile)], "")
    return data


def _limits(data: Mapping[str, Any]) -> dict[str, str]:
    return {key: _plain(value, f"limits.{key}") for key, value in _table(data, "limits").items()}


def _table(data: Mapping[str, Any], name: str) -> dict[str, Any]:
    found = data.get(name, {})
    if not isinstance(found, dict):
        raise BadSetting(f"The Spacefile's {name} must be a table, begun with [{name}].")
    return found


def _made(kind: type[T], table: Any, where: str) -> T:
    """A value of a dataclass from its table."""
    if not isinstance(table, dict):
        raise BadSetting(f"The Spacefile's {where} must be a table.")
    known: dict[str, Field[Any]] = {each.name: each for each in fields(kind)}  # type: ignore[arg-type]
    if where == "space" and "storage" in table:
        raise BadSetting(
            "The Hub sells no storage by size any more, so space.storage is not allowed; mount a bucket with "
            "[[volumes]]."
        )
    _known(table, known, f"{where}.")
    for name, each in known.items():
        if name not in table and each.default is MISSING and each.default_factory is MISSING:
            raise BadSetting(f"The Spacefile lacks {where}.{name}; add it under [{where}].")
    kinds = get_type_hints(kind)
    return kind(**{name: _value(value, kinds[name], f"{where}.{name}") for name, value in table.items()})


def _known(table: Mapping[str, Any], allowed: Any, prefix: str) -> None:
    names = list(allowed)
    for key in table:
        if key not in names:
            lowered = {name.lower(): name for name in names}
            near = lowered[difflib.get_close_matches(re.sub(r"[-_\s]", "", key.lower()), lowered, n=1, cutoff=0.0)[0]]
            raise BadSetting(
                f"The Spacefile has an unknown key {prefix}{key}; the nearest allowed one is {prefix}{near}."
            )


def _value(value: Any, kind: Any, where: str) -> Any:
    """`value` as the field takes it: lists become tuples."""
    if kind == tuple[str, ...]:
        if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
            raise BadSetting(f"The Spacefile's {where} must be a list of texts, not {value!r}.")
        return tuple(value)
    if type(value) is not kind:
        named = {str: "a text in quotes", int: "a whole number", bool: "true or false"}[kind]
        raise BadSetting(f"The Spacefile's {where} must be {named}, not {value!r}.")
    return value


def _plain(value: Any, where: str) -> str:
    """A variable's value as the environment will hold it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list) and all(isinstance(each, str) for each in value):
        return ",".join(value)
    if isinstance(value, str | int | float):
        return str(value)
    raise BadSetting(f"The Spacefile's {where} must be a text, a number, true, false or a list of texts.")
