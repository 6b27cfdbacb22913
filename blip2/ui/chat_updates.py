"""From a step of the chat to what each of its components must show."""

from collections.abc import Sequence
from typing import Any

import gradio as gr

from blip2.ui import asking, chat_view, empty_state
from blip2.ui.asking import Updates
from blip2.ui.chat_actions import ChatActions
from blip2.ui.chat_fit import Fits
from blip2.ui.chat_layout import Parts
from blip2.ui.examples import Example
from blip2.ui.notice import notice
from blip2.ui.visit import Seen, Step, Visit


class ChatUpdates:
    """Makes the updates of one tab's components."""

    def __init__(self, actions: ChatActions, parts: Parts, shown: Sequence[Example]) -> None:
        self._actions = actions
        self._parts = parts
        self._shown = shown
        self.fits = Fits(actions.backend)

    def after(self, step: Step, model: str) -> Updates:
        """The updates after a step. A stream's steps name the same components: gradio may merge two that come together,
        and what only the first of them named would be lost."""
        parts = self._parts
        updates: Updates = {}
        if step.visit is not None:
            updates[parts.visit] = step.visit
            updates[parts.bot] = self.messages(step.visit)
            if step.busy is not None:
                updates |= asking.offer(parts.chips, self._actions.suggestions(step.visit), step.busy)
                updates[parts.remark] = self.remark(step.visit, model)
        if step.busy is not None or step.text is not None:
            updates[parts.box] = asking.boxed(step.busy, step.text)
        if step.notice is not None:
            updates[parts.notice] = notice(step.notice)
        return updates or {parts.notice: gr.skip()}

    def messages(self, visit: Visit) -> list[dict[str, str]]:
        """The conversation as the chatbot shows it, with what is known by now of how well its answers fit."""
        return chat_view.messages(visit.conversation, self._actions.doubtful(visit), self.fits.known(visit))

    def mark(self, seen: Seen) -> Updates:
        """The mark on the example that is in the frame."""
        return asking.mark(self._parts.gallery, self._shown, seen)

    def model(self, visit: Visit, model: str) -> Updates:
        """What the page says of the chosen model."""
        info = next((info for info in self._actions.models if info.name == model), None)
        return {
            self._parts.bot: gr.update(placeholder=empty_state.placeholder(info)),
            self._parts.remark: self.remark(visit, model),
        }

    def remark(self, visit: Visit, model: str) -> Any:
        """The calm word under a picture that the chosen model cannot see."""
        return asking.remark(visit.foreign and self._actions.pocket(model))
