"""`caption`: captions for pictures or folders of them: as text, as JSON lines, or one text file a picture."""

import argparse
import json
import shutil
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from blip2 import settings
from blip2.cli.knobs import add_decoding, decoding_of
from blip2.errors import BadSetting
from blip2.settings import Settings

if TYPE_CHECKING:
    from blip2.captioning import Captioned, Captioner


def add(commands: Any) -> None:
    """Add the command's parser."""
    parser = commands.add_parser(
        "caption",
        help="caption pictures",
        description="Caption pictures; folders are searched for them. A file that cannot be read is a line with its "
        "reason, and the rest goes on; the exit code is 2 if there was one.",
        epilog="example: python -m blip2 caption photos/ --out captions.jsonl --resume",
    )
    parser.add_argument("paths", metavar="PATH", nargs="+", type=Path, help="a picture's file, or a folder")
    parser.add_argument("--model", metavar="MODEL", help=f"zoo row, folder or Hub id (default: {Settings().model})")
    parser.add_argument("--prompt", metavar="TEXT", help="what the caption begins with (default: the model's own)")
    parser.add_argument("--n", metavar="N", type=int, default=1, help="captions a picture, by beam search (default: 1)")
    parser.add_argument("--matcher", metavar="MODEL", help="a matching model, such as blip2/pocket, to rank them by")
    parser.add_argument("--out", metavar="FILE", type=Path, help="write JSON lines there")
    parser.add_argument("--sidecar", action="store_true", help="write each best caption to a .txt beside its picture")
    parser.add_argument("--resume", action="store_true", help="skip what --out, or a .txt with --sidecar, already has")
    parser.add_argument("--json", action="store_true", help="print JSON lines instead of text")
    parser.add_argument("--seed", metavar="N", type=int, default=0, help="seed of sampling (default: 0)")
    settings.add_flags(parser, ("device", "dtype", "deadline"))
    add_decoding(parser)
    parser.set_defaults(run=run)


def run(typed: argparse.Namespace) -> int:
    """Caption and print; 0, or 2 if a file could not be used. Raises what the settings and the model raise."""
    if typed.resume and not (typed.out or typed.sidecar):
        raise BadSetting("--resume needs --out or --sidecar, which say what is done already.")
    decoding = decoding_of(typed, typed.n)
    chosen = settings.load({name: getattr(typed, name) for name in ("device", "dtype", "deadline")})
    model = typed.model or chosen.model
    from blip2.backends.local import LocalBackend  # torch from here on; what was mistyped is told before
    from blip2.captioning import Captioner, find_pictures

    paths = list(find_pictures(typed.paths))
    left = undone(paths, typed) if typed.resume else paths
    names = [model, typed.matcher] if typed.matcher else [model]
    backend = LocalBackend(names, chosen.dtype, chosen.device)
    captioner = Captioner(
        backend, model, typed.prompt, decoding, typed.matcher or "", seed=typed.seed, deadline=chosen.deadline
    )
    try:
        return write(captioner, left, typed)
    finally:
        backend.close()


def write(captioner: "Captioner", paths: list[Path], typed: argparse.Namespace) -> int:
    """Caption the files and write each row as it comes; 2 if one of them could not be used."""
    failed = 0
    with ExitStack() as stack:
        out = stack.enter_context(opened(typed.out, typed.resume)) if typed.out else None
        for row in progress(captioner.caption_files(paths), len(paths)):
            failed += bool(row.error)
            line = json.dumps(row.to_json(), ensure_ascii=False)
            if out is not None:
                print(line, file=out, flush=True)
            if typed.sidecar and not row.error:
                write_sidecar(Path(row.source), row.text)
            if typed.json:
                print(line, flush=True)
            elif row.error:
                print(f"{row.source}: {row.error}", file=sys.stderr)
            elif out is None and not typed.sidecar:
                print(row.text if len(paths) == 1 and typed.n == 1 else as_text(row), flush=True)
    return 2 if failed else 0


def as_text(row: "Captioned") -> str:
    """A line for each caption: the file, a tab, the caption."""
    return "\n".join(f"{row.source}\t{each.text}" for each in row.captions)


def sidecar(path: Path) -> Path:
    """`photo.jpg` -> `photo.txt`, where programs for fine-tuning look for it."""
    return path.with_suffix(".txt")


def write_sidecar(picture: Path, text: str) -> None:
    """Write the caption beside its picture. Raises `BadSetting`."""
    try:
        sidecar(picture).write_text(text + "\n", encoding="utf-8")
    except OSError as error:
        raise BadSetting(f"The caption cannot be written to {str(sidecar(picture))!r}: {error.strerror}.") from error


def undone(paths: list[Path], typed: argparse.Namespace) -> list[Path]:
    """The files that the outputs do not have yet; a row with an error counts as not done."""
    done = done_files(typed.out) if typed.out else frozenset()
    return [
        path
        for path in paths
        if (typed.out and str(path) not in done) or (typed.sidecar and not sidecar(path).is_file())
    ]


def done_files(out: Path) -> frozenset[str]:
    """The files that have a caption in `out`; a line broken off by a crash is passed over."""
    found = set()
    for line in out.read_text(encoding="utf-8").splitlines() if out.exists() else ():
        try:
            row = json.loads(line)
        except ValueError:
            continue
        if isinstance(row, dict) and not row.get("error"):
            found.add(str(row.get("file")))
    return frozenset(found)


def opened(out: Path, resume: bool) -> TextIO:
    """The file of JSON lines, for appending where the work goes on. Raises `BadSetting`."""
    try:
        if resume and out.exists() and not out.read_bytes().endswith(b"\n") and out.stat().st_size:
            with out.open("a", encoding="utf-8") as file:  # a crash broke its last line off
                file.write("\n")
        return out.open("a" if resume else "w", encoding="utf-8")
    except OSError as error:
        raise BadSetting(f"The captions cannot be written to {str(out)!r}: {error.strerror}.") from error


def progress(rows: Iterable["Captioned"], total: int) -> Iterator["Captioned"]:
    """The rows, with a line of progress on a terminal: how many, how fast, how long it will take yet."""
    begun = time.monotonic()
    for count, row in enumerate(rows, 1):
        if sys.stderr.isatty():
            rate = count / max(time.monotonic() - begun, 1e-6)
            text = f"{count} of {total}, {rate:.1f} a second, {(total - count) / rate:.0f} s left"
            print(f"\r\033[K{text[: shutil.get_terminal_size().columns - 1]}", end="", file=sys.stderr, flush=True)
        yield row
    if sys.stderr.isatty():
        print("\r\033[K", end="", file=sys.stderr, flush=True)
