"""The chat tab's components and where they stand. Nothing is wired here."""

from collections.abc import Sequence
from dataclasses import dataclass

import gradio as gr

from blip2.chat import Conversation
from blip2.ui import asking, empty_state
from blip2.ui.chat_actions import ChatActions
from blip2.ui.chat_look import ChatLook
from blip2.ui.decoding_panel import decoding_panel
from blip2.ui.examples import Example
from blip2.ui.notice import notice_line
from blip2.ui.picture import PictureFrame, picture_frame
from blip2.ui.visit import Visit

KEPT = 86_400  # seconds that a visitor's state outlives the visit


@dataclass(frozen=True)
class FileMenu:
    """Saving and opening; `saved` carries a saved file to the page's script."""

    markdown: gr.Button
    html: gr.Button
    json: gr.Button
    opened: gr.UploadButton
    link: gr.Button
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


def chat_layout(actions: ChatActions, shown: Sequence[Example], look: ChatLook) -> Parts:
    """Build the components, empty and unwired, inside the tab: the picture left, the conversation right."""
    first = actions.models[0] if actions.models else None
    visit = gr.State(Visit(Conversation(first.name if first else "")), time_to_live=KEPT)
    with gr.Row(elem_id="chat-cols", equal_height=False):
        with gr.Column(scale=5, min_width=300, elem_id="chat-left"):
            picture, remark = _picture()
            look.build()
            gallery = asking.example_row(shown, "chat-examples")
        with gr.Column(scale=8, min_width=320, elem_id="chat-right"):
            with gr.Row(elem_id="chat-bar", equal_height=True):
                model = gr.Dropdown(
                    [(info.title, info.name) for info in actions.models],
                    value=first.name if first else None,
                    label="Model",
                    container=False,
                    show_label=False,
                    filterable=False,
                    elem_id="chat-model",
                )
                files = _file_menu()
                clear = gr.Button("New chat", size="sm", elem_id="chat-clear", min_width=0, scale=0)
            bot = _conversation(empty_state.placeholder(first))
            notice = notice_line("chat-notice")
            chips = asking.chip_row("chat-chips")
            box = asking.question_box("chat-box", "Your question", "Ask about the picture")
            panel = decoding_panel("chat")
    return Parts(visit, picture, remark, gallery, model, files, clear, bot, notice, chips, box, panel.knobs)


def _picture() -> tuple[PictureFrame, gr.HTML]:
    picture = picture_frame("chat-image", "The picture being talked about", 340)
    return picture, gr.HTML(elem_id="chat-remark", visible=False)


def _conversation(placeholder: str) -> gr.Chatbot:
    return gr.Chatbot(
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
        placeholder=placeholder,
    )


def _file_menu() -> FileMenu:
    with gr.Accordion("File", open=False, elem_id="chat-file"):
        markdown = gr.Button("Save for reading (Markdown)", size="sm", elem_id="chat-save-markdown")
        html = gr.Button("Save to share (HTML)", size="sm", elem_id="chat-save-html")
        json = gr.Button("Save to go on later (JSON)", size="sm", elem_id="chat-save-json")
        opened = gr.UploadButton("Open a saved conversation", size="sm", file_types=[".json"], elem_id="chat-open")
        link = gr.Button("Copy a link to these settings", size="sm", elem_id="chat-link")
    return FileMenu(markdown, html, json, opened, link, gr.JSON(visible=False))
