"""The results of matching for taking away: CSV with a line for each pair, and JSON. It knows no model and no page."""

from collections.abc import Iterable, Sequence
from typing import Any

from blip2.matching import Label
from blip2.spreadsheets import csv_text
from blip2.values import Match

PAIRS = ("picture", "text", "itm", "itc")
LABELS = ("picture", "label", "text", "share", "itm", "itc")
DIGITS = 6


def pairs_csv(names: Sequence[str], texts: Sequence[str], made: Match) -> str:
    """A line for each picture and text, in the order given."""
    lines = (
        (name, text, round(float(made.itm[row, column]), DIGITS), round(float(made.itc[row, column]), DIGITS))
        for row, name in enumerate(names)
        for column, text in enumerate(texts)
    )
    return csv_text(PAIRS, lines)


def labels_csv(found: Iterable[tuple[str, Sequence[Label]]]) -> str:
    """A line for each label of each picture, the likeliest first."""
    lines = (
        (name, each.name, each.text, *(round(value, DIGITS) for value in (each.share, each.itm, each.itc)))
        for name, labels in found
        for each in labels
    )
    return csv_text(LABELS, lines)


def labels_json(found: Sequence[Label]) -> list[dict[str, Any]]:
    """The labels as plain values, the likeliest first."""
    return [
        {"label": each.name, "text": each.text, "share": each.share, "itm": each.itm, "itc": each.itc} for each in found
    ]
