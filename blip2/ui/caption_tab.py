"""The caption tab, wired: one picture or many, their settings, and the endpoints for programs."""

from collections.abc import Iterator, Sequence
from contextlib import closing
from typing import Any

import gradio as gr

from blip2.captioning import Halt
from blip2.gathering import gathered
from blip2.ui import caption_view
from blip2.ui.caption_actions import CaptionActions, failure
from blip2.ui.caption_album import INSIDE, QUIETLY, CaptionAlbum
from blip2.ui.caption_layout import CaptionParts, caption_layout
from blip2.ui.caption_sheet import Sheet
from blip2.ui.chat_view import CAUTION
from blip2.ui.notice import notice
from blip2.ui.picture import refuse
from blip2.ui.studio import Studio
from blip2.ui.visit import QUIET, Notice, Seen, told
from blip2.values import Picture

Updates = dict[Any, Any]


def caption_tab(studio: Studio) -> None:
    """Build the tab inside the Blocks of the shell."""
    actions = CaptionActions(studio.backend, studio.settings.deadline)
    parts = caption_layout(actions, studio)
    CaptionTab(actions, parts, studio).wire()
    CaptionAlbum(actions, parts, studio.visitors).wire()


class CaptionTab:
    """The handlers of one picture, and of programs."""

    def __init__(self, actions: CaptionActions, parts: CaptionParts, studio: Studio) -> None:
        self.actions = actions
        self.parts = parts
        self.studio = studio

    def wire(self) -> None:
        """Every event but the album's."""
        parts, one = self.parts, self.parts.one
        refuse(one.picture, parts.notice)
        groups = [one.group, one.shown, parts.many.group, parts.many.out, parts.notice]
        parts.kind.change(self.on_kind, parts.kind, groups, queue=False, **INSIDE)
        method, beams, temperature, top_p, seed = (parts.knobs[at] for at in (2, 6, 9, 10, 11))
        length = parts.knobs[7]
        method.change(self.on_method, method, [beams, length, temperature, top_p, seed], queue=False, **INSIDE)
        buttons = [one.go, one.stop]
        begun = one.go.click(self.on_begin, None, [one.halt, one.shown, parts.notice, *buttons], **INSIDE)
        run = begun.then(
            self.on_caption,
            [one.halt, one.picture, *parts.knobs],
            one.answer,
            api_name="caption",
            concurrency_limit=None,
            **QUIETLY,
        )
        shown = [one.shown, parts.notice, *buttons]
        run.then(self.on_answer, [one.answer, one.picture, parts.knobs[0]], shown, **INSIDE)
        one.stop.click(self.on_stop, one.halt, parts.notice, **INSIDE)
        self._wire_files()

    def _wire_files(self) -> None:
        """The endpoint for many pictures, and the components that stand for its parameters, which nobody sees."""
        with gr.Column(visible=False):
            files = gr.File(file_count="multiple", type="filepath", label="files")
            folder = gr.Textbox("", label="folder")
            rows, asked = gr.JSON(label="rows"), gr.Button()
        asked.click(
            self.on_caption_files,
            [files, folder, *self.parts.knobs],
            rows,
            api_name="caption_files",
            concurrency_limit=None,
            **QUIETLY,
        )

    def on_kind(self, kind: str) -> tuple[Any, ...]:
        """Show the half of the tab for one picture, or that for many."""
        one = gr.update(visible=kind == "one")
        many = gr.update(visible=kind == "many")
        return one, one, many, many, notice(QUIET)

    def on_method(self, method: str) -> list[Any]:
        """Show the settings that the method has."""
        beam, drawn = method == "beam", method == "nucleus"
        return [gr.update(visible=beam)] * 2 + [gr.update(visible=drawn)] * 3

    def on_begin(self) -> tuple[Any, ...]:
        """Show that the model is at work."""
        halt = Halt(self.actions.backend)
        return halt, caption_view.SKELETON, notice(QUIET), gr.update(visible=False), gr.update(visible=True)

    def on_caption(
        self, request: gr.Request, halt: Halt | None, picture: Seen, model: str, captions: float, method: str,
        prompt: str, min_new_tokens: float, max_new_tokens: float, num_beams: float, length_penalty: float,
        repetition_penalty: float, temperature: float, top_p: float, seed: float, matcher: str,
    ) -> Iterator[dict[str, Any] | None]:  # fmt: skip
        """Caption a picture: the captions, best first, with score, confidence and, where ranked, the ITM probability.

        `error` says in a sentence why there are none. `captions` asks for several; `matcher` empty ranks nothing.
        """
        knobs = (
            model, captions, method, prompt, min_new_tokens, max_new_tokens, num_beams, length_penalty,
            repetition_penalty, temperature, top_p, seed, matcher,
        )  # fmt: skip
        try:
            visitor = request.session_hash or ""
            with (
                self.studio.visitors.admitted(visitor),
                closing(self.actions.one(picture, knobs, visitor, halt)) as steps,
            ):
                for made in steps:
                    yield None if made is None else made.to_json()
        except Exception as error:
            yield failure(told(error))

    def on_answer(self, answer: dict[str, Any] | None, picture: Seen, model: str) -> tuple[Any, ...]:
        """Show the captions, or why there are none."""
        idle = gr.update(visible=True), gr.update(visible=False)
        if not answer:
            return caption_view.EMPTY_ONE, notice(Notice("Stopped.")), *idle
        if answer["error"]:
            return caption_view.EMPTY_ONE, notice(Notice(answer["error"], failed=True)), *idle
        is_pocket = any(info.pocket for info in self.actions.writers if info.name == model)
        doubt = is_pocket and isinstance(picture, Picture) and self.studio.is_foreign(picture)
        return caption_view.cards(answer, CAUTION if doubt else ""), notice(QUIET), *idle

    def on_stop(self, halt: Halt | None) -> Any:
        """Give up the caption being made; the handler that makes it ends and shows the rest."""
        if halt is not None:
            halt.set()
        return gr.skip()

    def on_caption_files(
        self, request: gr.Request, files: Sequence[str] | None, folder: str, model: str, captions: float, method: str,
        prompt: str, min_new_tokens: float, max_new_tokens: float, num_beams: float, length_penalty: float,
        repetition_penalty: float, temperature: float, top_p: float, seed: float, matcher: str,
    ) -> Iterator[list[dict[str, Any]] | None]:  # fmt: skip
        """Caption many pictures: files, ZIP files among them, or a folder that the administrator allows: a row each.

        A picture that cannot be used is a row with its `error`.
        """
        knobs = (
            model, captions, method, prompt, min_new_tokens, max_new_tokens, num_beams, length_penalty,
            repetition_penalty, temperature, top_p, seed, matcher,
        )  # fmt: skip
        visitor = request.session_hash or ""
        try:
            sheet = Sheet()
            with self.studio.visitors.admitted(visitor):
                found = gathered(files or (), folder or "", self.studio.settings.folders)
                with closing(self.actions.many(sheet, found, knobs, visitor)) as steps:
                    for _ in steps:
                        yield None
            yield [line.to_json() for line in sheet.lines()]
        except Exception as error:
            yield [failure(told(error))]
