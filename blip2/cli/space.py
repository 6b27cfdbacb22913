"""`space`: how the app is hosted on Hugging Face Spaces, as the Spacefile says. It imports no torch."""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

WRONG = 1
ENDING = """\
exit codes:
  0    done, nothing is wrong
  1    something is wrong with the Space
  2    the Spacefile, or what was typed, cannot be used

example:
  python -m blip2 space check
"""


def add(commands: Any) -> None:
    """Add the command and its sub-commands."""
    space = commands.add_parser(
        "space",
        help="host the app on Hugging Face Spaces",
        description="Check what the Spacefile says of hosting the app on Hugging Face Spaces, and render it.",
        epilog=ENDING,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parts = space.add_subparsers(title="commands", metavar="COMMAND", required=True)
    check = parts.add_parser(
        "check",
        help="check the Spacefile, offline",
        description="Check the Spacefile without the network: versions against the pins, models against the zoo and "
        "the hardware's memory, variables, secrets, files and the README. The exit code is 1 if something is wrong.",
        epilog="example: python -m blip2 space check --json",
    )
    check.set_defaults(run=run_check)
    render = parts.add_parser(
        "render",
        help="write the README's front matter",
        description="Write the front matter at the top of README.md, which the Hub reads, from the Spacefile.",
        epilog="example: python -m blip2 space render",
    )
    render.set_defaults(run=run_render)
    for each in (check, render):
        each.add_argument(
            "--file", metavar="FILE", type=Path, default=Path("Spacefile"), help="the Spacefile (default: ./Spacefile)"
        )
        each.add_argument("--json", action="store_true", help="print JSON")


def run_check(typed: argparse.Namespace) -> int:
    """Check and print; 0 if all is well, else 1."""
    from blip2.space import checks, spacefile

    found = checks.check(spacefile.read(typed.file), typed.file.parent)
    ok = all(each.ok for each in found)
    if typed.json:
        print(json.dumps({"ok": ok, "checks": [each.to_json() for each in found]}, ensure_ascii=False, indent=2))
        return 0 if ok else WRONG
    for each in found:
        print(f"{'ok   ' if each.ok else 'WRONG'}  {each.name}")
        for sentence in each.wrong:
            print(f"       {sentence}")
    print("The Spacefile is right." if ok else "The Spacefile is not right.")
    return 0 if ok else WRONG


def run_render(typed: argparse.Namespace) -> int:
    """Write the README if it is not as it should be; 0."""
    from blip2.space import render, spacefile

    folder = typed.file.parent
    is_now, should_be = render.readme(spacefile.read(typed.file), folder)
    changed = is_now != should_be
    if changed:
        (folder / render.README).write_text(should_be, encoding="utf-8")
    if typed.json:
        print(json.dumps({"file": render.README, "changed": changed}))
    else:
        sys.stdout.write(f"{render.README} {'was written anew' if changed else 'is as it should be'}.\n")
    return 0
