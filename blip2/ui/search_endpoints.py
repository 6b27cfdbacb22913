"""The search tab for programs: index, search by words or by picture, and take the index away, as named endpoints.

The index is kept for the caller's session, as for a visitor of the page, and goes with it.
"""

from collections.abc import Sequence
from typing import Any

import gradio as gr

from blip2.errors import Blip2Error
from blip2.gathering import gathered
from blip2.ui.fields import NumberBox
from blip2.ui.picture import PictureFrame
from blip2.ui.search_actions import Held, SearchActions, how_many, last, rows_of, scenes
from blip2.ui.studio import Studio
from blip2.ui.visit import Seen, told

Answer = dict[str, Any]


def failure(error: Exception) -> Answer:
    """What a program is told went wrong."""
    return {"error": told(error)}


class SearchEndpoints:
    """The handlers; each has components of its own, which nobody sees."""

    def __init__(self, actions: SearchActions, studio: Studio) -> None:
        self.actions = actions
        self.studio = studio

    def wire(self, held: gr.State) -> None:
        """Build the unseen components and name the endpoints."""
        quiet: dict[str, Any] = {"show_progress": "hidden", "concurrency_limit": None}
        with gr.Column(visible=False):
            files = gr.File(file_count="multiple", type="filepath", label="files")
            folder, model = gr.Textbox("", label="folder"), gr.Textbox("", label="model")
            extend, examples = gr.Checkbox(False, label="extend"), gr.Checkbox(False, label="examples")
            words, count = gr.Textbox("", label="words"), NumberBox(10, label="count", precision=0)
            rerank, picture = gr.Checkbox(True, label="rerank"), PictureFrame(label="picture")
            told, file = gr.JSON(label="answer"), gr.File(label="index")
            asked = [gr.Button() for _ in range(4)]
        made = [held, files, folder, model, extend, examples]
        asked[0].click(self.on_build, made, [held, told], api_name="build_index", **quiet)
        asked[1].click(self.on_words, [held, words, count, rerank], told, api_name="search_words", **quiet)
        asked[2].click(self.on_picture, [held, picture, count], told, api_name="search_picture", **quiet)
        asked[3].click(self.on_save, held, file, api_name="save_index", **quiet)

    def on_build(
        self, request: gr.Request, held: Held | None, files: Sequence[str] | None, folder: str, model: str,
        extend: bool, examples: bool,
    ) -> tuple[Held, Answer]:  # fmt: skip
        """Index pictures: files, ZIP files among them, a folder that the administrator allows, or the example scenes.

        Says how many pictures the index has, how many are new, and which files could not be read. `extend` keeps what
        was indexed before in this session.
        """
        held = held or Held()
        try:
            with self.studio.visitors.admitted(request.session_hash or ""):
                found = scenes() if examples else gathered(files or (), folder or "", self.studio.settings.folders)
                *_, step = self.actions.build(held, found, model or "", extend)
            held = step.held or held
            index = held.opened()
            broken = [{"name": held.title(row.name), "error": row.error} for row in index.broken]
            return held, {"pictures": len(index), "new": step.counts.new, "kept": step.counts.kept, "broken": broken}
        except Exception as error:
            return held, failure(error)

    def on_words(
        self, request: gr.Request, held: Held | None, words: str, count: float, rerank: bool
    ) -> Answer | list[Answer]:
        """Search this session's index by words: the best pictures, with ITC, ITM and the rank before the re-rank."""
        held = held or Held()
        try:
            with self.studio.visitors.admitted(request.session_hash or ""):
                return rows_of(held, last(self.actions.words(held, words or "", how_many(count), bool(rerank))))
        except Exception as error:
            return failure(error)

    def on_picture(self, request: gr.Request, held: Held | None, picture: Seen, count: float) -> Answer | list[Answer]:
        """Search this session's index by picture: those most like it."""
        held = held or Held()
        try:
            with self.studio.visitors.admitted(request.session_hash or ""):
                return rows_of(held, self.actions.picture(held, picture, how_many(count)), likeness=True)
        except Exception as error:
            return failure(error)

    def on_save(self, held: Held | None) -> str | None:
        """This session's index as a file, for this page or `python -m blip2 search`; nothing where there is none."""
        held = held or Held()
        try:
            return str(self.actions.download(held))
        except Blip2Error:
            return None
