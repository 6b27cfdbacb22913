"""`replay`: a saved conversation asked again, turn by turn, to see whether the answers are the same."""

import argparse
import json
from pathlib import Path
from typing import Any

from blip2 import settings
from blip2.chat import Conversation
from blip2.errors import BadInput


def add(commands: Any) -> None:
    """Add the command's parser."""
    parser = commands.add_parser(
        "replay",
        help="ask a saved conversation again",
        description="Send the prompts of a saved conversation again, with the models, decoding and seeds it names. "
        "The exit code is 1 if an answer is not the same.",
        epilog="example: python -m blip2 replay conversation.json",
    )
    parser.add_argument("file", metavar="FILE", help="a conversation that the page saved as JSON")
    parser.add_argument("--picture", metavar="IMAGE", help="the picture, where the file does not hold it")
    parser.add_argument("--json", action="store_true", help="print the outcomes as JSON")
    settings.add_flags(parser, ("device", "dtype", "deadline"))
    parser.set_defaults(run=run)


def run(typed: argparse.Namespace) -> int:
    """Ask again and print; 0 if every answer that was not interrupted is the same, else 1."""
    chosen = settings.load({name: getattr(typed, name) for name in ("device", "dtype", "deadline")})
    try:
        text = Path(typed.file).read_bytes()
    except OSError as error:
        raise BadInput(f"The file {typed.file!r} cannot be read ({error.strerror}); check the path.") from None
    from blip2.backends.local import LocalBackend  # torch from here on
    from blip2.images import open_picture
    from blip2.replay import replay
    from blip2.transcript import from_json

    talk = from_json(text, open_picture(typed.picture) if typed.picture else None)
    dtype = chosen.dtype if typed.dtype else _recorded_dtype(talk) or chosen.dtype
    backend = LocalBackend(list(dict.fromkeys(turn.model for turn in talk.turns)), dtype, chosen.device)
    outcomes = []
    try:
        for item in replay(backend, talk, deadline=chosen.deadline):
            outcomes.append(item.to_json())
            if not typed.json:
                again = f" -> {item.answer}" if item.outcome == "different" else ""
                note = f" ({item.note})" if item.note else ""
                print(f"{item.outcome}: {item.turn.question} {item.turn.answer}{again}{note}", flush=True)
    finally:
        backend.close()
    if typed.json:
        print(json.dumps(outcomes, ensure_ascii=False, indent=2))
    return int(any(item["outcome"] == "different" for item in outcomes))


def _recorded_dtype(talk: Conversation) -> str:
    """The dtype that all turns were answered in, or empty."""
    found = {turn.dtype for turn in talk.turns}
    return found.pop() if len(found) == 1 else ""
