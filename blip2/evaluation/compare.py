"""Finished runs side by side: each figure over the examples they share, with paired-bootstrap intervals to the first.

Figures that are no mean over examples (BLEU, METEOR) are shown without an interval.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

from blip2.errors import BadInput
from blip2.evaluation import journal, run_folder
from blip2.evaluation.bootstrap import DRAWS, paired
from blip2.evaluation.page import STYLE
from blip2.evaluation.scores import Value, means

Values = dict[str, dict[str, Value]]


@dataclass(frozen=True, slots=True)
class Finished:
    """A finished run: its folder's name, its report, and the values of its examples."""

    name: str
    report: dict[str, Any]
    values: Values


def load(folder: Path) -> Finished:
    """Raises `BadInput` where the run is not finished."""
    report = run_folder.report(folder)
    values: Values = {}
    for row in journal.read(folder / journal.PREDICTIONS):
        if "scores" not in row:
            raise BadInput(f"The run in {folder} is not scored; finish it with --resume.")
        values[row["id"]] = {
            name: (value[0], value[1]) if isinstance(value, list) else value for name, value in row["scores"].items()
        }
    return Finished(folder.name, report, values)


def compare(runs: Sequence[Finished], draws: int = DRAWS, seed: int = 0) -> dict[str, Any]:
    """The runs as plain JSON values; differences and intervals in percent points, to the first run.

    Raises `BadInput` where fewer than two runs are given, or they share no examples.
    """
    if len(runs) < 2:
        raise BadInput("A comparison needs two finished runs or more; give their folders.")
    shared = [id_ for id_ in runs[0].values if all(id_ in other.values for other in runs)]
    if not shared:
        raise BadInput("These runs have no example in common; compare runs of one task on the same data.")
    made: dict[str, Any] = {
        "runs": [_about(run) for run in runs],
        "examples": len(shared),
        "left_out": [len(run.values) - len(shared) for run in runs],
        "draws": draws,
        "seed": seed,
        "figures": {},
    }
    parts = [{id_: run.values[id_] for id_ in shared} for run in runs]
    names = [name for name in means(parts[0]) if all(_is_mean(run, name) for run in runs)]
    for name in names:
        columns = [[part[id_][name] for id_ in shared] for part in parts]
        cells: list[dict[str, Any]] = [{"value": means(parts[0])[name]}]
        for at in range(1, len(runs)):
            interval = paired(columns[at], columns[0], draws, seed)
            cells.append({"value": means(parts[at])[name], **interval.to_json()})
        made["figures"][name] = cells
    whole = [run.report["figures"] for run in runs]
    made["without_interval"] = {
        name: [each.get(name) for each in whole] for name in whole[0] if name not in made["figures"]
    }
    return made


def _is_mean(run: Finished, name: str) -> bool:
    """Whether the run's figure is the mean of its examples' values, so that drawing examples anew makes sense."""
    all_ = means(run.values)
    return name in all_ and name in run.report["figures"] and abs(all_[name] - run.report["figures"][name]) < 1e-3


def _about(run: Finished) -> dict[str, Any]:
    report = run.report
    return {
        "run": run.name,
        "model": report["model"]["name"],
        "revision": report["model"]["revision"],
        "dtype": report["model"]["dtype"],
        "protocol": report["protocol"]["name"],
        "task": report["task"],
        "n": report["n"],
        "broken": report["broken"]["n"],
        "examples_per_second": report["examples_per_second"],
    }


def card(made: Mapping[str, Any]) -> str:
    """The comparison for a terminal."""
    lines = [f"{made['examples']} examples in common; intervals from {made['draws']} draws"]
    for letter, each in zip(_letters(made), made["runs"], strict=True):
        lines.append(
            f"{letter}: {each['run']}  {each['model']} {each['dtype']} {each['protocol']}, {each['broken']} broken"
        )
    for name, cells in made["figures"].items():
        lines += ["", f"{name:16} A {cells[0]['value']:8.2f}"]
        for letter, cell in zip(_letters(made)[1:], cells[1:], strict=True):
            lines.append(f"{'':16} {letter} {cell['value']:8.2f}  {_words(cell)}")
    for name, values in made["without_interval"].items():
        shown = "  ".join("–" if value is None else f"{value:8.2f}" for value in values)
        lines += ["", f"{name:16}   {shown}"]
    return "\n".join(lines)


def page(made: Mapping[str, Any]) -> str:
    """The comparison as one HTML file that opens anywhere."""
    letters = _letters(made)
    names = ("run", "model", "dtype", "protocol", "n", "broken")
    runs = [_row("", *names, kind="th")]
    runs += [
        _row(letter, *(str(each[name]) for name in names)) for letter, each in zip(letters, made["runs"], strict=True)
    ]
    lines = []
    for name, cells in made["figures"].items():
        for at, cell in enumerate(cells):
            lines.append(_row("" if at else name, letters[at], f"{cell['value']:.2f}", _words(cell) if at else ""))
    for name, values in made["without_interval"].items():
        for at, value in enumerate(values):
            lines.append(_row("" if at else name, letters[at], "–" if value is None else f"{value:.2f}", ""))
    shared = f"{made['examples']} examples in common; 95% intervals of the difference to A"
    words = f"{shared}, from {made['draws']} paired draws"
    tables = "".join(f'<div class="scroll"><table>{"".join(rows)}</table></div>' for rows in (runs, lines))
    head = '<meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Runs compared</title>'
    body = f'<body><main><h1>Runs compared</h1><p class="sub">{words}</p>{tables}</main></body>'
    return f'<!doctype html><html lang="en"><head>{head}<style>{STYLE}</style></head>{body}</html>\n'


def _row(*cells: str, kind: str = "td") -> str:
    return f"<tr>{''.join(f'<{kind}>{escape(cell)}</{kind}>' for cell in cells)}</tr>"


def _words(cell: Mapping[str, Any]) -> str:
    sure = "" if cell["low"] <= 0 <= cell["high"] else ", beyond chance"
    return f"{cell['difference']:+.2f}  [{cell['low']:+.2f}, {cell['high']:+.2f}]{sure}"


def _letters(made: Mapping[str, Any]) -> list[str]:
    return [chr(ord("A") + at) if at < 26 else f"R{at + 1}" for at in range(len(made["runs"]))]
