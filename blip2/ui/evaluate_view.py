"""A finished run as the page shows it: its figures, its predictions as a table, one of them in full. Pure HTML.

All text of models and data is escaped. A row's button carries the prediction's id.
"""

from collections.abc import Sequence
from html import escape
from typing import Any

from blip2.evaluation.browse import SHOWN, Browser, Line
from blip2.ui.chat_view import FINISHES
from blip2.ui.visit import told
from blip2.values import Finish

NONE = (
    '<div class="empty"><h2>No finished run yet</h2><p>Make one, then look here again:</p>'
    "<code>python -m blip2 eval pocket --limit 20</code></div>"
)
CUT = (
    "The file of predictions holds {have:,} of the {said:,} that the report counts; run the evaluation again with "
    "--resume to have them all."
)
NAMES = {"itm": "ITM", "itc": "ITC", "true_first": "true first", "cider": "CIDEr"}
FACTS = {
    "question": "Question",
    "prompt": "Prompt",
    "answer": "Said",
    "confidence": "Confidence",
    "finish": "Ended because",
    "error": "Error",
}  # what a record of a prediction holds, and what it is called
CHOOSE = '<p class="choose">Choose a prediction to see its picture and all that is known of it.</p>'


def figures_of(report: dict[str, Any]) -> str:
    """A run's figures beside the published ones."""
    published = {row["figure"]: row for row in report["published"] if row["protocol"] == report["protocol"]["name"]}
    cells = []
    for name, value in report["figures"].items():
        known = published.get(name)
        beside = f"<small>published {known['published']:g} ({known['difference']:+.2f})</small>" if known else ""
        shown = NAMES.get(name, name.replace("_", " "))
        cells.append(f"<div><b>{value:.2f}</b><span>{escape(shown)}</span>{beside}</div>")
    cells.append(f"<div><b>{report['calibration']['ece']:.3f}</b><span>calibration error</span></div>")
    if report["broken"]["n"]:
        cells.append(f"<div><b>{report['broken']['n']}</b><span>broken pictures</span></div>")
    facts = (
        report["dataset"],
        report["split"],
        f"{report['n']} examples",
        report["model"]["name"],
        report["model"]["dtype"],
    )
    line = " · ".join(escape(str(fact)) for fact in (*facts, f"protocol {report['protocol']['name']}"))
    return f'<div class="figures"><p>{line}</p><div class="row">{"".join(cells)}</div></div>'


def count_of(found: Sequence[Line], browser: Browser) -> str:
    """How many predictions were found, and how many of them are shown."""
    more = f", the first {SHOWN} shown" if len(found) > SHOWN else ""
    line = f'<p class="quiet-title count">{len(found):,} of {len(browser.lines):,} predictions{more}</p>'
    said = browser.report.get("n", 0)
    if len(browser.lines) < said:
        gone = CUT.format(have=len(browser.lines), said=said)
        line = f'<div class="notice"><p class="failed" role="alert">{escape(gone)}</p></div>{line}'
    return line


def table_of(found: Sequence[Line], is_cut: bool = False) -> str:
    """The predictions as a table, `SHOWN` at most; the column of questions only where there are any.

    Without any there is a word of advice, unless they are missing from the run itself, `is_cut`.
    """
    if not found and is_cut:
        return ""
    if not found:
        return '<p class="choose">No prediction is like that; search for something else, or show all.</p>'
    asked = any(line.question for line in found)
    heads = ["Prediction", *(["Question"] if asked else []), "Said", "Score", "Sure"]
    body = "".join(_row(line, asked) for line in found[:SHOWN])
    head = "".join(f'<th scope="col">{name}</th>' for name in heads)
    return f'<div class="predictions"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def _row(line: Line, asked: bool) -> str:
    kind = "broken" if line.broken else "right" if line.value >= 0.5 else "wrong"
    sure = "–" if line.confidence is None else f"{line.confidence:.0%}"
    question = f'<td data-name="Question">{escape(line.question)}</td>' if asked else ""
    parts = line.said.split(" | ")
    said = "".join(f"<span>{escape(part)}</span>" for part in parts) if len(parts) > 1 else escape(line.said)
    return (
        f'<tr class="{kind}"><th scope="row"><button type="button" data-prediction="{escape(line.id, quote=True)}">'
        f'{escape(line.id)}</button></th>{question}<td data-name="Said">{said}</td>'
        f'<td class="number" data-name="Score">{line.value:.2f}</td>'
        f'<td class="number" data-name="Sure">{sure}</td></tr>'
    )


def detail_of(browser: Browser, id_: str) -> str:
    """All that is known of one prediction. Raises `BadInput` where it is not in the run or its data."""
    right = " | ".join(dict.fromkeys(browser.example(id_).references))
    row = browser.rows[id_]
    facts = {"Right": right} if right else {}
    facts |= {said: _short(name, row[name]) for name, said in FACTS.items() if name in row}
    facts |= {_capital(NAMES.get(name, name.replace("_", " "))): str(value) for name, value in row["scores"].items()}
    body = "".join(f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in facts.items())
    return f'<h3>{escape(id_)}</h3><dl class="facts">{body}</dl>'


def sorry(error: Exception) -> str:
    """What went wrong, as a sentence."""
    return f'<div class="notice"><p class="failed" role="alert">{escape(told(error))}</p></div>'


def _short(name: str, value: Any) -> str:
    if name == "confidence" and isinstance(value, float):
        return f"{value:.1%}"
    if name == "finish" and value in tuple(Finish):
        return FINISHES[Finish(value)]
    return str(value)


def _capital(name: str) -> str:
    return name[:1].upper() + name[1:]
