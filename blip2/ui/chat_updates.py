"""From a step of the chat to what each of its components must show."""

from collections.abc import Sequence
from typing import Any

import gradio as gr

from blip2.ui import chat_view, empty_state
from blip2.ui.chat_actions import ChatActions
from blip2.ui.chat_layout import Parts
from blip2.ui.examples import Example
from blip2.ui.notice import notice
from blip2.ui.visit import Seen, Step, Visit
from blip2.values import Picture

Updates = dict[Any, Any]


class ChatUpdates:
    """Makes the updates of one tab's components."""

    def __init__(self, actions: ChatActions, parts: Parts, shown: Sequence[Example]) -> None:
        self._actions = actions
        self._parts = parts
        self._shown = shown

    def after(self, step: Step, model: str) -> Updates:
        """The updates after a step. A stream's steps name the same components: gradio may merge two that come together,
        and what only the first of them named would be lost."""
        parts = self._parts
        updates: Updates = {}
        if step.visit is not None:
            updates[parts.visit] = step.visit
            updates[parts.bot] = chat_view.messages(step.visit.conversation, self._actions.doubtful(step.visit))
            if step.busy is not None:
                updates |= self._suggested(step.visit, step.busy)
                updates[parts.remark] = self.remark(step.visit, model)
        if step.busy is not None or step.text is not None:
            updates[parts.box] = _box(step.busy, step.text)
        if step.notice is not None:
            updates[parts.notice] = notice(step.notice)
        return updates or {parts.notice: gr.skip()}

    def mark(self, seen: Seen) -> Updates:
        """The mark on the example that is in the frame. -1 is none: None would leave the gallery's mark where it is."""
        if self._parts.gallery is None:
            return {}
        digest = seen.digest if isinstance(seen, Picture) else ""
        at = next((at for at, example in enumerate(self._shown) if example.picture.digest == digest), -1)
        return {self._parts.gallery: gr.update(selected_index=at)}

    def model(self, visit: Visit, model: str) -> Updates:
        """What the page says of the chosen model."""
        info = next((info for info in self._actions.models if info.name == model), None)
        return {
            self._parts.bot: gr.update(placeholder=empty_state.placeholder(info)),
            self._parts.remark: self.remark(visit, model),
        }

    def remark(self, visit: Visit, model: str) -> Any:
        """The calm word under a picture that the chosen model cannot see."""
        foreign = visit.foreign and self._actions.pocket(model)
        return gr.update(value=f'<p role="status">{empty_state.FOREIGN}</p>' if foreign else "", visible=foreign)

    def _suggested(self, visit: Visit, busy: bool) -> Updates:
        offered: list[Any] = [
            gr.update(value=text, visible=True, interactive=not busy) for text in self._actions.suggestions(visit)
        ]
        chips = self._parts.chips
        return dict(zip(chips, [*offered, *[gr.update(visible=False)] * len(chips)], strict=False))


def _box(busy: bool | None, text: str | None) -> Any:
    """The question box: with a Stop button while an answer is written, a Send button otherwise."""
    changes: dict[str, Any] = {} if busy is None else {"submit_btn": not busy, "stop_btn": busy}
    return gr.update(**changes) if text is None else gr.update(value=text, **changes)
