"""Pictures out of a ZIP file that a stranger made. It knows files only, no models.

Nothing in the archive decides where something is written: each picture gets a number for a name on disk, so that a
member called `../../etc/passwd` is only an odd name to show. Sizes are counted while unpacking, whatever the archive
claims; links, programs, other archives and hidden files are left out.
"""

import re
import shutil
import stat
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from blip2.errors import BadInput
from blip2.images import MAX_BYTES, SUFFIXES

PIECE = 1 << 20
ENTRY = 600  # bytes of an archive's table of contents that one file may take on average
END, LARGE_END = b"PK\x05\x06", b"PK\x06\x06"  # the records at an archive's end, which say how large that table is
MB = 1_000_000
UNPACK_FIRST = "unpack it with a program of yours and send the pictures themselves"


@dataclass(frozen=True, slots=True)
class Limits:
    """What an archive may hold: files, bytes of one and of all, and how many times its own size all may take."""

    files: int = 20_000
    file_bytes: int = MAX_BYTES
    total_bytes: int = 4_000 * MB
    ratio: int = 100


@dataclass(frozen=True, slots=True)
class Unpacked:
    """A picture of the archive: `name` within it, the file it was unpacked to, or the `problem` in a sentence."""

    name: str
    file: str = ""
    problem: str = ""


def unpacked(archive: str | Path, into: Path, limits: Limits | None = None) -> tuple[list[Unpacked], int]:
    """Unpack the archive's pictures into the folder `into`, sorted by name; and how many other files it holds.

    A damaged member is in the list with its problem. Raises `BadInput` for what is no ZIP file or exceeds the limits.
    """
    limits = limits or Limits()
    path = Path(archive)
    try:
        _check_contents(path, limits)
        with zipfile.ZipFile(path) as opened:
            members, others = _members(opened)
            _check(path, members, others, limits)
            return _all_out(opened, members, into, limits), others
    except BadInput:
        raise
    except OSError as error:
        why = error.strerror or "it is damaged"
        raise BadInput(f"The ZIP file {path.name!r} cannot be unpacked: {why}.") from error
    except Exception as error:  # damaged tables of contents raise what they like: BadZipFile, struct.error, ValueError
        raise BadInput(f"{path.name!r} is not a ZIP file that can be read; make it anew and try again.") from error


def clean(name: str) -> str:
    """A member's name as it is shown: forward slashes, no way up, no drive, no characters that cannot be seen."""
    name = re.sub(r"[\x00-\x1f\x7f\u200e\u200f\u202a-\u202e\u2066-\u2069]", "", name.replace("\\", "/"))
    name = re.sub(r"^[A-Za-z]:", "", name)
    return "/".join(part for part in name.split("/") if part.strip() not in ("", ".", ".."))


def _check_contents(path: Path, limits: Limits) -> None:
    """Refuse an archive whose table of contents alone is huge, before it is read into memory."""
    with path.open("rb") as file:
        file.seek(max(path.stat().st_size - 66_000, 0))
        tail = file.read()
    at = len(tail) - 22 if tail[-22:].startswith(END) else tail.rfind(END)
    table = int.from_bytes(tail[at + 12 : at + 16], "little") if at >= 0 else 0
    if table == 0xFFFFFFFF and (large := tail.rfind(LARGE_END, 0, at)) >= 0:
        table = int.from_bytes(tail[large + 40 : large + 48], "little")
    if table > limits.files * ENTRY:
        raise BadInput(f"The ZIP file {path.name!r} holds more than {limits.files} files; send it in parts.")


def _members(opened: zipfile.ZipFile) -> tuple[list[tuple[str, zipfile.ZipInfo]], int]:
    """The pictures by shown name, sorted; and how many other files there are, hidden ones not counted."""
    found, others = [], 0
    for info in opened.infolist():
        name = clean(_decoded(info))
        hidden = any(part.startswith(".") or part == "__MACOSX" for part in name.split("/"))
        if info.is_dir() or hidden or not name:
            continue
        mode = info.external_attr >> 16
        is_plain = not stat.S_IFMT(mode) or stat.S_ISREG(mode)
        if is_plain and PurePosixPath(name).suffix.lower() in SUFFIXES:
            found.append((name, info))
        else:
            others += 1
    return sorted(found, key=lambda pair: pair[0]), others


def _decoded(info: zipfile.ZipInfo) -> str:
    """The name; many programs write UTF-8 without saying so, which reads as gibberish."""
    if not info.flag_bits & 0x800:
        try:
            return info.filename.encode("cp437").decode("utf-8")
        except ValueError:
            pass
    return info.filename


def _check(path: Path, members: Sequence[tuple[str, zipfile.ZipInfo]], others: int, limits: Limits) -> None:
    name = path.name
    if len(members) + others > limits.files:
        count = len(members) + others
        raise BadInput(
            f"The ZIP file {name!r} holds {count} files; at most {limits.files} are taken, send it in parts."
        )
    if not members:
        many = f"none of its {others:,} files is a picture" if others > 1 else "its only file is none"
        what = many if others else "it is empty"
        raise BadInput(f"There is no picture in the ZIP file {name!r}: {what}.")
    if all(info.flag_bits & 1 for _, info in members):
        raise BadInput(f"The ZIP file {name!r} is locked with a password; {UNPACK_FIRST}.")
    total = sum(info.file_size for _, info in members if info.file_size <= limits.file_bytes)
    if total > limits.total_bytes:
        raise BadInput(
            f"The ZIP file {name!r} unpacks to {total / MB:.0f} MB; at most {limits.total_bytes // MB} MB are taken, "
            "send it in parts."
        )
    if total > max(limits.ratio * path.stat().st_size, 50 * MB):
        raise BadInput(f"The ZIP file {name!r} unpacks to far more than pictures do; {UNPACK_FIRST}.")


def _all_out(
    opened: zipfile.ZipFile, members: Sequence[tuple[str, zipfile.ZipInfo]], into: Path, limits: Limits
) -> list[Unpacked]:
    into.mkdir(parents=True, exist_ok=True)
    expected = sum(info.file_size for _, info in members)
    if shutil.disk_usage(into).free < min(expected, limits.total_bytes) + 100 * MB:
        raise BadInput("There is not enough space on the server's disk to unpack this ZIP file; send it in parts.")
    found: list[Unpacked] = []
    left = limits.total_bytes
    for number, (name, info) in enumerate(members):
        file = into / f"{number:06}{PurePosixPath(name).suffix.lower()}"
        problem = _problem(info, limits)
        if not problem:
            size, problem = _out(opened, info, file, limits.file_bytes)
            left -= size
            if left < 0:
                raise BadInput(
                    f"The pictures take more than {limits.total_bytes // MB} MB once unpacked; send them in parts."
                )
        found.append(Unpacked(name, "" if problem else str(file), problem and f"The picture {name!r} {problem}"))
    return found


def _problem(info: zipfile.ZipInfo, limits: Limits) -> str:
    if info.flag_bits & 1:
        return f"is locked with a password; {UNPACK_FIRST}."
    if info.file_size > limits.file_bytes:
        return f"is larger than {limits.file_bytes // MB} MB; make it smaller first."
    return ""


def _out(opened: zipfile.ZipFile, info: zipfile.ZipInfo, file: Path, limit: int) -> tuple[int, str]:
    """Write one member to `file`; its bytes, and what is wrong with it, or nothing."""
    size = 0
    try:
        with opened.open(info) as source, file.open("xb") as target:
            while piece := source.read(PIECE):
                size += len(piece)
                if size > limit:
                    raise ValueError("larger than it says")
                target.write(piece)
        return size, ""
    except OSError as error:
        if error.errno:  # the disk's fault, not the member's
            raise
    except (
        Exception
    ):  # decompressors of hostile files raise what they like: zlib.error, BadZipFile, EOFError, LZMAError
        pass
    file.unlink(missing_ok=True)
    return size, "is damaged inside the ZIP file; pack it anew."
