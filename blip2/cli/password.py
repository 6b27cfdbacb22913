"""`password`: make the line that lets a person sign in to the page. The password is never part of the command."""

import argparse
import getpass
import sys
from pathlib import Path
from typing import Any


def add(commands: Any) -> None:
    """Add the command's parser."""
    parser = commands.add_parser(
        "password",
        help="let a person sign in to the page",
        description="Ask for a person's password, or read its line from the input, and make the line with its hash for "
        "`serve --auth-file`. With --file the line is added there; without, it is printed.",
        epilog="example: python -m blip2 password ada --file people.txt",
    )
    parser.add_argument("name", metavar="NAME", help="the name to sign in with")
    parser.add_argument("--file", metavar="FILE", type=Path, help="file of names to add the line to")
    parser.set_defaults(run=run)


def run(typed: argparse.Namespace) -> int:
    """Read the password, add or print the line; 0."""
    from blip2.cli.key import append
    from blip2.errors import BadInput
    from blip2.people import make_line, read_people

    if sys.stdin.isatty():
        password = getpass.getpass(f"Password for {typed.name}: ")
        if getpass.getpass("Once more: ") != password:
            raise BadInput("The two passwords differ; type the same one twice.")
    else:
        password = sys.stdin.readline().rstrip("\r\n")
    line = make_line(typed.name, password)
    if typed.file is None:
        print(line)
        return 0
    if typed.file.exists() and typed.name in read_people(typed.file).secrets:
        raise BadInput(f"{typed.name!r} is in the file {str(typed.file)!r} already; take that line out first.")
    append(typed.file, line, "file of names")
    print(f"{typed.name} may sign in.")
    return 0
