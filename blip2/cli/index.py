"""`index`: pictures and folders of them made into one file that can be searched."""

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from blip2 import settings
from blip2.cli.matcher import DEFAULT
from blip2.errors import BadInput

if TYPE_CHECKING:
    from blip2.gathering import Found
    from blip2.indexing import Counts, Indexer

INTERRUPTED = 130


def add(commands: Any) -> None:
    """Add the command's parser."""
    parser = commands.add_parser(
        "index",
        help="make an album searchable",
        description="Make an index of pictures, to be searched by words or by picture; folders are searched for "
        "pictures. A file that cannot be read is told with its reason, the rest goes on, and the exit code is 2. "
        "Interrupted, it keeps what is done; --extend goes on.",
        epilog="example: python -m blip2 index photos/ --out album.index --extend",
    )
    parser.add_argument("paths", metavar="PATH", nargs="+", type=Path, help="a folder, or a picture's file")
    parser.add_argument(
        "--out", metavar="FILE", type=Path, required=True, help="the index; written whole or not at all"
    )
    parser.add_argument(
        "--model", metavar="MODEL", help=f"a matching model (default: {DEFAULT}; with --extend: the index's own)"
    )
    parser.add_argument(
        "--extend", action="store_true", help="keep what the index has: files unchanged or moved are not read again"
    )
    parser.add_argument("--prune", action="store_true", help="with --extend: drop pictures whose files are gone")
    parser.add_argument("--json", action="store_true", help="print what was done as JSON")
    settings.add_flags(parser, ("device", "dtype"))
    parser.set_defaults(run=run)


def run(typed: argparse.Namespace) -> int:
    """Index, write and print; 0, 2 if a file could not be used, 130 if interrupted. Raises what the model raises."""
    chosen = settings.load({name: getattr(typed, name) for name in ("device", "dtype")})
    if typed.prune and not typed.extend:
        raise BadInput("--prune drops pictures from an index that is extended; give --extend too.")
    from blip2.captioning import named_pictures
    from blip2.gathering import Found
    from blip2.indexes import open_index

    before = open_index(typed.out, trusted=True) if typed.extend else None
    if not typed.out.absolute().parent.is_dir():
        raise BadInput(f"There is no folder {str(typed.out.parent)!r} to write the index to; make it first.")
    files = [Found(str(path), str(path.absolute())) for path in named_pictures(typed.paths)]
    model = typed.model or (before.model.name if before is not None else DEFAULT)
    from blip2.backends.local import LocalBackend  # torch from here on; what was mistyped is told before
    from blip2.indexing import Indexer

    backend = LocalBackend([model], chosen.dtype, chosen.device)
    try:
        indexer = Indexer(backend, model, before, typed.prune)
        return write(indexer, files, typed.out, as_json=typed.json)
    finally:
        backend.close()


def write(indexer: "Indexer", files: Sequence["Found"], out: Path, *, as_json: bool = False) -> int:
    """Index the files, save, and print what was done, also when interrupted; returns the exit code."""
    from blip2.indexing import Counts

    counts, code = Counts(len(files)), 0
    try:
        for step in shown(indexer.add(files, len(files)), len(files)):
            counts = step
    except KeyboardInterrupt:
        code = INTERRUPTED
    indexer.save(out)
    writer = indexer.writer
    broken = [{"file": row.name, "error": row.error} for row in writer.broken]
    indexer.close()
    size = out.stat().st_size
    if as_json:
        figures = {"pictures": len(writer.rows), "new": counts.new, "kept": counts.kept, "bytes": size}
        told = {"index": str(out), "model": writer.model.name, **figures, "broken": broken}
        print(json.dumps(told, ensure_ascii=False, indent=2))
    else:
        for each in broken:
            print(f"{each['file']}: {each['error']}", file=sys.stderr)
        print(f"{out}: {len(writer.rows):,} pictures ({counts.new:,} new), {size / 1e6:.1f} MB.")
    if code:
        print(f"Interrupted after {counts.done:,} of {counts.total:,} files; --extend goes on.", file=sys.stderr)
    return code or (2 if broken else 0)


def shown(steps: Iterator["Counts"], total: int) -> Iterator["Counts"]:
    """The steps, told to whoever looks at a terminal; nothing in a pipe."""
    if not sys.stderr.isatty():
        yield from steps
        return
    from blip2.evaluation.progress import Progress

    bar = Progress(total, unit="pictures")
    before = 0
    try:
        for counts in steps:
            for _ in range(counts.done - before):
                bar.add()
            before, bar.broken = counts.done, counts.broken
            yield counts
    finally:
        bar.close()
