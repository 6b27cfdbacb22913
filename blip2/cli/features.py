"""`features`: the Q-Former's features of pictures, texts or pairs, as a NumPy archive or JSON."""

import argparse
import json
from pathlib import Path
from typing import Any

from blip2.cli import matcher
from blip2.errors import BadSetting

MODES = ("image", "text", "multimodal")


def add(commands: Any) -> None:
    """Add the command's parser."""
    parser = commands.add_parser(
        "features",
        help="extract features",
        description="Features of pictures, of texts, or of picture i with text i, raw and projected, as LAVIS's "
        "extract_features gives them. Without --out their shapes are printed.",
        epilog='example: python -m blip2 features photo.jpg --text "a dog on a beach" --out features.npz',
    )
    matcher.add_flags(parser, "*")
    parser.add_argument("--text", metavar="TEXT", action="append", default=[], help="a text; give it again for more")
    parser.add_argument("--mode", choices=MODES, help="what of (default: what was given; both: multimodal)")
    parser.add_argument("--out", metavar="FILE", type=Path, help="write a NumPy archive (.npz) there")
    parser.add_argument("--json", action="store_true", help="print shapes and values as JSON")
    parser.set_defaults(run=run)


def run(typed: argparse.Namespace) -> int:
    """Extract, write and print; 0. Raises what pictures, texts and the model raise."""
    if not typed.images and not typed.text:
        raise BadSetting("There is nothing to make features of; give a picture's file, or --text.")
    with matcher.opened(typed) as (backend, pictures):
        from blip2.features import MEANING, arrays, extract, save_npz, to_json

        made = extract(backend, typed.model, pictures, typed.text, typed.mode)
    if typed.out is not None:
        save_npz(made, typed.out, images=typed.images, texts=typed.text)
    if typed.json:
        head = {"model": typed.model, "images": typed.images, "texts": typed.text}
        print(json.dumps(head | {"features": to_json(made)}))
    else:
        for name, array in arrays(made).items():
            print(f"{name:18} {list(array.shape)!s:16} {MEANING[name]}")
    return 0
