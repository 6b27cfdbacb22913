"""Asking by a program, through gradio's client: `ask` and `retry` with the plain facts of an answer instead of markup.

They share the visitor's state with the page's own events, so that a client's session is a visit like any other.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import gradio as gr

from blip2.ui.chat_actions import ChatActions
from blip2.ui.chat_layout import Parts
from blip2.ui.decoding_panel import choice, with_knobs
from blip2.ui.visit import Seen, Step, Visit

Told = dict[Any, Any]


class ChatApi:
    """The endpoints of one tab; built beside its components, out of sight."""

    def __init__(self, actions: ChatActions, parts: Parts) -> None:
        self._actions = actions
        self._parts = parts
        self._answer = gr.JSON(visible=False, label="Answer")

    def wire(self) -> list[Any]:
        """Add the endpoints; returns their events, which clearing must cancel."""
        parts = self._parts
        asked, retried = gr.Button(visible=False), gr.Button(visible=False)
        outputs = [parts.visit, self._answer]
        sending: dict[str, Any] = {"outputs": outputs, "concurrency_limit": None, "show_progress": "hidden"}
        choosing = [parts.model, *parts.knobs]
        return [
            asked.click(self.on_ask, [parts.visit, parts.picture, parts.box, *choosing], api_name="ask", **sending),
            retried.click(self.on_retry, [parts.visit, *choosing], api_name="retry", **sending),
        ]

    @with_knobs()
    def on_ask(
        self, request: gr.Request, visit: Visit, picture: Seen, question: str, model: str, *settings: Any
    ) -> Iterator[Told]:
        """Ask a question about the picture; streams the answer with its facts, and remembers it for the next one."""
        chosen = choice(model, settings)
        yield from self._told(self._actions.ask(visit, picture, question, chosen, request.session_hash or ""))

    @with_knobs()
    def on_retry(self, request: gr.Request, visit: Visit, model: str, *settings: Any) -> Iterator[Told]:
        """Ask the last question again with the settings as they are now; streams the answer with its facts."""
        yield from self._told(self._actions.retry(visit, choice(model, settings), request.session_hash or ""))

    def _told(self, steps: Iterator[Step]) -> Iterator[Told]:
        for step in steps:
            told: Told = {self._answer: facts(step)}
            yield told if step.visit is None else told | {self._parts.visit: step.visit}


def facts(step: Step) -> dict[str, Any]:
    """The answer in a step as plain values; an `error` is a sentence, and nothing was changed by what failed."""
    if step.notice is not None and step.notice.text and (step.notice.failed or step.visit is None):
        return {"error": step.notice.text}
    turns: Sequence[Any] = step.visit.conversation.turns if step.visit else ()
    if not turns:
        return {}
    last = turns[-1]
    return {
        "question": last.question,
        "answer": last.answer,
        "finish": last.finish and str(last.finish),
        "confidence": last.confidence,
        "seconds": last.usage.total,
        "waiting": last.waiting,
        "model": last.model,
        "prompt": last.prompt,
        "notice": last.notice,
    }
