"""CSV that is safe to open in a spreadsheet. It knows nothing of what the cells mean.

A cell that a spreadsheet would take for a formula gets an apostrophe before it, since texts come from visitors, models
and names of files.
"""

import csv
import io
from collections.abc import Iterable, Sequence

FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")  # what spreadsheets may take for the start of one


def csv_text(head: Sequence[str], lines: Iterable[Iterable[object]]) -> str:
    """A whole CSV file, its lines ended as RFC 4180 says."""
    return csv_line(head) + "".join(csv_line(line) for line in lines)


def csv_line(cells: Iterable[object]) -> str:
    """One line of it, its end included."""
    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n").writerow([cell(value) for value in cells])
    return out.getvalue()


def cell(value: object) -> object:
    """`value`, made harmless if it is text that a spreadsheet would calculate."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA) else value
