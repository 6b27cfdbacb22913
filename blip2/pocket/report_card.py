"""The accuracy report for people: Markdown tables that read well in a terminal too. Knows only the report's JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["card"]

_ROWS = (
    ("all", "Questions, all types", "all"),
    ("worst_type", "… the worst type", None),
    ("history", "Follow-ups, with the history", "history"),
    ("history_withheld", "… with the history withheld", "history_withheld"),
    ("unseen_wordings", "Wordings never trained on", "unseen_wordings"),
    ("unknowable", "Questions without an answer", "unknowable"),
    ("captions", "Captions: things, colours, counts", "captions"),
    ("captions_with_place", "… and the place", "captions_with_place"),
)
_TITLES = {"opt": "Pocket OPT", "t5": "Pocket FlanT5"}


def percent(share: float | None) -> str:
    """.978 -> "97.8%"."""
    return "-" if share is None else f"{share:.1%}"


def _table(head: list[str], rows: list[list[str]]) -> str:
    """A Markdown table with its columns padded; the first column is text, the rest numbers."""
    widths = [max(len(row[at]) for row in [head, *rows]) for at in range(len(head))]

    def line(cells: list[str]) -> str:
        padded = [c.ljust(w) if at == 0 else c.rjust(w) for at, (c, w) in enumerate(zip(cells, widths, strict=True))]
        return f"| {' | '.join(padded)} |"

    rule = "|".join("-" * (w + 2) if at == 0 else "-" * (w + 1) + ":" for at, w in enumerate(widths))
    return "\n".join([line(head), f"|{rule}|", *map(line, rows)])


def _summary(made: Mapping[str, Any], keys: list[str]) -> str:
    rows = []
    for name, title, n in _ROWS:
        cells = [title]
        for key in keys:
            extra = f" ({made[key]['worst_type_name']})" if name == "worst_type" else ""
            cells.append(percent(made[key][name]) + extra)
        cells.append(str(made[keys[0]]["n"][n]) if n else "")
        rows.append(cells)
    return _table(["Share right", *(_TITLES[key] for key in keys), "of"], rows)


def _turns(made: Mapping[str, Any], keys: list[str]) -> str:
    turns = max(len(made[key]["by_turn"]) for key in keys)
    rows = [[_TITLES[key], *map(percent, made[key]["by_turn"])] for key in keys]
    return _table(["Turn", *(str(turn + 1) for turn in range(turns))], rows)


def _types(made: Mapping[str, Any], keys: list[str]) -> str:
    names = sorted({name for key in keys for name in made[key]["by_type"]})
    rows = []
    for name in names:
        counts = [made[key]["n"]["by_type"].get(name, 0) for key in keys]
        rows.append([name, *(percent(made[key]["by_type"].get(name)) for key in keys), str(max(counts))])
    return _table(["Type of question", *(_TITLES[key] for key in keys), "of"], rows)


def _matching(made: Mapping[str, Any]) -> str:
    itm, itc = made["itm"], made["itc"]
    rows = [["Hard negatives, one word swapped (ITM)", percent(itm["hard_negatives"]), str(itm["n"]["hard_negatives"])]]
    rows += [[f"… {kind}", percent(share), str(itm["n"]["by_kind"][kind])] for kind, share in itm["by_kind"].items()]
    rows.append([f"Text finds its scene among {itc['group']} (ITC)", percent(itc["r1_of_100"]), str(itc["n"])])
    rows.append(["… scene finds its text", percent(itc["r1_image_to_text"]), str(itc["n"])])
    return _table(["Pocket matching", "Share right", "of"], rows)


def _photos(photos: Mapping[str, Any]) -> str:
    rows = [
        ["Photographs noticed", percent(photos["noticed"]), str(photos["n"]["photos"])],
        ["Scenes refused", percent(photos["scenes_refused"]), str(photos["n"]["scenes"])],
    ]
    return _table(["Photographs", "Share", "of"], rows)


def card(made: Mapping[str, Any]) -> str:
    """The report as text."""
    source = f"fresh scenes, seed {made['seed']}" if made["source"] == "fresh" else "committed scenes"
    parts = [f"Pocket models on {made['scenes']} {source}, never trained on; greedy answers; {made['seconds']:.0f} s."]
    keys = [key for key in _TITLES if key in made]
    if keys:
        parts += [_summary(made, keys), "Conversations whose history is the model's own answers:", _turns(made, keys)]
        parts.append(_types(made, keys))
    if "itm" in made:
        parts.append(_matching(made))
    if "photos" in made:
        parts.append(_photos(made["photos"]))
    return "\n\n".join(parts)
