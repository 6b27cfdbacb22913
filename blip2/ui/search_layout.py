"""The search tab's components and where they stand. Nothing is wired here."""

from dataclasses import dataclass

import gradio as gr

from blip2.ui.album import KEPT, Album, album
from blip2.ui.fields import Knob, file_drop
from blip2.ui.notice import notice_line
from blip2.ui.picture import PictureFrame, picture_frame
from blip2.ui.search_actions import SearchActions
from blip2.ui.search_view import EMPTY
from blip2.ui.studio import Studio

SUGGESTED = ("two giraffes under a night sky", "three pizzas on a beach", "a bicycle in a city")
KINDS = [("By words", "words"), ("By picture", "picture")]
MORE = """element.addEventListener('click', (event) => {
  const button = event.target.closest('button[data-at]');
  if (button) trigger('select', { at: Number(button.dataset.at) });
});"""


@dataclass(frozen=True)
class IndexParts:
    """Making, saving and opening an index; `saved` hands a file to the page's script."""

    album: Album
    model: gr.Dropdown
    run: gr.Button
    extend: gr.Button
    stop: gr.Button
    scenes: gr.Button
    progress: gr.HTML
    facts: gr.HTML
    download: gr.Button
    saved: gr.File
    sent: gr.File
    listed: gr.Dropdown
    name: gr.Textbox
    keep: gr.Button


@dataclass(frozen=True)
class SearchParts:
    """The tab's components; `held` is what is kept of the visitor, a `Held`; nothing at first."""

    index: IndexParts
    notice: gr.HTML
    kind: gr.Radio
    by_words: gr.Column
    words: gr.Textbox
    go: gr.Button
    chips: gr.Row
    chip: list[gr.Button]
    by_picture: gr.Column
    picture: PictureFrame
    go_picture: gr.Button
    count: Knob
    rerank: gr.Checkbox
    found: gr.HTML
    held: gr.State


def search_layout(actions: SearchActions, studio: Studio) -> SearchParts:
    """Build the components, empty and unwired: the album left, the search and what it found right."""
    with gr.Row(elem_id="search-cols", equal_height=False):
        with gr.Column(scale=4, min_width=300, elem_id="search-left"):
            index = _index(actions, studio)
        with gr.Column(scale=9, min_width=320, elem_id="search-right"):
            kind = gr.Radio(KINDS, value="words", show_label=False, label="How to search", elem_id="search-kind")
            with gr.Column(elem_id="search-by-words") as by_words:
                with gr.Row(elem_id="search-bar"):
                    words = gr.Textbox(
                        show_label=False,
                        label="What the picture shows",
                        placeholder="What the picture shows",
                        max_lines=1,
                        elem_id="search-words",
                        scale=1,
                    )
                    go = gr.Button("Search", variant="primary", elem_id="search-go", scale=0, min_width=110)
                with gr.Row(visible=False, elem_id="search-chips") as chips:
                    chip = [
                        gr.Button(text, size="sm", elem_id=f"search-chip-{at}") for at, text in enumerate(SUGGESTED)
                    ]
            with gr.Column(visible=False, elem_id="search-by-picture") as by_picture:
                picture = picture_frame("search-picture", "The picture to search with", height=220)
                go_picture = gr.Button("Find pictures like it", variant="primary", elem_id="search-go-picture")
            with gr.Row(elem_id="search-options"):
                count = Knob(1, 60, value=12, step=1, label="Results", elem_id="search-count")
                rerank = gr.Checkbox(
                    True, label="Re-rank with ITM, which reads the best again", elem_id="search-rerank", container=False
                )
            notice = notice_line("search-notice")
            found = gr.HTML(EMPTY, elem_id="search-results", padding=False, js_on_load=MORE)
    held = gr.State(None, time_to_live=KEPT)
    return SearchParts(
        index,
        notice,
        kind,
        by_words,
        words,
        go,
        chips,
        chip,
        by_picture,
        picture,
        go_picture,
        count,
        rerank,
        found,
        held,
    )


def _index(actions: SearchActions, studio: Studio) -> IndexParts:
    pictures = album(studio, "search")
    offered = [(info.title, info.name) for info in actions.matchers()]
    first = offered[0][1] if offered else None
    model = gr.Dropdown(offered, value=first, label="Matching model", visible=len(offered) > 1, elem_id="search-model")
    with gr.Row():
        run = gr.Button("Index", variant="primary", elem_id="search-run")
        extend = gr.Button("Add to the index", visible=False, elem_id="search-extend")
        stop = gr.Button("Stop", visible=False, elem_id="search-stop")
    scenes = gr.Button("Try the example scenes", elem_id="search-scenes")
    progress = gr.HTML(visible=False, elem_id="search-progress", padding=False)
    facts = gr.HTML(visible=False, elem_id="search-facts", padding=False)
    listed = actions.saved()
    with gr.Accordion("Save and open", open=False, elem_id="search-file"):
        download = gr.Button("Download the index", size="sm", elem_id="search-download")
        name = gr.Textbox(
            label="Or keep it on the server as", max_lines=1, visible=actions.manage, elem_id="search-name"
        )
        keep = gr.Button("Keep", size="sm", visible=actions.manage, elem_id="search-keep")
        sent = file_drop("indexes", label="Open an index", elem_id="search-open")
        kept = gr.Dropdown(
            [("None", ""), *[(each, each) for each in listed]],
            value="",
            label="Or one of the server's",
            visible=bool(listed) or actions.manage,
            elem_id="search-listed",
        )
    saved = gr.File(visible=False, label="file")
    return IndexParts(
        pictures, model, run, extend, stop, scenes, progress, facts, download, saved, sent, kept, name, keep
    )
