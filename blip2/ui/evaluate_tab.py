"""The evaluate tab: finished runs, their figures, and their predictions by picture, question and error.

It shows the runs in the folder of the setting `runs`, and nothing outside it. A handler takes values and gives values.
"""

from pathlib import Path
from typing import Any

import gradio as gr

from blip2.evaluation import browse
from blip2.evaluation.browse import Browser
from blip2.ui.evaluate_view import CHOOSE, NONE, count_of, detail_of, figures_of, sorry, table_of
from blip2.ui.studio import Studio

WHICH = [("All", "all"), ("Wrong", "wrong"), ("Right", "right"), ("Broken", "broken")]
QUIETLY: dict[str, Any] = {"show_progress": "hidden"}


def evaluate_tab(studio: Studio) -> None:
    """Build the tab inside the Blocks of the shell."""
    on = Handlers(Path(studio.settings.runs))
    names = browse.runs(on.folder)
    first = names[0] if names else None
    figured, counted, rows, _, told = on.on_choose(first, "", "all")  # what is seen before anything is chosen
    with gr.Row(elem_id="evaluate-bar"):
        run = gr.Dropdown(names, value=first, label="Run", filterable=False, elem_id="evaluate-run", scale=3)
        text = gr.Textbox(
            label="Search", placeholder="words of a picture, question or answer", elem_id="evaluate-text", scale=4
        )
        which = gr.Radio(WHICH, value="all", label="Show", elem_id="evaluate-which", scale=4)
        again = gr.Button("Look for new runs", size="sm", elem_id="evaluate-again", scale=0, min_width=150)
    figures = gr.HTML(figured, elem_id="evaluate-figures", padding=False)
    with gr.Row(elem_id="evaluate-cols"):
        with gr.Column(scale=7, min_width=320):
            count = gr.HTML(counted, elem_id="evaluate-count", padding=False)
            table = gr.HTML(rows, elem_id="evaluate-table", padding=False, js_on_load=PICKS)
        with gr.Column(scale=4, min_width=280, elem_id="evaluate-one"):
            picture = gr.Image(
                label="Picture",
                show_label=False,
                interactive=False,
                format="jpeg",
                height=320,
                visible=False,
                buttons=["fullscreen"],
                elem_id="evaluate-image",
            )
            detail = gr.HTML(told, elem_id="evaluate-detail", padding=False)
    picked = gr.Textbox(label="Prediction", visible="hidden", elem_id="evaluate-picked")
    chosen, listed = [run, text, which], [figures, count, table, picture, detail]
    gr.on(
        [run.change, text.submit, text.blur, which.change],
        on.on_choose,
        chosen,
        listed,
        api_name="predictions",
        **QUIETLY,
    )
    again.click(on.on_again, run, run, api_visibility="private", **QUIETLY).then(
        on.on_choose, chosen, listed, api_visibility="private", **QUIETLY
    )
    table.select(on.on_pick, None, picked, api_visibility="private", **QUIETLY)
    picked.change(on.on_select, [run, picked], [picture, detail], api_name="prediction", **QUIETLY)


# A row's button, or the row around it, names the prediction that is to be shown.
PICKS = """element.addEventListener('click', (event) => {
  const row = event.target.closest('tbody tr');
  if (!row) return;
  element.querySelectorAll('tr[aria-selected]').forEach((other) => other.removeAttribute('aria-selected'));
  row.setAttribute('aria-selected', 'true');
  const one = document.querySelector('#evaluate-one');
  if (matchMedia('(max-width: 900px)').matches) one.scrollIntoView({ block: 'start' });
  trigger('select', { value: row.querySelector('[data-prediction]').dataset.prediction });
});"""


class Handlers:
    """What the tab's events do."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def on_choose(self, run: str | None, text: str, which: str) -> tuple[Any, ...]:
        """The figures and the predictions of a finished run, as HTML.

        Args:
            run: the run's name.
            text: words that a prediction's picture, question or answer must hold; may be empty.
            which: all, wrong, right or broken.
        """
        nothing = gr.update(value=None, visible=False)
        if run is None:
            return NONE, "", "", nothing, ""
        try:
            browser = browse.open_run(self.folder, run)
            found = browser.find(text or "", which)
            table = table_of(found, not browser.lines)
            return figures_of(browser.report), count_of(found, browser), table, nothing, CHOOSE if found else ""
        except Exception as error:
            return sorry(error), "", "", nothing, ""

    def on_again(self, run: str | None) -> Any:
        """The runs there are now; the one that was chosen stays, if it is still there."""
        names = browse.runs(self.folder)
        return gr.update(choices=names, value=run if run in names else (names[0] if names else None))

    def on_pick(self, event: gr.EventData) -> str:
        """The id of the row that was clicked."""
        return str(event._data["value"])

    def on_select(self, run: str | None, picked: str) -> tuple[Any, str]:
        """The picture and all facts of one prediction of a finished run.

        Args:
            run: the run's name.
            picked: the prediction's id, as the table has it.
        """
        try:
            browser = browse.open_run(self.folder, run or "")
            detail = detail_of(browser, picked)
            picture = _picture(browser, picked)
            return gr.update(value=picture, visible=picture is not None), detail
        except Exception as error:
            return gr.update(value=None, visible=False), sorry(error)


def _picture(browser: Browser, id_: str) -> Any:
    """The pixels, or nothing where the run found the picture broken."""
    return None if "error" in browser.rows[id_] else browser.picture(id_).image
