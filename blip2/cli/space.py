"""`space`: how the app is hosted on Hugging Face Spaces, as the Spacefile says. It imports no torch."""

import argparse
import json
import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from blip2.space.push import Pusher

FAILED, DIFFERS = 1, 3
ENDING = """\
exit codes:
  0    done: nothing is wrong, or the Space is as the Spacefile says
  1    something is wrong with the Spacefile, the Hub refused, or the Space does not run
  2    the Spacefile, or what was typed, cannot be used
  3    plan: the Space differs from the Spacefile

example:
  python -m blip2 space check
"""
TOKEN = "The token comes from HF_TOKEN, or from the file of --token-file, and is never shown."
PARTS: dict[str, tuple[str, str]] = {
    "check": (
        "check the Spacefile, offline",
        "Check the Spacefile without the network: versions against the pins, models against the zoo and the hardware's "
        "memory, variables, secrets, files and the README. The exit code is 1 if something is wrong.",
    ),
    "render": (
        "write the README's front matter",
        "Write the front matter at the top of README.md, which the Hub reads, from the Spacefile.",
    ),
    "plan": (
        "show what a push would change",
        "Compare the Spacefile with the Space as it is, and change nothing. The exit code is 3 if they differ. "
        + TOKEN,
    ),
    "push": (
        "make or change the Space, and try it out",
        "Make the Space or change what differs, wait until it runs, and ask it the Spacefile's question. Secrets that "
        "the Space lacks are taken from the environment. " + TOKEN,
    ),
}


def add(commands: Any) -> None:
    """Add the command and its sub-commands."""
    space = commands.add_parser(
        "space",
        help="host the app on Hugging Face Spaces",
        description="Host the app on Hugging Face Spaces, as the Spacefile says.",
        epilog=ENDING,
    )
    parts = space.add_subparsers(title="commands", metavar="COMMAND", required=True)
    runs = {"check": run_check, "render": run_render, "plan": run_plan, "push": run_push}
    for name, (about, description) in PARTS.items():
        part = parts.add_parser(
            name, help=about, description=description, epilog=f"example: python -m blip2 space {name} --json"
        )
        part.add_argument(
            "--file", metavar="FILE", type=Path, default=Path("Spacefile"), help="the Spacefile (default: ./Spacefile)"
        )
        part.add_argument("--json", action="store_true", help="print JSON")
        if name in ("plan", "push"):
            part.add_argument(
                "--repo", metavar="OWNER/NAME", help="another Space than the Spacefile's (default: its owner and name)"
            )
            part.add_argument("--token-file", metavar="FILE", type=Path, help="a file that holds the Hub's token")
        part.set_defaults(run=runs[name])


def run_check(typed: argparse.Namespace) -> int:
    """Check and print; 0 if all is well, else 1."""
    from blip2.space import checks, spacefile

    found = checks.check(spacefile.read(typed.file), typed.file.parent)
    ok = all(each.ok for each in found)
    if typed.json:
        _print({"ok": ok, "checks": [each.to_json() for each in found]})
        return 0 if ok else FAILED
    for each in found:
        print(f"{'ok   ' if each.ok else 'WRONG'}  {each.name}")
        for sentence in each.wrong:
            print(f"       {sentence}")
    print("The Spacefile is right." if ok else "The Spacefile is not right.")
    return 0 if ok else FAILED


def run_render(typed: argparse.Namespace) -> int:
    """Write the README if it is not as it should be; 0."""
    from blip2.space import render, spacefile

    folder = typed.file.parent
    is_now, should_be = render.readme(spacefile.read(typed.file), folder)
    changed = is_now != should_be
    if changed:
        (folder / render.README).write_text(should_be, encoding="utf-8")
    if typed.json:
        _print({"file": render.README, "changed": changed})
    else:
        print(f"{render.README} {'was written anew' if changed else 'is as it should be'}.")
    return 0


def run_plan(typed: argparse.Namespace) -> int:
    """Print what a push would change; 0 if nothing, else 3."""
    from blip2.space.plan import lines

    pusher = _pusher(typed)
    live, _, changes = pusher.plan()
    if typed.json:
        found = {"repo": pusher.repo, "exists": live is not None, "differs": bool(changes)}
        _print(found | {"changes": [each.to_json() for each in changes]})
    else:
        print("\n".join(lines(changes)) or f"{pusher.repo} is as the Spacefile says.")
    return DIFFERS if changes else 0


def run_push(typed: argparse.Namespace) -> int:
    """Push, wait, try out and print; 0."""
    from blip2.space.plan import lines

    pusher = _pusher(typed)
    done = pusher.push(os.environ)
    if typed.json:
        _print(done.to_json())
        return 0
    print("\n".join(lines(done.changes)) or f"{done.repo} was as the Spacefile says.")
    print(f"{done.url} answers {done.tried.question!r} with {done.tried.answer!r} in {done.tried.seconds:.1f} s.")
    return 0


def _pusher(typed: argparse.Namespace) -> "Pusher":
    from blip2.errors import BadSetting
    from blip2.space import spacefile
    from blip2.space.hub import Hub, token_of
    from blip2.space.push import Pusher

    declared = spacefile.read(typed.file)
    if typed.repo and not re.fullmatch(r"[\w.-]+/[\w.-]+", typed.repo):
        raise BadSetting(f"--repo is {typed.repo!r}; write it as OWNER/NAME.")
    hub = Hub(token_of(typed.token_file, os.environ))
    full = typed.repo or f"{declared.space.owner or hub.account()}/{declared.space.name}"
    return Pusher(hub, declared, typed.file.parent, full, say=_say)


def _say(text: str) -> None:
    """How far it is; nothing where no one is looking."""
    if sys.stderr.isatty():
        print(f"{text} …", file=sys.stderr, flush=True)


def _print(data: dict[str, Any]) -> None:
    print(json.dumps(data, ensure_ascii=False, indent=2))
