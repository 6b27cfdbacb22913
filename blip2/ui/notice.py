"""The line that says what went wrong or what happened, one in each tab; no room while it has nothing to say."""

from typing import Any

import gradio as gr

from blip2.ui.chat_view import escape
from blip2.ui.visit import Notice, told


def notice_line(elem_id: str) -> gr.HTML:
    """The empty line."""
    return gr.HTML(elem_id=elem_id, visible=False, elem_classes="notice", padding=False)


def notice(said: Notice) -> Any:
    """The update that shows `said`, or hides the line when it is quiet."""
    kind, role = ("failed", "alert") if said.failed else ("said", "status")
    markup = f'<p class="{kind}" role="{role}">{escape(said.text)}</p>' if said.text else ""
    return gr.update(value=markup, visible=bool(said.text))


def sorry(error: Exception) -> Any:
    """The update that says what went wrong; whatever was raised looks alike in every tab."""
    return notice(Notice(told(error), failed=True))
