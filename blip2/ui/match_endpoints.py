"""The match tab for programs: named endpoints with plain values in and out. What goes wrong is in the field `error`."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import gradio as gr

from blip2.errors import BadInput
from blip2.features import MEANING, arrays
from blip2.gathering import gathered
from blip2.ui import match_files
from blip2.ui.match_actions import MatchActions
from blip2.ui.picture import PictureFrame
from blip2.ui.studio import Studio
from blip2.ui.visit import Seen, told

MODES = ("image", "text", "multimodal")


class MatchEndpoints:
    """The endpoints, on components that nobody sees."""

    def __init__(self, actions: MatchActions, studio: Studio) -> None:
        self.actions = actions
        self.studio = studio
        self.shelves = match_files.Recent()

    def wire(self) -> None:
        """Make each endpoint's components and name it."""
        with gr.Column(visible=False):
            files = gr.File(file_count="multiple", type="filepath", label="files")
            picture = PictureFrame(format="png", label="picture")
            texts, labels = gr.Textbox("", label="texts", lines=2), gr.Textbox("", label="labels", lines=2)
            template, text = gr.Textbox("", label="template"), gr.Textbox("", label="text")
            mode, model = gr.Textbox("image", label="mode"), gr.Textbox("", label="model")
            answer, archive, asked = gr.JSON(label="answer"), gr.File(label="archive"), gr.Button()
        named: dict[str, Any] = {"concurrency_limit": None, "show_progress": "hidden"}
        asked.click(self.on_match, [files, texts, model], answer, api_name="match", **named)
        asked.click(self.on_classify, [picture, labels, template, model], answer, api_name="classify", **named)
        asked.click(self.on_where, [picture, text, model], answer, api_name="where_matched", **named)
        asked.click(
            self.on_features, [files, texts, mode, model], [answer, archive], api_name="extract_features", **named
        )

    def on_match(
        self, request: gr.Request, files: Sequence[str] | None, texts: str, model: str
    ) -> Iterator[dict[str, Any] | None]:
        """Compare picture files (ZIP files among them) with texts, a line each: `itm` probabilities and `itc` cosines.

        Both are matrices with a row for each of `pictures` and a column for each of `texts`; `failed` are the pictures
        that could not be opened. Model "" is the first that matches.
        """
        made: dict[str, Any] | None = None
        try:
            with self.studio.visitors.admitted(request.session_hash or ""):
                for table in self.actions.table(gathered(files or ()).files, texts, model):
                    made = table.to_json()
                    yield None
            yield made
        except Exception as error:
            yield {"error": told(error)}

    def on_classify(self, request: gr.Request, picture: Seen, labels: str, template: str, model: str) -> dict[str, Any]:
        """Which label a picture shows, likeliest first: each with its `share` among the labels, `itm` and `itc`.

        Labels are given a line or a comma each; the template, by default "a photo of a {}", makes sentences of them.
        """
        return self._answer(
            request, lambda: match_files.labels(self.actions.classify(picture, labels, template, model))
        )

    def on_where(self, request: gr.Request, picture: Seen, text: str, model: str) -> dict[str, Any]:
        """Where each word of a text matched a picture: a square map for each of `words`, "" being the whole text.

        A map's values sum to 1 over the picture, top row first. It is attention, and no explanation of a judgement.
        """
        return self._answer(request, lambda: match_files.words(self.actions.where(picture, text, model)))

    def on_features(
        self, request: gr.Request, files: Sequence[str] | None, texts: str, mode: str, model: str
    ) -> tuple[dict[str, Any], str | None]:
        """Q-Former features of the mode image, text or multimodal: the arrays' shapes and meaning, and a .npz file.

        Texts are a line each; multimodal wants as many as pictures. `failed` are the pictures that could not be opened.
        """
        made: list[Path] = []

        def work() -> dict[str, Any]:
            if mode not in MODES:
                raise BadInput(f"The mode {mode!r} is unknown; choose image, text or multimodal.")
            taken = match_files.taken(self.actions.features(gathered(files or ()), texts, mode, model))  # type: ignore[arg-type]
            self.shelves.keep(taken)
            made.append(taken.npz)
            held = arrays(taken.of.made)
            return {
                "pictures": list(taken.of.pictures),
                "texts": list(taken.of.texts),
                "failed": match_files.failures(taken.of.failed),
                "features": {name: {"shape": list(a.shape), "meaning": MEANING[name]} for name, a in held.items()},
                "error": "",
            }

        answer = self._answer(request, work)
        return answer, str(made[0]) if made else None

    def _answer(self, request: gr.Request, work: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """What the work gives, or its failure in a sentence."""
        try:
            with self.studio.visitors.admitted(request.session_hash or ""):
                return work()
        except Exception as error:
            return {"error": told(error)}
