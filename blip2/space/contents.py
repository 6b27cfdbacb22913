"""Which files a Space gets, with what is in them: the Spacefile's globs, and the files that are rendered for it."""

import hashlib
import re
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path, PurePosixPath

from blip2.space.pins import REQUIREMENTS
from blip2.space.render import README, pushed_requirements, readme
from blip2.space.spacefile import Spacefile

NEVER = frozenset({"tests", ".git", "data", "runs", ".venv", "__pycache__", ".ruff_cache", ".mypy_cache"})  # folders


@dataclass(frozen=True)
class Content:
    """One file: its path in the Space, and either its place on this disk or, where it is rendered, its bytes."""

    path: str
    file: Path | None = None
    rendered: bytes = field(default=b"", repr=False)

    @cached_property
    def data(self) -> bytes:
        return self.file.read_bytes() if self.file is not None else self.rendered

    @property
    def size(self) -> int:
        return self.file.stat().st_size if self.file is not None else len(self.rendered)

    @cached_property
    def sha1(self) -> str:
        """The name git has for it."""
        return hashlib.sha1(b"blob %d\0" % len(self.data) + self.data, usedforsecurity=False).hexdigest()

    @cached_property
    def sha256(self) -> str:
        """The name that LFS has for it."""
        return hashlib.sha256(self.data).hexdigest()


def contents(spacefile: Spacefile, folder: Path) -> list[Content]:
    """The files of the Space by path. `README.md` and `requirements.txt` are always there, as rendered."""
    found = {path: Content(path, folder / path) for path in chosen(spacefile, folder)}
    found[README] = Content(README, rendered=readme(spacefile, folder)[1].encode())
    found[REQUIREMENTS] = Content(REQUIREMENTS, rendered=pushed_requirements(spacefile, folder).encode())
    return [found[path] for path in sorted(found)]


def chosen(spacefile: Spacefile, folder: Path) -> list[str]:
    """The paths that the globs choose; caches of Python never."""
    excluded = [matcher(glob) for glob in spacefile.files.exclude]
    paths = {path for glob in spacefile.files.include for path in matches(glob, folder)}
    return sorted(path for path in paths if not any(each.fullmatch(path) for each in excluded))


def matches(glob: str, folder: Path) -> list[str]:
    """The files under the folder that one glob means."""
    wanted = matcher(glob)
    fixed = PurePosixPath(*_before_wildcards(glob))
    top = folder / fixed
    files = [top] if top.is_file() else sorted(top.rglob("*")) if top.is_dir() else []
    paths = [each.relative_to(folder).as_posix() for each in files if each.is_file()]
    return [path for path in paths if wanted.fullmatch(path) and "__pycache__" not in path.split("/")]


def matcher(glob: str) -> "re.Pattern[str]":
    """`*` and `?` stay within a folder, `**` crosses folders; a folder's name means all that is in it."""
    pattern = ""
    for part in re.split(r"(\*\*/|\*\*|\*|\?)", glob.rstrip("/")):
        pattern += {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}.get(part, re.escape(part))
    return re.compile(f"{pattern}(?:/.*)?")


def forbidden(path: str) -> bool:
    """Whether a path lies in a folder that no Space should carry: tests, data, caches, histories."""
    return bool(NEVER.intersection(path.split("/")[:-1])) or path.endswith(".pyc")


def _before_wildcards(glob: str) -> list[str]:
    """The leading parts of a glob that name one place; never above the folder."""
    parts: list[str] = []
    for part in glob.rstrip("/").split("/"):
        if any(sign in part for sign in "*?") or part in ("", ".", ".."):
            break
        parts.append(part)
    return parts
