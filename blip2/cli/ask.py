"""`ask`: questions about a picture, each a turn of one conversation.

Answers go to standard output, one a line, or all of it as JSON; what is said beside them goes to the error stream, and
progress only where that is a terminal.
"""

import argparse
import json
import shutil
import sys
from collections.abc import Sequence
from typing import Any

from blip2 import chat, settings
from blip2.backends.base import Backend
from blip2.chat import Conversation, Turn
from blip2.cli.knobs import add_decoding, decoding_of
from blip2.prompts import Mode
from blip2.settings import Settings


def add(commands: Any) -> None:
    """Add the command's parser."""
    parser = commands.add_parser(
        "ask",
        help="ask questions about a picture",
        description="Ask questions about a picture. Several questions are turns of one conversation.",
        epilog='example: python -m blip2 ask picture.png "What is this?" "What colour is it?" --json',
    )
    parser.add_argument("image", metavar="IMAGE", help="the picture's file")
    parser.add_argument("questions", metavar="QUESTION", nargs="+", help="a question; the next ones may refer to it")
    parser.add_argument("--model", metavar="MODEL", help=f"zoo row, folder or Hub id (default: {Settings().model})")
    parser.add_argument("--json", action="store_true", help="print the conversation as JSON, times in seconds")
    parser.add_argument(
        "--raw", action="store_true", help="send the text as it stands, without question and answer form"
    )
    parser.add_argument("--seed", metavar="N", type=int, default=0, help="seed of sampling (default: 0)")
    settings.add_flags(parser, ("device", "dtype", "deadline"))
    add_decoding(parser)
    parser.set_defaults(run=run)


def run(typed: argparse.Namespace) -> int:
    """Ask and print; 0. Raises what the picture, the settings and the model raise."""
    decoding = decoding_of(typed)
    chosen = settings.load({name: getattr(typed, name) for name in ("device", "dtype", "deadline")})
    model = typed.model or chosen.model
    _show(f"Loading {model} …")
    from blip2.backends.local import LocalBackend  # torch from here on; what was mistyped is told before
    from blip2.images import open_picture

    mode: Mode = "raw" if typed.raw else "chat"
    start = Conversation(model, open_picture(typed.image), decoding=decoding, seed=typed.seed, mode=mode)
    backend = LocalBackend([model], chosen.dtype, chosen.device)
    try:
        converse(backend, start, typed.questions, deadline=chosen.deadline, as_json=typed.json)
    finally:
        _show("")
        backend.close()
    return 0


def converse(
    backend: Backend,
    conversation: Conversation,
    questions: Sequence[str],
    *,
    deadline: float | None = None,
    as_json: bool = False,
) -> None:
    """Ask the questions in turn and print the answers, one a line as they come, or as one JSON object at the end."""
    for question in questions:
        for grown in chat.ask(backend, conversation, question, deadline=deadline):
            _show(f"{question}  {grown.turns[-1].answer}")
        _show("")
        conversation = grown
        turn = conversation.turns[-1]
        if turn.notice:
            print(turn.notice, file=sys.stderr)
        if not as_json:
            print(turn.answer, flush=True)
    if as_json:
        print(json.dumps(report(backend, conversation), ensure_ascii=False, indent=2))


def report(backend: Backend, conversation: Conversation) -> dict[str, Any]:
    """What `--json` prints: the model, the picture, and for each turn all that made its answer."""
    info = backend.describe(conversation.model)
    names = ("source", "revision", "dtype", "device")
    picture = conversation.picture
    return {
        "model": conversation.model,
        **{name: getattr(info, name) for name in names},
        "picture": None if picture is None else {"name": picture.name, "digest": picture.digest},
        "turns": [_turn(turn) for turn in conversation.turns],
    }


def _turn(turn: Turn) -> dict[str, Any]:
    data = turn.to_json()
    usage = data.pop("usage")
    times = {name: usage[name] for name in ("queued", "first_token", "total")}
    return {**data, "new_tokens": usage["new_tokens"], "times": times}


def _show(text: str) -> None:
    """Progress, over the line before it; empty clears it. Nothing where no one is looking."""
    if sys.stderr.isatty():
        width = shutil.get_terminal_size().columns - 1
        print(f"\r\033[K{' '.join(text.split())[-width:]}", end="", file=sys.stderr, flush=True)
