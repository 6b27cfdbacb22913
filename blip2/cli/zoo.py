"""`zoo`: the models there are, as a table or as JSON. It imports no torch and opens no weights."""

import argparse
import json
from typing import Any

from blip2 import zoo


def add(commands: Any) -> None:
    """Add the command's parser."""
    parser = commands.add_parser(
        "zoo", help="list the models", description="List the models.", epilog="example: python -m blip2 zoo --json"
    )
    parser.add_argument("--json", action="store_true", help="print the rows as JSON, memory in bytes")
    parser.set_defaults(run=run)


def run(typed: argparse.Namespace) -> int:
    """Print the rows; 0."""
    print(json.dumps(zoo.to_json(), indent=2) if typed.json else zoo.table())
    return 0
