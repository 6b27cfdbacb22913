"""Finding the files of a data set as distributed, under one folder, and saying where to get what is missing."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from blip2.errors import BadInput


@dataclass(frozen=True, slots=True)
class Wanted:
    """A file or a folder of pictures: where it may lie below the data folder, and where it is published."""

    places: tuple[str, ...]
    source: str

    @property
    def name(self) -> str:
        return self.places[0]


def find(data: Path, wanted: Wanted) -> Path:
    """The first of the places that exists. Raises `BadInput` with where to get it and where to put it."""
    found = first(data, wanted.places)
    if found is None:
        raise BadInput(
            f"{wanted.name} is missing from {data}; get it from {wanted.source} and put it at {data / wanted.name}"
            f"{_or(wanted.places[1:])}."
        )
    return found


def first(data: Path, places: Sequence[str]) -> Path | None:
    """The first of the places below `data` that exists."""
    return next((data / place for place in places if (data / place).exists()), None)


def read(path: Path) -> Any:
    """The JSON in a file. Raises `BadInput` where it cannot be read."""
    try:
        return json.loads(path.read_text("utf-8"))
    except FileNotFoundError as error:
        raise BadInput(f"There is no file {path}; check the path.") from error
    except OSError as error:
        raise BadInput(f"The file {path} cannot be read ({error.strerror or error}); check it.") from error
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise BadInput(f"The file {path} is not JSON that can be read ({error}); get it anew.") from error


def take(data: Any, key: str, path: Path, kind: type[Any] = list) -> Any:
    """`data[key]` of a file, which must be of this kind. Raises `BadInput` that names the file and the key."""
    value = data.get(key) if isinstance(data, dict) else None
    if not isinstance(value, kind):
        raise BadInput(f"The file {path} has no {key!r} as the official one has; check that it is the right file.")
    return value


def _or(places: Sequence[str]) -> str:
    return f" (or {' or '.join(places)})" if places else ""
