"""The table of `docs/evaluation.md`: each zoo row and task with its published figures and what was measured here.

    python -m blip2.evaluation.table [RUN ...]

takes the figures of finished runs into `docs/measured.json`, and writes the table anew. A figure that nobody measured
here stays a dash.
"""

import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from blip2 import zoo
from blip2.errors import Blip2Error
from blip2.evaluation import figures, run_folder
from blip2.evaluation.figures import Published
from blip2.evaluation.protocols import ROWS, TASKS
from blip2.zoo import Row

DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGE, MEASURED = DOCS / "evaluation.md", DOCS / "measured.json"
BEGIN, END = "<!-- table: made by python -m blip2.evaluation.table -->", "<!-- end of table -->"
COLUMNS = ("Task", "Model", "Published", "Source", "Protocol that should give it", "Measured here")
HEAD = f"| {' | '.join(COLUMNS)} |\n|{' --- |' * len(COLUMNS)}"
SHORT = {
    "vqa_official": "accuracy",
    "vqa_lavis": "accuracy",
    "gqa": "accuracy",
    "Bleu_1": "B@1",
    "Bleu_2": "B@2",
    "Bleu_3": "B@3",
    "Bleu_4": "B@4",
    "txt_r1": "TR@1",
    "txt_r5": "TR@5",
    "txt_r10": "TR@10",
    "img_r1": "IR@1",
    "img_r5": "IR@5",
    "img_r10": "IR@10",
}


def table(measured: Sequence[dict[str, Any]]) -> str:
    """The table in Markdown. `measured` holds task, model, protocol, figures and what they were measured on."""
    return "\n".join((HEAD, *(line for task in TASKS for row in zoo.ROWS for line in _lines(task, row, measured))))


def measured() -> list[dict[str, Any]]:
    """What was measured here, as committed."""
    made: list[dict[str, Any]] = json.loads(MEASURED.read_text("utf-8"))
    return made


def entry(report: dict[str, Any]) -> dict[str, Any]:
    """What is kept of a run's report."""
    return {
        "task": report["task"],
        "model": report["model"]["name"],
        "revision": report["model"]["revision"],
        "dtype": report["model"]["dtype"],
        "protocol": report["protocol"]["name"],
        "on": f"{report['split']}, {report['n']} examples",
        "figures": {name: round(value, 2) for name, value in report["figures"].items()},
        "calibration_error": round(report["calibration"]["ece"], 4),
        "finished": report["finished"],
    }


def _lines(task: str, row: Row, measured: Sequence[dict[str, Any]]) -> Iterator[str]:
    """The lines of one task and model: one for each source of published figures, or one without."""
    if not any(each.task == task and each.family == row.family for each in ROWS) or (task == "pocket") != row.pocket:
        return
    rows = figures.of(row.key, task)
    sources = list(dict.fromkeys((each.source, each.protocol, each.note) for each in rows))
    if not sources:
        own = _measured(task, row.key, "paper", measured)
        yield f"| {task} | `{row.key}` | none | – | {'any' if row.pocket else 'paper'} | {own} |"
    for source, protocol, note in sources:
        mine = [each for each in rows if (each.source, each.protocol, each.note) == (source, protocol, note)]
        words = f"{source}; {note}" if note else source
        own = _measured(task, row.key, protocol, measured)
        yield f"| {task} | `{row.key}` | {_figures(mine)} | {words} | {protocol} | {own} |"


def _figures(rows: Sequence[Published]) -> str:
    return ", ".join(f"{_name(row.figure)} {row.value:g}" for row in rows)


def _measured(task: str, model: str, protocol: str, measured: Sequence[dict[str, Any]]) -> str:
    """The figures measured here by this protocol (the bundled models have the same settings in both), or a dash."""
    for each in measured:
        if (each["task"], each["model"]) == (task, model) and (each["protocol"] == protocol or task == "pocket"):
            shown = ", ".join(f"{_name(name)} {value:g}" for name, value in each["figures"].items())
            return f"{shown} ({each['on']})"
    return "–"


def _name(figure: str) -> str:
    return SHORT.get(figure, figure)


def main(arguments: Sequence[str]) -> int:
    """Take in the runs named, and write the table anew; 0."""
    rows = measured()
    for folder in arguments:
        new = entry(run_folder.report(Path(folder)))
        same = [all(old[key] == new[key] for key in ("task", "model", "protocol")) for old in rows]
        rows = [*(old for old, drop in zip(rows, same, strict=True) if not drop), new]
    MEASURED.write_text(json.dumps(rows, indent=1) + "\n", "utf-8")
    before, _, rest = PAGE.read_text("utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    PAGE.write_text(f"{before}{BEGIN}\n{table(rows)}\n{END}{after}", "utf-8")
    return 0


if __name__ == "__main__":
    try:
        raise SystemExit(main(sys.argv[1:]))
    except Blip2Error as error:
        print(error, file=sys.stderr)
        raise SystemExit(1) from None
