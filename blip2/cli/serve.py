"""`serve`: the web page, with the models of the settings, until it is told to stop."""

import argparse
import logging
from typing import Any

from blip2 import settings
from blip2.settings import Settings


def add(commands: Any) -> None:
    """Add the command's parser: a flag for every setting."""
    parser = commands.add_parser(
        "serve",
        help="open the web page",
        description="Open the web page. Every flag can be given as a variable too: --port as BLIP2_PORT.",
        epilog="example: python -m blip2 serve --models blip2_opt/pretrain_opt2.7b --port 8000",
    )
    settings.add_flags(parser)
    parser.set_defaults(run=run)


def run(typed: argparse.Namespace) -> int:
    """Serve until Ctrl-C or SIGTERM; 0."""
    serve(settings.load({name: value for name, value in vars(typed).items() if name != "run"}))
    return 0


def serve(chosen: Settings) -> None:
    """Load the models, then open the page."""
    logging.basicConfig(level=chosen.log_level.upper())
    from blip2.backends.local import LocalBackend  # torch and gradio are not needed for --help
    from blip2.ui.shell import launch

    backend = LocalBackend(
        chosen.models,
        chosen.dtype,
        chosen.device,
        cache_bytes=chosen.cache_mb << 20,
        max_waiting=chosen.max_waiting,
    )
    launch(chosen, backend)
