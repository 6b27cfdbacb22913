"""Where the Q-Former looked in the chat's picture: a map over it, at a button's press.

The map is attention and not an explanation, and the same for every question: the Q-Former of OPT and FlanT5 does not
read the question.
"""

import base64
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import gradio as gr

from blip2.backends.base import Backend
from blip2.ui.chat_view import escape
from blip2.ui.match_heat import overlay, place, preview
from blip2.ui.visit import Seen, told
from blip2.values import Picture

SHOW, HIDE = "Where it looked", "Hide where it looked"
ABOUT = (
    "Attention of the Q-Former's queries over the picture: where they looked, the same for every question. It is no "
    "explanation of an answer."
)


def heat(backend: Backend, model: str, picture: Picture) -> str:
    """The map over the picture, and in words where the largest share lies, as HTML. Raises what the backend raises."""
    grid = backend.attend(model, picture).maps[0]
    where, share = place(grid)
    under = base64.b64encode(preview(picture.image)).decode()
    over = base64.b64encode(overlay(grid)).decode()
    return (
        '<figure class="heat"><div>'
        f'<img class="under" alt="The picture" src="data:image/jpeg;base64,{under}">'
        f'<img class="over" alt="Map of the attention; largest share: {escape(where)}" '
        f'src="data:image/png;base64,{over}"></div>'
        f"<figcaption>{ABOUT} Largest share: {escape(where)}, {share:.0%}.</figcaption></figure>"
    )


class ChatLook:
    """The button and the map. `admitted` gives a visitor a place among the requests."""

    def __init__(self, backend: Backend, admitted: Callable[[str], AbstractContextManager[None]]) -> None:
        self._backend = backend
        self._admitted = admitted

    def build(self) -> None:
        """Make the components, where they are to stand."""
        self.button = gr.Button(SHOW, size="sm", visible=False, elem_id="chat-look")
        self.shown = gr.HTML(visible=False, elem_id="chat-heat", padding=False)

    def wire(self, picture: gr.Image, model: gr.Dropdown) -> None:
        """The button's event, and hiding the map when it is of another picture or model."""
        outputs: list[Any] = [self.button, self.shown]
        quietly: dict[str, Any] = {"show_progress": "hidden"}
        gr.on([picture.change, model.change], self.on_frame, picture, outputs, api_visibility="private", **quietly)
        self.button.click(self.on_look, [picture, model, self.button], outputs, api_name="where_it_looked", **quietly)

    def on_frame(self, seen: Seen) -> tuple[Any, Any]:
        """Offer the map for a picture; what is shown is of an earlier one."""
        return gr.update(value=SHOW, visible=isinstance(seen, Picture)), gr.update(value="", visible=False)

    def on_look(self, request: gr.Request, seen: Seen, model: str, label: str) -> tuple[Any, Any]:
        """Where a model's Q-Former looked in the picture: a map over it as HTML.

        Args:
            seen: the picture.
            model: one of the models offered.
            label: what the button says; "Hide where it looked" takes the map away.
        """
        if label == HIDE or not isinstance(seen, Picture):
            return self.on_frame(seen)
        try:
            with self._admitted(request.session_hash or ""):
                shown = heat(self._backend, model, seen)
        except Exception as error:
            return gr.update(value=SHOW), gr.update(value=_sorry(told(error)), visible=True)
        return gr.update(value=HIDE), gr.update(value=shown, visible=True)


def _sorry(sentence: str) -> str:
    return f'<p role="alert">{escape(sentence)}</p>'
