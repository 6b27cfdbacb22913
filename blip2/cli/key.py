"""`key`: make an API key. It is shown once; the file keeps only its hash."""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from blip2.errors import BadSetting


def add(commands: Any) -> None:
    """Add the command's parser."""
    parser = commands.add_parser(
        "key",
        help="make an API key",
        description="Make an API key and print it, once. With --file its line, which holds the key's hash alone, is "
        "added there for `serve --api-keys-file`; without, the line goes to the error stream.",
        epilog="example: python -m blip2 key ada --file keys.txt --rate 60",
    )
    parser.add_argument("name", metavar="NAME", help="whose key it is, for the log")
    parser.add_argument("--file", metavar="FILE", type=Path, help="file of keys to add the line to")
    parser.add_argument("--rate", metavar="N", type=int, help="requests a minute for this key (default: the server's)")
    parser.add_argument("--json", action="store_true", help="print name, key and line as JSON")
    parser.set_defaults(run=run)


def run(typed: argparse.Namespace) -> int:
    """Make the key, add its line, print it; 0."""
    from blip2.api.keys import make_key

    key, line = make_key(typed.name, typed.rate)
    if typed.file is not None:
        append(typed.file, line)
    elif not typed.json:
        print(f"Line for the file of keys: {line}", file=sys.stderr)
    print(json.dumps({"name": typed.name, "key": key, "line": line}) if typed.json else key)
    return 0


def append(path: Path, line: str, what: str = "file of API keys") -> None:
    """Add a line to the file, which only its owner can read from then on if it is new. Raises `BadSetting`."""
    try:
        text = path.read_text(encoding="utf-8") if path.exists() else ""
        if not path.exists():
            path.touch(mode=0o600)
        with path.open("a", encoding="utf-8") as file:
            file.write(("" if not text or text.endswith("\n") else "\n") + line + "\n")
    except (OSError, UnicodeDecodeError) as error:
        raise BadSetting(f"The {what} {str(path)!r} cannot be written: {error}.") from error
