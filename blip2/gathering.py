"""Where many pictures come from: files that were sent, ZIP files among them, or a folder the administrator allows.

A gathering names its pictures and opens none of them: that is done one at a time by who needs them. Names are relative
to where the pictures came from and never equal, letter case aside, so that results can be written under them. It knows
no model and no page.
"""

import os
import shutil
import tempfile
import weakref
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from blip2.errors import BadImage, BadInput
from blip2.images import SUFFIXES, open_picture
from blip2.unpacking import Limits, unpacked
from blip2.values import Picture

NO_FOLDERS = (
    "No folder of this machine may be read from the page; the administrator allows some with --folders, "
    "such as --folders /srv/photos."
)


@dataclass(frozen=True, slots=True)
class Found:
    """A picture's file and the `name` it goes by; or the `problem`, a sentence, for which it cannot be opened."""

    name: str
    file: str = ""
    problem: str = ""

    def open(self) -> Picture:
        """The opened picture. Raises `BadImage` with the reason."""
        if self.problem:
            raise BadImage(self.problem)
        return open_picture(self.file, self.name)


class Shelf:
    """A folder of one's own for as long as something holds the shelf; the files in it go with it."""

    def __init__(self) -> None:
        self.path = Path(tempfile.mkdtemp(prefix="blip2-pictures-"))
        self.clear = weakref.finalize(self, shutil.rmtree, str(self.path), True)


@dataclass(frozen=True, eq=False)
class Gathered:
    """Pictures to work through, in order. `skipped` counts the other files that lay beside them.

    `sent` and `folder` are what it was gathered from; `shelf` holds what was unpacked for it.
    """

    files: tuple[Found, ...] = ()
    skipped: int = 0
    sent: tuple[str, ...] = ()
    folder: str = ""
    shelf: Shelf | None = field(default=None, repr=False)

    def __len__(self) -> int:
        return len(self.files)

    def __iter__(self) -> Iterator[Found]:
        return iter(self.files)

    def __deepcopy__(self, memo: object) -> "Gathered":
        """Itself: nothing in it changes, and a shelf has one owner."""
        return self

    def summary(self) -> str:
        """`12 pictures · 3 other files left out`, or nothing."""
        if not self.files and not self.skipped:
            return ""
        parts = [_counted(len(self.files), "picture")]
        broken = sum(bool(each.problem) for each in self.files)
        if broken:
            parts.append(f"{broken} of them cannot be opened")
        if self.skipped:
            parts.append(f"{_counted(self.skipped, 'other file')} left out")
        return " · ".join(parts)


NOTHING = Gathered()


def gathered(
    sent: Sequence[str | Path] = (),
    folder: str = "",
    allowed: Sequence[str | Path] = (),
    limits: Limits | None = None,
) -> Gathered:
    """The pictures of the files `sent`, ZIP files unpacked, and of a `folder` within the `allowed` ones.

    A ZIP file that cannot be used is a row with its problem. Raises `BadInput` for the folder, and for too many files.
    """
    limits = limits or Limits()
    paths = [Path(each) for each in sent]
    loose = [path for path in paths if path.suffix.lower() != ".zip"]
    archives = [path for path in paths if path.suffix.lower() == ".zip"]
    if len(paths) > limits.files:
        raise BadInput(f"{len(paths)} files were sent; at most {limits.files} are taken at a time, send them in parts.")
    names = _Names()
    found = [Found(names.free(path.name), str(path)) for path in loose]
    crowded = len(archives) + bool(loose) + bool(folder.strip()) > 1  # then a name says which source it is from
    skipped, shelf = 0, Shelf() if archives else None
    for number, path in enumerate(archives):
        assert shelf is not None
        try:
            members, others = unpacked(path, shelf.path / str(number), limits)
        except BadInput as error:
            found.append(Found(names.free(path.name), problem=str(error)))
            continue
        skipped += others
        before = f"{path.stem}/" if crowded else ""
        found += [Found(names.free(before + each.name), each.file, each.problem) for each in members]
    if folder.strip():
        root = allowed_folder(folder, allowed)
        inside, others = _walk(root)
        skipped += others
        before = f"{root.name}/" if crowded else ""
        found += [Found(names.free(before + name), os.path.join(root, name)) for name in inside]
    return Gathered(tuple(found), skipped, tuple(map(str, sent)), folder.strip(), shelf)


def folder_names(allowed: Sequence[str | Path]) -> Mapping[str, Path]:
    """What visitors call the allowed folders, their last parts, and where they are; equal ones are numbered."""
    names = _Names()
    return {names.free(Path(each).resolve().name or "files"): Path(each).resolve() for each in allowed}


def allowed_folder(named: str, allowed: Sequence[str | Path]) -> Path:
    """The folder that a visitor named: an allowed one, or one within it, such as `photos/2024`.

    Raises `BadInput` with the names that are allowed, also for a link or `..` that leads out of them.
    """
    known = folder_names(allowed)
    if not known:
        raise BadInput(NO_FOLDERS)
    listed = ", ".join(known)
    text = named.strip()
    first, _, rest = text.replace("\\", "/").rstrip("/").partition("/")
    candidate = known[first] / rest if first in known else Path(text)
    try:
        path = candidate.resolve()
        is_inside = candidate.is_absolute() and any(path.is_relative_to(root) for root in known.values())
        is_folder = is_inside and path.is_dir()
    except (OSError, ValueError, RuntimeError):
        is_inside = is_folder = False
    if not is_inside:
        raise BadInput(f"The folder {text!r:.200} is not open to visitors; choose {listed}, or a folder within.")
    if not is_folder:
        raise BadInput(f"There is no folder {text!r:.200}; choose {listed}, or a folder within.")
    return path


def sidecars(names: Iterable[str]) -> list[str]:
    """For each picture the name of the text file beside it: `a.jpg` -> `a.txt`, where fine-tuning programs look.

    Where two pictures would share one, as `a.jpg` and `a.png`, the later gets its whole name: `a.png.txt`.
    """
    taken = _Names()
    made = []
    for name in names:
        short, whole = str(PurePosixPath(name).with_suffix(".txt")), f"{name}.txt"
        made.append(taken.free(whole if short.casefold() in taken.used else short))
    return made


class _Names:
    """Names given away so far; a second of the same name, letter case aside, is numbered: `a (2).jpg`."""

    def __init__(self) -> None:
        self.used: set[str] = set()

    def free(self, name: str) -> str:
        wanted = PurePosixPath(name)
        number = 1
        while name.casefold() in self.used:
            number += 1
            name = str(wanted.with_name(f"{wanted.stem} ({number}){wanted.suffix}"))
        self.used.add(name.casefold())
        return name


def _walk(root: Path) -> tuple[list[str], int]:
    """The pictures below `root` by relative name, sorted; and how many other files. Hidden ones do not count.

    A link to a file is followed only where it stays below `root`, a link to a folder never.
    """
    found, others = [], 0
    for here, folders, files in os.walk(root):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in files:
            if name.startswith("."):
                continue
            path = os.path.join(here, name)
            if os.path.splitext(name)[1].lower() in SUFFIXES and _stays(path, root):
                found.append(os.path.relpath(path, root).replace(os.sep, "/"))
            else:
                others += 1
    return sorted(found), others


def _stays(path: str, root: Path) -> bool:
    return not os.path.islink(path) or Path(path).resolve().is_relative_to(root)


def _counted(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"
