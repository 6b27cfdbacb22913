"""`search`: the pictures of an index that fit some words best, or are most like another picture."""

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from blip2 import settings
from blip2.errors import BadInput

if TYPE_CHECKING:
    from blip2.backends.base import Backend
    from blip2.indexes import Index
    from blip2.retrieval import Results

POOL = 32  # what blip2.retrieval has; that module needs torch


def add(commands: Any) -> None:
    """Add the command's parser."""
    parser = commands.add_parser(
        "search",
        help="search an index of pictures",
        description="Search an index made by `index`. ITC, the cosine of features made apart, finds; ITM, which reads "
        "picture and words together, re-ranks the best. By picture, features alone decide.",
        epilog='example: python -m blip2 search album.index "a dog on a beach" -k 5 --json',
    )
    parser.add_argument("index", metavar="INDEX", type=Path, help="the index's file")
    parser.add_argument("words", metavar="WORDS", nargs="?", help="what to search for, as a caption would say it")
    parser.add_argument("--picture", metavar="IMAGE", help="search for pictures like this one instead")
    parser.add_argument("-k", metavar="N", type=int, default=10, help="how many to show (default: 10)")
    parser.add_argument("--no-rerank", action="store_true", help="by ITC alone, which reads no picture")
    parser.add_argument(
        "--pool", metavar="N", type=int, default=POOL, help=f"how many ITM re-ranks (default: {POOL}; LAVIS: 128)"
    )
    parser.add_argument("--model", metavar="MODEL", help="where the index's model is, if not where it was")
    parser.add_argument("--json", action="store_true", help="print JSON")
    settings.add_flags(parser, ("device", "dtype"))
    parser.set_defaults(run=run)


def run(typed: argparse.Namespace) -> int:
    """Search and print; 0. Raises what the index, the words, the picture and the model raise."""
    if bool((typed.words or "").strip()) == bool(typed.picture):
        raise BadInput('Search by words or by picture: give "WORDS", or --picture IMAGE, and not both.')
    if not 0 <= typed.pool <= 1000:
        raise BadInput(f"--pool is {typed.pool}; it must lie between 0 and 1000.")
    chosen = settings.load({name: getattr(typed, name) for name in ("device", "dtype")})
    from blip2.indexes import open_index

    index = open_index(typed.index, trusted=True)
    model = typed.model or index.model.name
    from blip2.backends.local import LocalBackend  # torch from here on; what was mistyped is told before

    backend = LocalBackend([model], chosen.dtype, chosen.device)
    try:
        found = find(backend, model, index, typed)
    finally:
        backend.close()
    print(as_json(typed, index, found) if typed.json else as_text(found, by_words=not typed.picture))
    return 0


def find(backend: "Backend", model: str, index: "Index", typed: argparse.Namespace) -> "Results":
    """The results of the search that was typed."""
    from blip2 import retrieval
    from blip2.images import open_picture

    if typed.picture:
        return retrieval.by_picture(backend, model, index, open_picture(typed.picture), typed.k)
    steps = retrieval.by_words(backend, model, index, typed.words, typed.k, rerank=not typed.no_rerank, pool=typed.pool)
    *_, last = steps
    return last


def as_json(typed: argparse.Namespace, index: "Index", found: "Results") -> str:
    """All facts of each result; `likeness` by picture, else `itc` and, where ITM read it, `itm`."""
    cosine = "likeness" if typed.picture else "itc"
    rows = [
        {
            "rank": hit.rank,
            "file": hit.name,
            "score": round(hit.score, 5),
            cosine: round(hit.itc, 5),
            "itm": None if hit.itm is None else round(hit.itm, 5),
            "rank_before": hit.before,
        }
        for hit in found.hits
    ]
    asked = {"words": typed.words, "picture": typed.picture}
    told = {"index": str(typed.index), "model": index.model.name, "pictures": len(index), **asked, "results": rows}
    return json.dumps(told, ensure_ascii=False, indent=2)


def as_text(found: "Results", by_words: bool) -> str:
    """A line for each result, the best first."""
    lines = []
    for hit in found.hits:
        itm = f"ITM {hit.itm:7.2%}  " if hit.itm is not None else ""
        lines.append(f"{hit.rank:3}  {itm}{'ITC' if by_words else 'like'} {hit.itc:6.3f}  {hit.name}")
    return "\n".join(lines) or "The index has no pictures."
