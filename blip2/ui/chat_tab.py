"""The chat tab: its layout and its wiring. What happens is in `chat_actions`; how a conversation reads, in `chat_view`."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import gradio as gr

from blip2.chat import Conversation
from blip2.errors import Blip2Error
from blip2.ui import chat_view, conversation_file, empty_state
from blip2.ui.chat_actions import QUIET, ChatActions, Notice, Seen, Step, Visit, by_digest
from blip2.ui.conversation_file import Form
from blip2.ui.decoding_panel import choice, decoding_panel
from blip2.ui.examples import Example, examples
from blip2.ui.picture import PictureFrame
from blip2.ui.studio import Studio
from blip2.values import Picture

CHIPS = 4
Updates = dict[Any, Any]


@dataclass(frozen=True)
class FileMenu:
    """Saving and opening; `saved` carries a saved file to the page's script."""

    markdown: gr.Button
    json: gr.Button
    opened: gr.UploadButton
    saved: gr.JSON


@dataclass(frozen=True)
class Parts:
    """The tab's components."""

    visit: gr.State
    picture: PictureFrame
    remark: gr.HTML
    gallery: gr.Gallery | None
    model: gr.Dropdown
    files: FileMenu
    clear: gr.Button
    bot: gr.Chatbot
    notice: gr.HTML
    chips: list[gr.Button]
    box: gr.Textbox
    knobs: list[gr.components.Component]


def chat_tab(studio: Studio) -> None:
    """Build the tab inside the Blocks of the shell."""
    shown = examples()
    actions = ChatActions(
        studio.backend,
        by_digest((example.picture, example.questions) for example in shown),
        studio.is_foreign,
        studio.settings.deadline,
    )
    parts = _layout(actions, shown)
    ChatWiring(actions, parts, shown).wire()


def _layout(actions: ChatActions, shown: Sequence[Example]) -> Parts:
    models = actions.models
    first = models[0] if models else None
    visit = gr.State(Visit(Conversation(first.name if first else "")), time_to_live=86_400)
    with gr.Row(elem_id="chat-cols", equal_height=False):
        with gr.Column(scale=5, min_width=300, elem_id="chat-left"):
            picture = PictureFrame(
                format="png",
                label="Picture",
                show_label=False,
                sources=["upload", "webcam", "clipboard"],
                height=340,
                buttons=["fullscreen"],
                elem_id="chat-image",
                placeholder="Drop or paste a picture here\nor click to choose a file",
                alt_text="The picture being talked about",
            )
            remark = gr.HTML(elem_id="chat-remark", visible=False)
            if shown:
                gr.HTML('<h2 class="quiet-title">Examples</h2>', padding=False)
            gallery = _gallery(shown) if shown else None
        with gr.Column(scale=8, min_width=320, elem_id="chat-right"):
            with gr.Row(elem_id="chat-bar", equal_height=True):
                model = gr.Dropdown(
                    [(info.title, info.name) for info in models],
                    value=first.name if first else None,
                    label="Model",
                    container=False,
                    show_label=False,
                    filterable=False,
                    elem_id="chat-model",
                )
                files = _file_menu()
                clear = gr.Button("New chat", size="sm", elem_id="chat-clear", min_width=0, scale=0)
            bot = gr.Chatbot(
                label="Conversation",
                show_label=False,
                elem_id="chat-bot",
                height="100%",
                layout="bubble",
                buttons=["copy"],
                editable="user",
                feedback_options=None,
                latex_delimiters=[],
                render_markdown=False,
                group_consecutive_messages=False,
                placeholder=empty_state.placeholder(first),
            )
            notice = gr.HTML(elem_id="chat-notice", visible=False)
            with gr.Row(elem_id="chat-chips"):
                chips = [gr.Button("", size="sm", visible=False, min_width=0, elem_classes="chip") for _ in range(CHIPS)]
            box = gr.Textbox(
                label="Your question",
                show_label=False,
                container=False,
                lines=1,
                max_lines=6,
                placeholder="Ask about the picture",
                submit_btn=True,
                elem_id="chat-box",
                html_attributes=gr.InputHTMLAttributes(autocomplete="off", enterkeyhint="send"),
            )
            panel = decoding_panel("chat")
    return Parts(visit, picture, remark, gallery, model, files, clear, bot, notice, chips, box, panel.knobs)


def _file_menu() -> FileMenu:
    with gr.Accordion("File", open=False, elem_id="chat-file"):
        markdown = gr.Button("Save for reading (Markdown)", size="sm", elem_id="chat-save-markdown")
        json = gr.Button("Save to go on later (JSON)", size="sm", elem_id="chat-save-json")
        opened = gr.UploadButton("Open a saved conversation", size="sm", file_types=[".json"], elem_id="chat-open")
    return FileMenu(markdown, json, opened, gr.JSON(visible=False))


def _gallery(shown: Sequence[Example]) -> gr.Gallery:
    return gr.Gallery(
        [(example.thumbnail, example.title) for example in shown],
        label="Examples",
        show_label=False,
        columns=6,
        object_fit="cover",
        allow_preview=False,
        interactive=False,
        height="auto",
        buttons=[],
        elem_id="chat-examples",
    )


class ChatWiring:
    """Connects the tab's components with the actions."""

    def __init__(self, actions: ChatActions, parts: Parts, shown: Sequence[Example]) -> None:
        self.actions = actions
        self.parts = parts
        self.shown = shown

    def wire(self) -> None:
        """Every event of the tab. Streams share one set of inputs; what ends them cancels them."""
        parts, quiet = self.parts, {"show_progress": "hidden"}
        choosing = [parts.model, *parts.knobs]
        outputs = [parts.visit, parts.bot, parts.box, parts.notice, parts.remark, *parts.chips]
        stream: dict[str, Any] = {"outputs": outputs, "concurrency_limit": None, **quiet}
        asking = [parts.visit, parts.picture, parts.box, *choosing]
        runs = [
            parts.box.submit(self.on_ask, asking, api_name="ask", **stream),
            parts.bot.retry(self.on_retry, [parts.visit, *choosing], api_name="retry", **stream),
            parts.bot.edit(self.on_edit, [parts.visit, *choosing], api_visibility="private", **stream),
        ]
        for chip in parts.chips:
            inputs = [parts.visit, parts.picture, chip, *choosing]
            runs.append(chip.click(self.on_ask, inputs, api_visibility="private", **stream))
        ending: dict[str, Any] = {"outputs": outputs, "cancels": runs, **quiet}
        looking = [parts.visit, parts.picture, parts.model]
        framed = [parts.picture, *([parts.gallery] if parts.gallery is not None else [])]
        parts.picture.change(self.on_look, looking, [*outputs, *framed], api_name="look", **quiet)
        parts.bot.undo(self.on_undo, parts.visit, api_name="undo", **ending)
        gr.on([parts.clear.click, parts.bot.clear], self.on_clear, parts.visit, api_name="clear", **ending)
        parts.box.stop(self.on_stop, parts.visit, parts.notice, api_name="stop", **quiet)
        parts.model.change(self.on_model, [parts.visit, parts.model], [parts.bot, parts.remark], api_visibility="private", **quiet)
        self._wire_files(outputs, runs)
        if parts.gallery is not None:
            parts.gallery.select(self.on_example, None, parts.picture, api_visibility="private", **quiet)

    def _wire_files(self, outputs: list[Any], runs: list[Any]) -> None:
        parts, files = self.parts, self.parts.files
        shown = [parts.picture, *outputs]
        files.opened.upload(
            self.on_open, [parts.visit, files.opened, parts.model], shown, cancels=runs, show_progress="hidden", api_visibility="private"
        )
        for button, form in ((files.markdown, "markdown"), (files.json, "json")):
            button.click(
                partial(self.on_save, form), parts.visit, [files.saved, parts.notice], show_progress="hidden", api_name=f"save_{form}"
            ).then(None, files.saved, None, js="(file) => { window.blip2Save(file); }")

    def on_ask(self, visit: Visit, seen: Seen, text: str, model: str, *knobs: Any) -> Iterator[Updates]:
        """Ask a question about the picture; streams the conversation."""
        yield from self._shown(self.actions.ask(visit, seen, text, choice(model, knobs)), model)

    def on_retry(self, visit: Visit, model: str, *knobs: Any) -> Iterator[Updates]:
        """Ask the last question again with the settings as they are now; streams the conversation."""
        yield from self._shown(self.actions.retry(visit, choice(model, knobs)), model)

    def on_edit(self, event: gr.EditData, visit: Visit, model: str, *knobs: Any) -> Iterator[Updates]:
        """Ask an edited question in place of the earlier one."""
        turn = chat_view.turn_of(event.index if isinstance(event.index, int) else event.index[0])
        yield from self._shown(self.actions.edit(visit, turn, str(event.value), choice(model, knobs)), model)

    def on_look(self, visit: Visit, seen: Seen, model: str) -> Updates:
        """Take up the picture in the frame; another picture starts a new conversation."""
        step = self.actions.look(visit, seen)
        updates = self._updates(step, model)
        if step.notice and step.notice.failed:
            updates[self.parts.picture] = visit.conversation.picture
        elif self.parts.gallery is not None:
            updates[self.parts.gallery] = gr.update(selected_index=self._example(seen))
        return updates

    def on_undo(self, visit: Visit, model: str = "") -> Updates:
        """Take back the last question and its answer; the question returns to the box."""
        return self._updates(self.actions.undo(visit), model)

    def on_clear(self, visit: Visit, model: str = "") -> Updates:
        """Forget the conversation; the picture stays."""
        return self._updates(self.actions.clear(visit), model)

    def on_save(self, form: Form, visit: Visit) -> tuple[dict[str, str] | None, Any]:
        """The conversation as a file: its name, media type and text."""
        try:
            return conversation_file.save(visit.conversation, form).to_json(), _notice(QUIET)
        except Blip2Error as error:
            return None, _notice(Notice(str(error)))

    def on_open(self, visit: Visit, path: str, model: str) -> Updates:
        """Take up a saved conversation."""
        step = self.actions.resume(visit, path)
        updates = self._updates(step, model)
        if step.visit is not None:
            updates[self.parts.picture] = step.visit.conversation.picture
        return updates

    def on_stop(self, visit: Visit) -> Any:
        """Stop the answer being written; what is written so far stays."""
        self.actions.halt(visit)
        return gr.skip()

    def on_model(self, visit: Visit, model: str) -> Updates:
        """Say what the chosen model knows."""
        info = next((info for info in self.actions.models if info.name == model), None)
        return {
            self.parts.bot: gr.update(placeholder=empty_state.placeholder(info)),
            self.parts.remark: self._remark(visit, model),
        }

    def on_example(self, event: gr.SelectData) -> str:
        """Put the chosen example into the frame."""
        return self.shown[event.index].path

    def _example(self, seen: Seen) -> int:
        """Which example is in the frame; -1 is none of them (None would leave the gallery's mark where it is)."""
        digest = seen.digest if isinstance(seen, Picture) else ""
        return next((at for at, example in enumerate(self.shown) if example.picture.digest == digest), -1)

    def _shown(self, steps: Iterator[Step], model: str) -> Iterator[Updates]:
        for step in steps:
            yield self._updates(step, model)

    def _updates(self, step: Step, model: str) -> Updates:
        """What the components must show after a step. The box and the chips change only at its turning points."""
        parts, updates = self.parts, {}
        if step.visit is not None:
            updates[parts.visit] = step.visit
            updates[parts.bot] = chat_view.messages(step.visit.conversation, self.actions.doubtful(step.visit))
            if step.busy is not None:
                updates |= self._offered(step.visit, step.busy)
                updates[parts.remark] = self._remark(step.visit, model)
        if step.busy is not None or step.text is not None:
            updates[parts.box] = _box(step.busy, step.text)
        if step.notice is not None:
            updates[parts.notice] = _notice(step.notice)
        return updates or {parts.notice: gr.skip()}

    def _offered(self, visit: Visit, busy: bool) -> Updates:
        offered = self.actions.suggestions(visit)
        return {
            chip: gr.update(value=offered[at], visible=True, interactive=not busy) if at < len(offered) else gr.update(visible=False)
            for at, chip in enumerate(self.parts.chips)
        }

    def _remark(self, visit: Visit, model: str) -> Any:
        foreign = visit.foreign and self.actions.pocket(model)
        return gr.update(value=f'<p role="status">{empty_state.FOREIGN}</p>' if foreign else "", visible=foreign)


def _box(busy: bool | None, text: str | None) -> Any:
    """The question box: with a Stop button while an answer is written, a Send button otherwise."""
    changes: dict[str, Any] = {} if busy is None else {"submit_btn": not busy, "stop_btn": busy}
    return gr.update(**changes) if text is None else gr.update(value=text, **changes)


def _notice(notice: Notice) -> Any:
    kind = "failed" if notice.failed else "said"
    role = "alert" if notice.failed else "status"
    html = f'<p class="{kind}" role="{role}">{chat_view.escape(notice.text)}</p>' if notice.text else ""
    return gr.update(value=html, visible=bool(notice.text))
