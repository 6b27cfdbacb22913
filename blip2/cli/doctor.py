"""`doctor`: whether a model, on this machine, is what it should be; it ends with a one-line verdict."""

import argparse
import json
from pathlib import Path
from typing import Any

from blip2 import settings, zoo
from blip2.errors import BadSetting
from blip2.settings import Settings


def add(commands: Any) -> None:
    """Add the command's parser."""
    parser = commands.add_parser(
        "doctor",
        help="check a model and this machine",
        description="Load a model, run its self-check, and compare its answers with known ones where there are any. "
        "The exit code is 1 if something is wrong.",
        epilog="example: python -m blip2 doctor --model blip2_opt/pretrain_opt2.7b --pictures pictures",
    )
    parser.add_argument("--model", metavar="MODEL", help=f"zoo row, folder or Hub id (default: {Settings().model})")
    parser.add_argument("--json", action="store_true", help="print all that was found as JSON")
    parser.add_argument("--pictures", metavar="DIR", type=Path, help="folder with the pictures of published answers")
    settings.add_flags(parser, ("device", "dtype"))
    parser.set_defaults(run=run)


def run(typed: argparse.Namespace) -> int:
    """Check and print; 0 if all is well, else 1."""
    chosen = settings.load({name: getattr(typed, name) for name in ("device", "dtype")})
    model = zoo.find(typed.model or chosen.model).key
    if typed.pictures is not None and not typed.pictures.is_dir():
        raise BadSetting(f"There is no folder {str(typed.pictures)!r}; give one with the pictures in it.")
    from blip2 import doctor  # torch from here on

    found = doctor.report(model, chosen.dtype, chosen.device, typed.pictures)
    print(json.dumps(found, ensure_ascii=False, indent=2) if typed.json else doctor.render(found))
    return 0 if found["ok"] else 1
