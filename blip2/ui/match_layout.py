"""The match tab's components and where they stand. Nothing is wired here."""

from dataclasses import dataclass

import gradio as gr

from blip2 import matching
from blip2.ui import match_view
from blip2.ui.album import KEPT, Album, album
from blip2.ui.match_actions import MatchActions
from blip2.ui.notice import notice_line
from blip2.ui.picture import PictureFrame, picture_frame
from blip2.ui.studio import Studio

KINDS = [
    ("One picture", "one"),
    ("Many pictures", "many"),
    ("Classify", "labels"),
    ("Words", "words"),
    ("Features", "features"),
]
MODES = [("Pictures", "image"), ("Texts", "text"), ("Pairs of both", "multimodal")]
GO = {"one": "Match", "many": "Match", "labels": "Classify", "words": "Show where", "features": "Extract features"}
START_TEXTS = "a dog on a beach\na cat in a room\na bus in a street"


@dataclass(frozen=True)
class MatchParts:
    """The tab's components. `made` is what was made last; `saved` and `file` hand downloads to the page's scripts."""

    kind: gr.Radio
    framed: gr.Column
    picture: PictureFrame
    pictures: gr.Column
    album: Album
    mode: gr.Radio
    model: gr.Dropdown
    texts: gr.Textbox
    labels: gr.Textbox
    template: gr.Textbox
    sentence: gr.Textbox
    go: gr.Button
    stop: gr.Button
    example: gr.Button
    notice: gr.HTML
    progress: gr.HTML
    downloads: gr.Row
    csv: gr.Button
    json: gr.Button
    npz: gr.Button
    measure: gr.Radio
    shown: gr.HTML
    made: gr.State
    saved: gr.JSON
    file: gr.File

    @property
    def inputs(self) -> list[gr.components.Component]:
        """What is asked, in the order of `match_tab.Asked`."""
        asked = [self.picture, *self.album.inputs, self.texts, self.labels, self.template, self.sentence]
        return [self.kind, *asked, self.mode, self.model]


def match_layout(actions: MatchActions, studio: Studio) -> MatchParts:
    """Build the components, empty and unwired: what to compare left, how well it fits right."""
    with gr.Row(elem_id="match-cols", equal_height=False):
        with gr.Column(scale=5, min_width=300, elem_id="match-left"):
            kind = gr.Radio(KINDS, value="one", show_label=False, label="What to do", elem_id="match-kind")
            with gr.Column(elem_id="match-framed") as framed:
                picture = picture_frame("match-image", "The picture to match")
            with gr.Column(visible=False, elem_id="match-pictures") as pictures:
                found = album(studio, "match")
            mode = gr.Radio(MODES, value="image", label="Features of", visible=False, elem_id="match-mode")
            boxes = _boxes()
            models = [(info.title, info.name) for info in actions.models]
            model = gr.Dropdown(
                models, value=models[0][1] if models else None, label="Model", filterable=False, elem_id="match-model"
            )
            with gr.Row():
                go = gr.Button(GO["one"], variant="primary", elem_id="match-go")
                stop = gr.Button("Stop", visible=False, elem_id="match-stop")
                example = gr.Button("Try an example", elem_id="match-example")
        with gr.Column(scale=8, min_width=320, elem_id="match-right"):
            notice = notice_line("match-notice")
            progress = gr.HTML(elem_id="match-progress", visible=False, padding=False)
            with gr.Row(visible=False, elem_id="match-downloads") as downloads:
                csv = gr.Button("CSV", size="sm", elem_id="match-csv")
                json = gr.Button("JSON", size="sm", elem_id="match-json")
                npz = gr.Button("NumPy archive (.npz)", size="sm", visible=False, elem_id="match-npz")
            measure = gr.Radio(
                [("ITM probability", "itm"), ("ITC cosine", "itc")],
                value="itm",
                show_label=False,
                label="Measure shown in the matrix",
                visible=False,
                interactive=True,
                elem_id="match-measure",
            )
            shown = gr.HTML(match_view.empty("one", bool(models)), elem_id="match-shown", padding=False)
    made = gr.State(None, time_to_live=KEPT)
    saved, file = gr.JSON(visible=False, label="saved"), gr.File(visible=False, label="file")
    return MatchParts(
        kind, framed, picture, pictures, found, mode, model, *boxes, go, stop, example, notice, progress, downloads,
        csv, json, npz, measure, shown, made, saved, file,
    )  # fmt: skip


def _boxes() -> tuple[gr.Textbox, gr.Textbox, gr.Textbox, gr.Textbox]:
    """Texts, labels, template, sentence."""
    texts = gr.Textbox(
        label="Texts, a line each", lines=4, max_lines=10, placeholder=START_TEXTS, elem_id="match-texts"
    )
    labels = gr.Textbox(
        label="Labels, a line or a comma each",
        lines=3,
        max_lines=10,
        placeholder="dog, cat, bus, boat",
        visible=False,
        elem_id="match-labels",
    )
    template = gr.Textbox(
        matching.TEMPLATE,
        label="Sentence, {} stands for the label",
        max_lines=1,
        visible=False,
        elem_id="match-template",
    )
    sentence = gr.Textbox(
        label="Sentence", max_lines=1, placeholder="a dog on a beach", visible=False, elem_id="match-sentence"
    )
    return texts, labels, template, sentence
