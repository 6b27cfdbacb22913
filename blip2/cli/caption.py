"""`caption`: captions for pictures or folders of them: as text, JSON lines or CSV, or one text file a picture."""

import argparse
import json
import shutil
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from blip2 import settings
from blip2.cli.knobs import add_decoding, decoding_of
from blip2.errors import BadSetting
from blip2.settings import Settings

CLEAR = "\r\033[K"  # back to the start of the line, and that line emptied
CACHE = 16 << 20  # bytes of encoded pictures kept: each one is seen once

if TYPE_CHECKING:
    from blip2.caption_journal import CaptionJournal
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
    parser.add_argument("--n", metavar="N", type=int, default=1, help="captions a picture (default: 1)")
    parser.add_argument("--matcher", metavar="MODEL", help="a matching model, such as blip2/pocket, to rank them by")
    parser.add_argument("--out", metavar="FILE", type=Path, help="write JSON lines there, or CSV if it ends in .csv")
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
    decoding = decoding_of(typed, 1 if typed.method == "nucleus" else typed.n)
    chosen = settings.load({name: getattr(typed, name) for name in ("device", "dtype", "deadline")})
    model = typed.model or chosen.model
    from blip2.backends.local import LocalBackend  # torch from here on; what was mistyped is told before
    from blip2.caption_journal import CaptionJournal
    from blip2.captioning import Captioner, named_pictures
    from blip2.gathering import sidecars

    paths = named_pictures(typed.paths)
    texts = {path: Path(name) for path, name in zip(paths, sidecars(map(str, paths)), strict=True)}
    names = [model, typed.matcher] if typed.matcher else [model]
    backend = LocalBackend(names, chosen.dtype, chosen.device, cache_bytes=CACHE)
    captioner = Captioner(
        backend, model, typed.prompt, decoding, typed.matcher or "", typed.seed, chosen.deadline, draws=typed.n
    )
    try:
        for name in names:
            backend.describe(name)  # a model that cannot be used leaves the file of captions as it is
        with ExitStack() as stack:
            out = stack.enter_context(CaptionJournal(typed.out, typed.resume)) if typed.out else None
            left = [path for path in paths if not typed.resume or not done(path, out, typed.sidecar and texts[path])]
            if len(left) < len(paths):
                print(
                    f"{len(paths) - len(left)} of {len(paths)} pictures have their captions already.", file=sys.stderr
                )
            return write(captioner, left, typed, out, texts)
    finally:
        backend.close()


def done(path: Path, out: "CaptionJournal | None", text: Path | Literal[False]) -> bool:
    """Whether every output has the picture's caption already."""
    return (out is None or out.has(path)) and (not text or text.is_file())


def write(
    captioner: "Captioner",
    paths: list[Path],
    typed: argparse.Namespace,
    out: "CaptionJournal | None",
    texts: Mapping[Path, Path],
) -> int:
    """Caption the files and write each row as it comes; 2 if one of them could not be used."""
    failed = 0
    is_silent = typed.out is not None or typed.sidecar  # else the captions themselves are what is watched
    is_drawn = sys.stderr.isatty() and (is_silent or not sys.stdout.isatty())
    rows = captioner.caption_files(paths)
    for row in progress(rows, len(paths)) if is_drawn else rows:
        failed += bool(row.error)
        if out is not None:
            out.append(row.to_json())
        if typed.sidecar and not row.error:
            write_sidecar(texts[Path(row.source)], row.text)
        if typed.json:
            print(json.dumps(row.to_json(), ensure_ascii=False), flush=True)
        elif row.error:
            print(f"{CLEAR if is_drawn else ''}{row.source}: {row.error}", file=sys.stderr)
        elif out is None and not typed.sidecar:
            print(row.text if len(paths) == 1 and typed.n == 1 else as_text(row), flush=True)
    return 2 if failed else 0


def as_text(row: "Captioned") -> str:
    """A line for each caption: the file, a tab, the caption."""
    return "\n".join(f"{row.source}\t{each.text}" for each in row.captions)


def write_sidecar(out: Path, text: str) -> None:
    """Write a caption beside its picture, where programs for fine-tuning look for it. Raises `BadSetting`."""
    try:
        out.write_text(text + "\n", encoding="utf-8")
    except OSError as error:
        raise BadSetting(f"The caption cannot be written to {str(out)!r}: {error.strerror}.") from error


def progress(rows: Iterable["Captioned"], total: int) -> Iterator["Captioned"]:
    """The rows, with a line of progress that is redrawn: how many, how fast, how long it will take yet."""
    begun = time.monotonic()
    for count, row in enumerate(rows, 1):
        rate = count / max(time.monotonic() - begun, 1e-6)
        text = f"{count} of {total}, {rate:.1f} a second, {(total - count) / rate:.0f} s left"
        print(f"{CLEAR}{text[: shutil.get_terminal_size().columns - 1]}", end="", file=sys.stderr, flush=True)
        yield row
    print(CLEAR, end="", file=sys.stderr, flush=True)
