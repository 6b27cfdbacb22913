"""`pocket report`: how right the bundled models are, on scenes that they were never trained on."""

import argparse
from pathlib import Path
from typing import Any

SCENES, SEED = 2000, 2026
MODELS = ("opt", "t5", "itm")


def add(commands: Any) -> None:
    """Add the command and its one sub-command."""
    pocket = commands.add_parser(
        "pocket",
        help="measure the bundled models",
        description="About the bundled models.",
        epilog="example: python -m blip2 pocket report --scenes 200",
    )
    parser = pocket.add_subparsers(title="commands", metavar="COMMAND", required=True).add_parser(
        "report",
        help="their accuracy on fresh scenes",
        description="Draw fresh scenes, ask the bundled models about them and print the shares of right answers.",
        epilog="example: python -m blip2 pocket report --scenes 200 --json",
    )
    parser.add_argument("--scenes", metavar="N", type=int, default=SCENES, help=f"scenes to draw (default: {SCENES})")
    parser.add_argument(
        "--seed", metavar="S", type=int, default=SEED, help=f"which scenes and questions (default: {SEED})"
    )
    parser.add_argument("--json", action="store_true", help="print JSON instead of tables")
    parser.add_argument("--photos", metavar="DIR", type=Path, help="photographs, to see how many are told from scenes")
    parser.add_argument("--committed", action="store_true", help="ask about the committed scenes; needs no emoji font")
    parser.add_argument("--only", nargs="+", choices=MODELS, default=MODELS, help="only these models")
    parser.add_argument("--mistakes", metavar="FILE", type=Path, help="write every wrong answer to this file, as JSON")
    parser.set_defaults(run=run)


def run(typed: argparse.Namespace) -> int:
    """Measure and print; 0."""
    from blip2.pocket import report  # torch is not needed for --help

    return report.run(typed)
