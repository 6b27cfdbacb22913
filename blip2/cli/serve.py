"""`serve`: the web page and the HTTP API, with the models of the settings, until it is told to stop."""

import argparse
import functools
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from blip2 import settings
from blip2.errors import BadSetting
from blip2.settings import Settings

if TYPE_CHECKING:
    from blip2.backends.base import Backend


def add(commands: Any) -> None:
    """Add the command's parser: a flag for every setting."""
    parser = commands.add_parser(
        "serve",
        help="open the web page and the HTTP API",
        description="Open the web page, and the HTTP API under /v1 on the same port. Every flag of a setting can be "
        "given as a variable too: --port as BLIP2_PORT. A Spacefile in this folder says what its limits are otherwise.",
        epilog="example: python -m blip2 serve --models blip2_opt/pretrain_opt2.7b --port 8000",
    )
    parser.add_argument("--no-ui", action="store_true", help="serve the API alone, without the page")
    settings.add_flags(parser)
    parser.set_defaults(run=run)


def run(typed: argparse.Namespace) -> int:
    """Serve until Ctrl-C or SIGTERM; 0."""
    given = {name: value for name, value in vars(typed).items() if name not in ("run", "no_ui")}
    chosen = settled(given)
    if typed.no_ui and chosen.share:
        raise BadSetting("With --no-ui there is no page to share; leave out --share or --no-ui.")
    serve(chosen, page=not typed.no_ui)
    return 0


def settled(flags: Mapping[str, Any]) -> Settings:
    """The settings of a studio that serves: those of `settings.load`, and the limits of a Spacefile in this folder."""
    from blip2.space.spacefile import NAME, limits_in

    return settings.load(flags, limits=limits_in(Path(NAME)))


def serve(chosen: Settings, page: bool = True) -> None:
    """Load the models, and serve the page with the API beside it, or the API alone."""
    backend = opened(chosen)  # first of all: a lender of GPUs must be there before anything touches CUDA
    from blip2.api import journal  # torch, gradio and FastAPI are not needed for --help
    from blip2.api import server as api

    journal.configure(chosen)
    if not page:
        api.serve(chosen, backend)
        return
    from blip2.ui.shell import launch

    launch(chosen, backend)


def opened(chosen: Settings) -> "Backend":
    """The backend that the settings ask for: models on this machine, or on GPUs that are lent for each call."""
    if chosen.zerogpu:
        from blip2.backends.lending import lender

        lend = lender(chosen.gpu_seconds)
        from blip2.backends.zerogpu import ZeroGpuBackend

        return ZeroGpuBackend(
            lend,
            chosen.models,
            chosen.dtype,
            chosen.device,
            seconds=chosen.gpu_seconds,
            allow=chosen.allow,
            cache_bytes=chosen.cache_mb << 20,
            max_waiting=chosen.max_waiting,
        )
    from blip2.backends.local import LocalBackend

    return LocalBackend(
        chosen.models,
        chosen.dtype,
        chosen.device,
        allow=chosen.allow,
        cache_bytes=chosen.cache_mb << 20,
        max_rows=settings.BATCH,
        max_waiting=chosen.max_waiting,
        warm_up=functools.partial(print, flush=True) if chosen.warm_up else None,
    )
