"""The chat tab, wired: components and events on one side, `chat_actions` on the other. Handlers only pass values."""

from collections.abc import Iterator, Sequence
from typing import Any

import gradio as gr

from blip2.errors import Blip2Error
from blip2.ui import chat_view, conversation_file
from blip2.ui.asking import Updates
from blip2.ui.chat_actions import ChatActions
from blip2.ui.chat_api import ChatApi
from blip2.ui.chat_layout import Parts, chat_layout
from blip2.ui.chat_look import ChatLook
from blip2.ui.chat_return import ChatReturn
from blip2.ui.chat_updates import ChatUpdates
from blip2.ui.conversation_file import Form
from blip2.ui.decoding_panel import choice
from blip2.ui.examples import Example, examples, questions_by_picture
from blip2.ui.notice import notice
from blip2.ui.studio import Studio
from blip2.ui.visit import QUIET, Notice, Seen, Step, Visit

QUIETLY: dict[str, Any] = {"show_progress": "hidden"}  # gradio's own progress would cover the conversation
INSIDE: dict[str, Any] = {**QUIETLY, "api_visibility": "private"}
SAVE = "(file) => { window.blip2Save(file); }"  # assets/page.js
SENT = "(...values) => { window.blip2Sent(); return values; }"


def chat_tab(studio: Studio) -> None:
    """Build the tab inside the Blocks of the shell."""
    shown = examples()
    actions = ChatActions(
        studio.backend,
        questions_by_picture(shown),
        studio.is_foreign,
        studio.settings.deadline,
        studio.visitors.admitted,
    )
    look = ChatLook(studio.backend, studio.visitors.admitted)
    parts = chat_layout(actions, shown, look)
    ChatTab(actions, parts, shown).wire()
    look.wire(parts.picture, parts.model, parts.notice)


class ChatTab:
    """The handlers of a tab and their wiring."""

    def __init__(self, actions: ChatActions, parts: Parts, shown: Sequence[Example]) -> None:
        self.actions = actions
        self.parts = parts
        self.shown = shown
        self.updates = ChatUpdates(actions, parts, shown)

    def wire(self) -> None:
        """Every event of the tab."""
        parts = self.parts
        outputs = [parts.visit, parts.bot, parts.box, parts.notice, parts.remark, *parts.chips]
        answers = self._wire_answers(outputs)
        runs = [*answers, *ChatApi(self.actions, parts).wire()]
        fitted = [each.then(self.on_fit, parts.visit, None, **INSIDE) for each in answers]
        shown = [each.then(self.on_fitted, parts.visit, parts.bot, queue=False, **INSIDE) for each in fitted]
        ending: dict[str, Any] = {"outputs": outputs, "cancels": runs, **QUIETLY}
        visiting = [parts.visit, parts.model]
        undone = parts.bot.undo(self.on_undo, visiting, api_name="undo", **ending)
        cleared = gr.on([parts.clear.click, parts.bot.clear], self.on_clear, visiting, api_name="clear", **ending)
        parts.box.stop(self.on_stop, parts.visit, parts.notice, api_name="stop", **QUIETLY)
        parts.model.change(self.on_model, visiting, [parts.bot, parts.remark], **INSIDE)
        framed = [parts.picture, *([parts.gallery] if parts.gallery is not None else [])]
        looking = [parts.visit, parts.picture, parts.model]
        looked = parts.picture.change(self.on_look, looking, [*outputs, *framed], api_name="look", **QUIETLY)
        if parts.gallery is not None:
            parts.gallery.select(self.on_example, None, parts.picture, **INSIDE)
        opening = [parts.visit, parts.files.opened, parts.model]
        opened = parts.files.opened.upload(self.on_open, opening, [*outputs, parts.picture], cancels=runs, **INSIDE)
        saving: dict[str, Any] = {"inputs": parts.visit, "outputs": [parts.files.saved, parts.notice], **QUIETLY}
        for saved in (
            parts.files.json.click(self.on_save_json, api_name="save_json", **saving),
            parts.files.markdown.click(self.on_save_markdown, api_name="save_markdown", **saving),
            parts.files.html.click(self.on_save_html, api_name="save_html", **saving),
        ):
            saved.then(None, parts.files.saved, None, js=SAVE)
        back = ChatReturn(self.actions, parts, self.shown, self.updates)
        back.wire(outputs, looked, [*shown, undone, cleared, opened])

    def _wire_answers(self, outputs: list[Any]) -> list[Any]:
        """The events that stream an answer. The models have queues of their own, so gradio does not limit them."""
        parts = self.parts
        # By itself gradio drops a question, without a word, until the stream before it has ended to the last message.
        stream: dict[str, Any] = {
            "outputs": outputs,
            "concurrency_limit": None,
            "trigger_mode": "multiple",
            **INSIDE,
        }
        choosing = [parts.model, *parts.knobs]
        asking = [parts.visit, parts.picture, parts.box, *choosing]
        again = [parts.visit, *choosing]
        return [
            parts.box.submit(self.on_ask, asking, js=SENT, **stream),
            parts.bot.retry(self.on_retry, again, **stream),
            parts.bot.edit(self.on_edit, again, **stream),
            *[chip.click(self.on_ask, [parts.visit, parts.picture, chip, *choosing], **stream) for chip in parts.chips],
        ]

    def on_ask(
        self, request: gr.Request, visit: Visit, seen: Seen, text: str, model: str, *knobs: Any
    ) -> Iterator[Updates]:
        """Ask a question about the picture; streams the conversation."""
        steps = self.actions.ask(visit, seen, text, choice(model, knobs), request.session_hash or "")
        yield from self._answering(steps, model)

    def on_retry(self, request: gr.Request, visit: Visit, model: str, *knobs: Any) -> Iterator[Updates]:
        """Ask the last question again with the settings as they are now; streams the conversation."""
        steps = self.actions.retry(visit, choice(model, knobs), request.session_hash or "")
        yield from self._answering(steps, model)

    def on_edit(
        self, request: gr.Request, event: gr.EditData, visit: Visit, model: str, *knobs: Any
    ) -> Iterator[Updates]:
        """Ask an edited question in place of the earlier one, dropping what came after it."""
        turn = chat_view.turn_of(event.index if isinstance(event.index, int) else event.index[0])
        steps = self.actions.edit(visit, turn, str(event.value), choice(model, knobs), request.session_hash or "")
        yield from self._answering(steps, model)

    def on_fit(self, visit: Visit) -> None:
        """Measure how well the words of the last answer fit the picture."""
        self.updates.fits.measure(visit)

    def on_fitted(self, visit: Visit) -> Any:
        """Show what was measured, in the conversation as it is by now."""
        return self.updates.messages(visit) if self.updates.fits.known(visit) else gr.skip()

    def on_look(self, visit: Visit, seen: Seen, model: str) -> Updates:
        """Take up the picture in the frame; another picture starts a new conversation."""
        step = self.actions.look(visit, seen)
        updates = self.updates.after(step, model)
        if step.notice and step.notice.failed:
            return updates | {self.parts.picture: visit.conversation.picture}
        return updates | self.updates.mark(seen)

    def on_undo(self, visit: Visit, model: str) -> Updates:
        """Take back the last question and its answer; the question returns to the box."""
        return self.updates.after(self.actions.undo(visit), model)

    def on_clear(self, visit: Visit, model: str) -> Updates:
        """Forget the conversation; the picture stays."""
        return self.updates.after(self.actions.clear(visit), model)

    def on_stop(self, visit: Visit) -> Any:
        """Stop the answer being written; what is written so far stays."""
        self.actions.halt(visit)
        return gr.skip()

    def on_model(self, visit: Visit, model: str) -> Updates:
        """Say what the chosen model knows."""
        return self.updates.model(visit, model)

    def on_example(self, event: gr.SelectData) -> str:
        """Put the chosen example into the frame."""
        return self.shown[int(event.index)].path

    def on_open(self, visit: Visit, path: str, model: str) -> Updates:
        """Take up a saved conversation, its picture too."""
        step = self.actions.resume(visit, path)
        updates = self.updates.after(step, model)
        return updates if step.visit is None else updates | {self.parts.picture: step.visit.conversation.picture}

    def on_save_json(self, visit: Visit) -> tuple[dict[str, str] | None, Any]:
        """The conversation as JSON that can be opened again: a file's name, media type and text."""
        return self._saved(visit, "json")

    def on_save_markdown(self, visit: Visit) -> tuple[dict[str, str] | None, Any]:
        """The conversation for reading: a file's name, media type and text."""
        return self._saved(visit, "markdown")

    def on_save_html(self, visit: Visit) -> tuple[dict[str, str] | None, Any]:
        """The conversation as one HTML page to share, its picture inside: a file's name, media type and text."""
        return self._saved(visit, "html")

    def _saved(self, visit: Visit, form: Form) -> tuple[dict[str, str] | None, Any]:
        try:
            return conversation_file.save(visit.conversation, form).to_json(), notice(QUIET)
        except Blip2Error as error:
            return None, notice(Notice(str(error)))

    def _answering(self, steps: Iterator[Step], model: str) -> Iterator[Updates]:
        """The updates of the steps; the actions themselves keep to the visitor's share."""
        for step in steps:
            yield self.updates.after(step, model)
