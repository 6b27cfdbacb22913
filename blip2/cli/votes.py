"""`votes`: what the visitors' votes between models say, as text, JSON or CSV. It imports no torch."""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from blip2 import settings


def add(commands: Any) -> None:
    """Add the command's parser."""
    parser = commands.add_parser(
        "votes",
        help="show what the votes between models say",
        description="Show how often each model won against each other one in the page's Compare tab.",
        epilog="example: python -m blip2 votes --csv > votes.csv",
    )
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="print JSON")
    form.add_argument("--csv", action="store_true", help="print CSV, safe to open in a spreadsheet")
    parser.add_argument("--each", action="store_true", help="every single vote instead of the counts (as JSON or CSV)")
    settings.add_flags(parser, ("data",))
    parser.set_defaults(run=run)


def run(typed: argparse.Namespace) -> int:
    """Print the tally, or the votes; 0."""
    from blip2 import vote_tables, votes

    book = votes.VoteBook(Path(settings.load({"data": typed.data}).data) / votes.FILE)
    if typed.each and typed.json:
        text = json.dumps([vote.to_json() for vote in book.votes()], ensure_ascii=False, indent=2) + "\n"
    elif typed.each:
        text = vote_tables.votes_csv(book.votes())
    elif typed.json:
        text = json.dumps(book.tally().to_json(), indent=2) + "\n"
    else:
        tally = book.tally()
        text = vote_tables.tally_csv(tally) if typed.csv else vote_tables.tally_text(tally) + "\n"
    sys.stdout.write(text)
    return 0
