"""Where the Q-Former looked in the chat's picture: a map over it, at a button's press.

The map is attention and not an explanation, and the same for every question: the Q-Former of OPT and FlanT5 does not
read the question.
"""

import base64
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import gradio as gr

from blip2.backends.base import Backend
from blip2.errors import BadImage
from blip2.ui.chat_view import escape
from blip2.ui.match_heat import overlay, place, preview
from blip2.ui.notice import notice
from blip2.ui.visit import QUIET, Notice, Seen, told
from blip2.values import Picture

SHOW, HIDE = "Where it looked", "Hide where it looked"
ABOUT = (
    "Attention of the Q-Former's queries over the picture: where they looked, the same for every question. It is no "
    "explanation of an answer."
)


@dataclass(frozen=True, slots=True)
class Looked:
    """What a map is of: it is stale once another picture or model is there."""

    digest: str
    model: str


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
        self._looked = gr.State(None)

    def wire(self, picture: gr.Image, model: gr.Dropdown, notice_line: gr.HTML) -> None:
        """The button's event, hiding the map when it is of another picture or model, and the endpoint for programs."""
        outputs: list[Any] = [self.button, self.shown, self._looked]
        inside: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
        gr.on([picture.change, model.change], self.on_frame, picture, outputs, **inside)
        pressing = [picture, model, self._looked]
        pressed = self.button.click(self.on_press, pressing, [*outputs, notice_line], **inside)
        pressed.then(self.on_shown, pressing, outputs, queue=False, **inside)
        called, map_ = gr.Button(visible=False), gr.JSON(visible=False, label="Attention")
        called.click(self.on_call, [picture, model], map_, api_name="where_it_looked", show_progress="hidden")

    def on_frame(self, seen: Seen) -> tuple[Any, Any, Any]:
        """Offer the map for a picture; what is shown is of an earlier one."""
        return gr.update(value=SHOW, visible=isinstance(seen, Picture)), gr.update(value="", visible=False), None

    def on_press(self, request: gr.Request, seen: Seen, model: str, looked: Looked | None) -> tuple[Any, Any, Any, Any]:
        """Draw the map, or take it away where it is shown."""
        if looked is not None or not isinstance(seen, Picture):
            return *self.on_frame(seen), gr.skip()
        try:
            with self._admitted(request.session_hash or ""):
                drawn = heat(self._backend, model, seen)
        except Exception as error:
            return *self.on_frame(seen), notice(Notice(told(error), failed=True))
        shown = gr.update(value=drawn, visible=True)
        return gr.update(value=HIDE), shown, Looked(seen.digest, model), notice(QUIET)

    def on_shown(self, seen: Seen, model: str, looked: Looked | None) -> tuple[Any, Any, Any]:
        """Take the map away again if picture or model changed while it was drawn."""
        now = Looked(seen.digest, model) if isinstance(seen, Picture) else None
        return (gr.skip(),) * 3 if looked in (None, now) else self.on_frame(seen)

    def on_call(self, request: gr.Request, picture: Seen, model: str) -> dict[str, Any]:
        """Where a model's Q-Former looked: shares of its attention over the picture's patches, row by row from the top.

        Args:
            picture: the picture.
            model: one of the models offered.
        """
        try:
            if isinstance(picture, BadImage):
                raise picture
            if picture is None:
                raise BadImage("There is no picture to look at; add one first.")
            with self._admitted(request.session_hash or ""):
                grid = self._backend.attend(model, picture).maps[0]
        except Exception as error:
            return {"error": told(error)}
        where, share = place(grid)
        return {"map": [[round(float(value), 6) for value in row] for row in grid], "most": where, "share": share}
