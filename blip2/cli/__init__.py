"""The command line: `python -m blip2 COMMAND`, or `blip2 COMMAND` where the package is installed.

One module a command: each adds its parser and runs with what was typed. What goes wrong is one sentence on the error
stream, never a traceback. Nothing here imports torch before a command needs it.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

import blip2
from blip2.cli import (
    ask,
    bench,
    caption,
    doctor,
    evaluate,
    features,
    index,
    key,
    match,
    password,
    pocket,
    replay,
    search,
    serve,
    space,
    votes,
    zoo,
)
from blip2.errors import BadInput, BadSetting, Blip2Error, UnknownModel

DONE, FAILED, BAD_INPUT, INTERRUPTED = 0, 1, 2, 130
COMMANDS = (
    zoo,
    doctor,
    ask,
    caption,
    match,
    features,
    index,
    search,
    replay,
    pocket,
    evaluate,
    bench,
    votes,
    serve,
    space,
    key,
    password,
)
ENDING = """\
exit codes:
  0    done
  1    the model cannot run here, or a check found something wrong
  2    what was typed or sent cannot be used
  130  interrupted

example:
  python -m blip2 ask picture.png "What is in the picture?" "Why?"
"""


class Help(argparse.HelpFormatter):
    """Breaks the lines of what is read, but none of an example, which is copied."""

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        return text if text.startswith(("example", "exit codes")) else super()._fill_text(text, width, indent)


class Parser(argparse.ArgumentParser):
    """Takes flags by their whole names, and says what is wrong with the arguments in a sentence."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options, formatter_class=Help, allow_abbrev=False)

    def error(self, message: str) -> NoReturn:
        raise BadSetting(f"{message[:1].upper()}{message[1:]}; `{self.prog} --help` shows what can be given.")


def parser() -> argparse.ArgumentParser:
    """The parser of all commands; `run` in what it returns takes the arguments and returns the exit code."""
    made = Parser(
        prog="python -m blip2",
        description="Talk about pictures with BLIP-2.",
        epilog=ENDING,
    )
    made.add_argument("--version", action="version", version=f"blip2 {blip2.__version__}")
    commands = made.add_subparsers(title="commands", metavar="COMMAND", required=True, parser_class=Parser)
    for command in COMMANDS:
        command.add(commands)
    return made


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit code."""
    try:
        typed = parser().parse_args(arguments)
        code: int = typed.run(typed)
        sys.stdout.flush()
        return code
    except (BadInput, UnknownModel) as error:
        return _sorry(error, BAD_INPUT)
    except Blip2Error as error:
        return _sorry(error, FAILED)
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:  # the reader, such as `head`, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return DONE
    except Exception as error:
        if sys.flags.dev_mode:
            raise
        what = f"{type(error).__name__}: {error}"
        return _sorry(f"The program failed ({what}); `python -X dev -m blip2 …` shows where. Please report it.", FAILED)


def _sorry(what: object, code: int) -> int:
    print(what, file=sys.stderr)
    return code
