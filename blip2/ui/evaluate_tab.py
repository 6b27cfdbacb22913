"""The evaluate tab: finished runs, their figures, and their predictions by picture, question and error.

It shows the runs in the folder of the setting `runs`, and nothing outside it. A handler takes values and gives values.
"""

from html import escape
from pathlib import Path
from typing import Any

import gradio as gr

from blip2.errors import Blip2Error
from blip2.evaluation import browse
from blip2.evaluation.browse import SHOWN, Browser, Line
from blip2.ui.studio import Studio

HEADS = ["id", "picture", "question", "said", "score", "confidence"]
WHICH = [("All", "all"), ("Wrong", "wrong"), ("Right", "right"), ("Broken pictures", "broken")]
NONE = (
    '<div class="empty"><h2>No finished run yet</h2><p>Make one, then look here again:</p>'
    "<code>python -m blip2 eval pocket --limit 20</code></div>"
)
QUIETLY: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
Table = list[list[str]]


def evaluate_tab(studio: Studio) -> None:
    """Build the tab inside the Blocks of the shell."""
    folder = Path(studio.settings.runs)
    names = browse.runs(folder)
    first = names[0] if names else None
    # What a visitor sees before anything is chosen.
    known, counted, lines = (NONE, "", []) if first is None else _shown(browse.open_run(folder, first), "", "all")
    with gr.Row(elem_id="evaluate-bar", equal_height=True):
        run = gr.Dropdown(names, value=first, label="Run", filterable=False, elem_id="evaluate-run", scale=3)
        text = gr.Textbox(label="Picture, question or answer holds", elem_id="evaluate-text", scale=3)
        which = gr.Radio(WHICH, value="all", label="Show", elem_id="evaluate-which", scale=3)
        again = gr.Button("Look again", size="sm", elem_id="evaluate-again", scale=0, min_width=110)
    figures = gr.HTML(known, elem_id="evaluate-figures")
    with gr.Row(elem_id="evaluate-cols"):
        with gr.Column(scale=7, min_width=320):
            count = gr.HTML(counted, elem_id="evaluate-count", padding=False)
            table = gr.Dataframe(
                lines,
                headers=HEADS,
                interactive=False,
                wrap=True,
                show_label=False,
                label="Predictions",
                elem_id="evaluate-table",
            )
        with gr.Column(scale=4, min_width=280):
            picture = gr.Image(
                label="Picture",
                show_label=False,
                interactive=False,
                format="jpeg",
                height=320,
                elem_id="evaluate-image",
            )
            detail = gr.HTML(elem_id="evaluate-detail")
    chosen, listed = [run, text, which], [figures, count, table, picture, detail]
    on = Handlers(folder)
    gr.on([run.change, text.submit, which.change], on.on_choose, chosen, listed, **QUIETLY)
    again.click(on.on_again, run, run, **QUIETLY).then(on.on_choose, chosen, listed, **QUIETLY)
    table.select(on.on_select, run, [picture, detail], **QUIETLY)


class Handlers:
    """What the tab's events do. Bound methods: gradio would not see through `partial` that one wants the event."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def on_choose(self, run: str | None, text: str, which: str) -> tuple[Any, ...]:
        """The figures and the predictions of a run, filtered; picture and detail are emptied."""
        if run is None:
            return NONE, "", [], None, ""
        try:
            return (*_shown(browse.open_run(self.folder, run), text, which), None, "")
        except Blip2Error as error:
            return _sorry(error), "", [], None, ""

    def on_again(self, run: str | None) -> Any:
        """The runs there are now; the one that was chosen stays, if it is still there."""
        names = browse.runs(self.folder)
        return gr.update(choices=names, value=run if run in names else (names[0] if names else None))

    def on_select(self, run: str | None, event: gr.SelectData) -> tuple[Any, str]:
        """The picture and all facts of the prediction that was clicked."""
        try:
            browser = browse.open_run(self.folder, run or "")
            id_ = str(event.row_value[0])
            return _picture(browser, id_), detail_of(browser, id_)
        except Blip2Error as error:
            return None, _sorry(error)


def _shown(browser: Browser, text: str, which: str) -> tuple[str, str, Table]:
    found = browser.find(text, which)
    more = f", the first {SHOWN} shown" if len(found) > SHOWN else ""
    words = f"<p class='quiet-title'>{len(found)} of {len(browser.lines)} predictions{more}</p>"
    return figures_of(browser.report), words, [_cells(line) for line in found[:SHOWN]]


def _cells(line: Line) -> list[str]:
    sure = "" if line.confidence is None else f"{line.confidence:.2f}"
    return [line.id, line.image, line.question, line.said, f"{line.value:.2f}", sure]


def figures_of(report: dict[str, Any]) -> str:
    """A run's figures beside the published ones, as HTML."""
    published = {row["figure"]: row for row in report["published"] if row["protocol"] == report["protocol"]["name"]}
    cells = []
    for name, value in report["figures"].items():
        known = published.get(name)
        beside = f"<small>published {known['published']:g} ({known['difference']:+.2f})</small>" if known else ""
        cells.append(f"<div><b>{value:.2f}</b><span>{escape(name)}</span>{beside}</div>")
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


def detail_of(browser: Browser, id_: str) -> str:
    """All that is known of one prediction, as HTML."""
    row = browser.rows[id_]
    facts = {"right": " | ".join(dict.fromkeys(browser.example(id_).references))}
    facts |= {
        name: row[name] for name in ("question", "prompt", "answer", "confidence", "finish", "error") if name in row
    }
    facts |= {name: str(value) for name, value in row["scores"].items()}
    body = "".join(f"<dt>{escape(name)}</dt><dd>{escape(str(value))}</dd>" for name, value in facts.items())
    return f'<dl class="facts">{body}</dl>'


def _picture(browser: Browser, id_: str) -> Any:
    """The pixels, or nothing where the run found the picture broken."""
    return None if "error" in browser.rows[id_] else browser.picture(id_).image


def _sorry(error: Blip2Error) -> str:
    return f"<p>{escape(str(error))}</p>"
