"""The caption tab's components and where they stand. Nothing is wired here."""

from dataclasses import dataclass

import gradio as gr

from blip2.labels import LABELS, LENGTH, REPETITION
from blip2.ui.album import KEPT, Album, album
from blip2.ui.caption_actions import CaptionActions
from blip2.ui.caption_view import EMPTY_MANY, EMPTY_ONE
from blip2.ui.fields import Knob, NumberBox
from blip2.ui.notice import notice_line
from blip2.ui.picture import PictureFrame, picture_frame
from blip2.ui.studio import Studio
from blip2.values import Decoding

METHODS = [("Beam search", "beam"), ("Greedy", "greedy"), ("Nucleus sampling", "nucleus")]
KINDS = [("One picture", "one"), ("Many pictures", "many")]
START = Decoding()


@dataclass(frozen=True)
class OneParts:
    """Captioning one picture; `answer` carries the captions from the model's handler to the one that shows them.

    `halt` is the wish to stop, new with every press of the button.
    """

    group: gr.Column
    picture: PictureFrame
    go: gr.Button
    stop: gr.Button
    shown: gr.HTML
    answer: gr.JSON
    halt: gr.State


@dataclass(frozen=True)
class Downloads:
    """What can be taken away; `saved` hands a file to the page's script."""

    row: gr.Column
    csv: gr.Button
    jsonl: gr.Button
    texts: gr.Button
    before: gr.Textbox
    after: gr.Textbox
    saved: gr.File


@dataclass(frozen=True)
class ManyParts:
    """Captioning an album."""

    group: gr.Column
    album: Album
    run: gr.Button
    cancel: gr.Button
    again: gr.Button
    clear: gr.Button
    out: gr.Column
    progress: gr.HTML
    table: gr.HTML
    pages: gr.Row
    earlier: gr.Button
    later: gr.Button
    downloads: Downloads
    sheet: gr.State
    start: gr.State


@dataclass(frozen=True)
class CaptionParts:
    """The tab's components; `knobs` in the order of `caption_actions.KNOBS`."""

    kind: gr.Radio
    notice: gr.HTML
    knobs: list[gr.components.Component]
    one: OneParts
    many: ManyParts


def caption_layout(actions: CaptionActions, studio: Studio) -> CaptionParts:
    """Build the components, empty and unwired: pictures and settings left, captions right."""
    with gr.Row(elem_id="caption-cols", equal_height=False):
        with gr.Column(scale=5, min_width=300, elem_id="caption-left"):
            kind = gr.Radio(KINDS, value="one", show_label=False, label="How many pictures", elem_id="caption-kind")
            with gr.Column(elem_id="caption-one") as one:
                picture = picture_frame("caption-image", "The picture to caption")
                with gr.Row():
                    go = gr.Button("Caption", variant="primary", elem_id="caption-go")
                    stop = gr.Button("Stop", visible=False, elem_id="caption-stop")
            with gr.Column(visible=False, elem_id="caption-many") as many:
                pictures = album(studio, "caption")
                with gr.Row():
                    run = gr.Button("Caption all", variant="primary", elem_id="caption-run")
                    cancel = gr.Button("Stop", visible=False, elem_id="caption-cancel")
                with gr.Row():
                    again = gr.Button("Try the failed again", visible=False, size="sm", elem_id="caption-again")
                    clear = gr.Button("Clear results", visible=False, size="sm", elem_id="caption-clear")
            knobs = _knobs(actions)
        with gr.Column(scale=8, min_width=320, elem_id="caption-right"):
            notice = notice_line("caption-notice")
            shown = gr.HTML(EMPTY_ONE, elem_id="caption-shown", padding=False)
            with gr.Column(visible=False, elem_id="caption-out") as out:
                progress = gr.HTML(elem_id="caption-progress", visible=False, padding=False)
                downloads = _downloads()
                table = gr.HTML(EMPTY_MANY, elem_id="caption-table", padding=False, js_on_load=EDITS)
                with gr.Row(visible=False, elem_id="caption-pages") as pages:
                    earlier = gr.Button("Earlier", size="sm", elem_id="caption-earlier")
                    later = gr.Button("Later", size="sm", elem_id="caption-later")
    answer = gr.JSON(visible=False, label="captions")
    sheet, start = gr.State(None, time_to_live=KEPT), gr.State(0)
    return CaptionParts(
        kind,
        notice,
        knobs,
        OneParts(one, picture, go, stop, shown, answer, gr.State(None, time_to_live=KEPT)),
        ManyParts(
            many,
            pictures,
            run,
            cancel,
            again,
            clear,
            out,
            progress,
            table,
            pages,
            earlier,
            later,
            downloads,
            sheet,
            start,
        ),
    )


# A changed caption in the table is told to the server as it is left.
EDITS = """element.addEventListener('change', (event) => {
  const box = event.target.closest('textarea[data-row]');
  if (!box) return;
  event.stopPropagation();
  trigger('submit', { row: Number(box.dataset.row), text: box.value });
});"""


def _knobs(actions: CaptionActions) -> list[gr.components.Component]:
    writers = [(info.title, info.name) for info in actions.writers]
    matchers = [(info.title, info.name) for info in actions.matchers]
    model = gr.Dropdown(
        writers, value=writers[0][1] if writers else None, label="Model", filterable=False, elem_id="caption-model"
    )
    with gr.Row(elem_classes="knobs"):
        count = Knob(1, 8, 1, step=1, label=LABELS["captions"], elem_id="caption-count")
        matcher = gr.Dropdown(
            [*matchers, ("No ranking", "")],
            value=matchers[0][1] if matchers else "",
            label="Ranked by",
            filterable=False,
            visible=bool(matchers),
            elem_id="caption-matcher",
        )
    prompt = gr.Textbox(
        "",
        label="Begins with (empty: the model's own beginning)",
        placeholder="such as: a photo of",
        max_lines=1,
        elem_id="caption-prompt",
    )
    with gr.Accordion("Settings", open=False, elem_id="caption-settings"):
        method = gr.Radio(METHODS, value="beam", label="How captions are searched for", elem_id="caption-method")
        with gr.Row(elem_classes="knobs"):
            shortest = Knob(0, 64, START.min_new_tokens, step=1, label=LABELS["min_new_tokens"])
            longest = Knob(1, 128, START.max_new_tokens, step=1, label=LABELS["max_new_tokens"])
        with gr.Row(elem_classes="knobs"):
            beams = Knob(1, 16, START.num_beams, step=1, label=LABELS["num_beams"])
            length = Knob(-3, 3, START.length_penalty, step=0.1, label=LENGTH)
            temperature = Knob(0.05, 2, START.temperature, step=0.05, label=LABELS["temperature"], visible=False)
            top_p = Knob(0.05, 1, START.top_p, step=0.05, label=LABELS["top_p"], visible=False)
        with gr.Row(elem_classes="knobs"):
            repetition = Knob(0.5, 3, START.repetition_penalty, step=0.1, label=REPETITION)
            seed = NumberBox(0, precision=0, label=LABELS["seed"], visible=False)
    return [
        model, count, method, prompt, shortest, longest, beams, length, repetition, temperature, top_p, seed, matcher,
    ]  # fmt: skip


def _downloads() -> Downloads:
    with gr.Column(visible=False, elem_id="caption-downloads") as row:
        with gr.Row(elem_id="caption-save"):
            csv = gr.Button("CSV", size="sm", elem_id="caption-csv")
            jsonl = gr.Button("JSON lines", size="sm", elem_id="caption-jsonl")
            texts = gr.Button("Text files (ZIP)", size="sm", elem_id="caption-texts")
        title = "Words around each caption in the text files"
        with gr.Accordion(title, open=False, elem_id="caption-frame"), gr.Row(elem_classes="knobs"):
            before = gr.Textbox(label="Before", placeholder="a trigger word, such as: sks style,", max_lines=1)
            after = gr.Textbox(label="After", placeholder="such as: , high quality", max_lines=1)
    return Downloads(row, csv, jsonl, texts, before, after, gr.File(visible=False, label="file"))
