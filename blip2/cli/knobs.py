"""The decoding flags that commands which write answers share."""

import argparse
from dataclasses import fields

from blip2 import settings
from blip2.values import METHODS, RANGES, Decoding

KNOBS = tuple(each for each in fields(Decoding) if each.name in RANGES and each.name != "num_return")


def add_decoding(parser: argparse.ArgumentParser) -> None:
    """Give the parser a flag for the method and for each setting with a range."""
    group = parser.add_argument_group("decoding")
    group.add_argument("--method", choices=METHODS, default=Decoding().method, help="how the answer is searched for")
    for each in KNOBS:
        low, high = RANGES[each.name]
        group.add_argument(
            settings.flag(each.name),
            metavar="N",
            type=type(each.default),
            default=each.default,
            help=f"{low:g} to {high:g} (default: {each.default:g})",
        )


def decoding_of(typed: argparse.Namespace, num_return: int = 1) -> Decoding:
    """What was typed. Raises `BadSetting`."""
    return Decoding(typed.method, **{each.name: getattr(typed, each.name) for each in KNOBS}, num_return=num_return)
