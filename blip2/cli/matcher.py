"""What the commands of matching models have in common: their flags, and pictures and a model opened for them."""

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from blip2 import settings
from blip2.zoo import ROWS

if TYPE_CHECKING:
    from blip2.backends.local import LocalBackend
    from blip2.values import Picture

DEFAULT = next(row.key for row in ROWS if row.pocket and row.family == "itm")


def add_flags(parser: argparse.ArgumentParser, pictures: str) -> None:
    """Pictures (`+` or `*` of them), the model, and where it runs."""
    parser.add_argument("images", metavar="IMAGE", nargs=pictures, help="a picture's file")
    parser.add_argument("--model", metavar="MODEL", default=DEFAULT, help=f"a matching model (default: {DEFAULT})")
    settings.add_flags(parser, ("device", "dtype"))


@contextmanager
def opened(typed: argparse.Namespace) -> Iterator[tuple["LocalBackend", list["Picture"]]]:
    """The backend with the model, and the pictures. Raises what settings, pictures and the model raise."""
    chosen = settings.load({name: getattr(typed, name) for name in ("device", "dtype")})
    from blip2.backends.local import LocalBackend  # torch from here on; what was mistyped is told before
    from blip2.images import open_picture

    pictures = [open_picture(path) for path in typed.images]
    backend = LocalBackend([typed.model], chosen.dtype, chosen.device)
    try:
        yield backend, pictures
    finally:
        backend.close()
