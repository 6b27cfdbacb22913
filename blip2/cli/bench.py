"""`bench`: how fast the engine is beside stock transformers, in one run on this machine."""

import argparse
from pathlib import Path
from typing import Any

from blip2 import settings


def add(commands: Any) -> None:
    """Add the command's parser."""
    parser = commands.add_parser(
        "bench",
        help="measure the engine beside stock transformers",
        description="Measure turns, visitors, captions and matching beside stock transformers, in one run. "
        "Prints a card, and one line of JSON last.",
        epilog="example: python -m blip2 bench --quick --out bench",
    )
    parser.add_argument(
        "--shape",
        metavar="NAME",
        action="append",
        default=[],
        help="bench-opt, bench-t5, bench-itm (these three by default), opt2.7b, opt6.7b, flant5xl, flant5xxl or "
        "itm-vit-g with random weights, pocket-opt, pocket-t5, pocket-itm, or a zoo row; may be repeated",
    )
    parser.add_argument("--quick", action="store_true", help="fewer repetitions: within five minutes on two cores")
    parser.add_argument("--out", metavar="DIR", type=Path, help="draw plots into this folder")
    settings.add_flags(parser, ("device", "dtype"))
    parser.set_defaults(run=run)


def run(typed: argparse.Namespace) -> int:
    """Run the benchmark; 1 if any answer differed between the peers."""
    from blip2.bench.run import main
    from blip2.quantize import place_of

    place = place_of(typed.device or "auto")
    default = "bfloat16" if place.kind == "cuda" else "float32"
    dtype = typed.dtype if typed.dtype not in (None, "auto") else default
    return main(typed.shape, typed.quick, str(place.device), dtype, typed.out)
