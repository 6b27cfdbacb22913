"""`match`: how well texts match pictures, as ITM probabilities and ITC cosines."""

import argparse
import json
from typing import TYPE_CHECKING, Any

from blip2 import settings
from blip2.zoo import ROWS

if TYPE_CHECKING:
    from blip2.values import Match, Picture

DEFAULT = next(row.key for row in ROWS if row.pocket and row.family == "itm")


def add(commands: Any) -> None:
    """Add the command's parser."""
    parser = commands.add_parser(
        "match",
        help="match pictures with texts",
        description="Compare every picture with every text. ITM is the probability that the two belong together, read "
        "by the Q-Former from both; ITC the cosine of their features, each made alone.",
        epilog='example: python -m blip2 match photo.jpg --text "a dog on a beach" --text "a cat in a room"',
    )
    parser.add_argument("images", metavar="IMAGE", nargs="+", help="a picture's file")
    parser.add_argument("--text", metavar="TEXT", action="append", required=True, help="a text; give it again for more")
    parser.add_argument("--model", metavar="MODEL", default=DEFAULT, help=f"a matching model (default: {DEFAULT})")
    parser.add_argument("--json", action="store_true", help="print the matrices as JSON, a row for each picture")
    settings.add_flags(parser, ("device", "dtype"))
    parser.set_defaults(run=run)


def run(typed: argparse.Namespace) -> int:
    """Compare and print; 0. Raises what pictures, texts and the model raise."""
    chosen = settings.load({name: getattr(typed, name) for name in ("device", "dtype")})
    from blip2.backends.local import LocalBackend  # torch from here on; what was mistyped is told before
    from blip2.images import open_picture
    from blip2.matching import match

    pictures = [open_picture(path) for path in typed.images]
    backend = LocalBackend([typed.model], chosen.dtype, chosen.device)
    try:
        made = match(backend, typed.model, pictures, typed.text)
    finally:
        backend.close()
    print(as_json(typed, pictures, made) if typed.json else as_table(typed.images, typed.text, made))
    return 0


def as_json(typed: argparse.Namespace, pictures: list["Picture"], made: "Match") -> str:
    """The matrices, with the pictures' names and digests."""
    named = [{"file": path, "digest": each.digest} for path, each in zip(typed.images, pictures, strict=True)]
    data = {"model": typed.model, "images": named, "texts": typed.text}
    return json.dumps(data | {"itm": made.itm.tolist(), "itc": made.itc.tolist()}, ensure_ascii=False, indent=2)


def as_table(images: list[str], texts: list[str], made: "Match") -> str:
    """For each picture its texts, the best first by ITM."""
    lines = []
    for row, path in enumerate(images):
        lines += [path] if len(images) > 1 else []
        for column in made.itm[row].argsort()[::-1]:
            lines.append(f"ITM {made.itm[row][column]:7.2%}  ITC {made.itc[row][column]:6.3f}  {texts[column]}")
    return "\n".join(lines)
