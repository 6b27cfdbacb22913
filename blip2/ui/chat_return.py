"""Coming back to the chat: a link opens an example, a model and settings; a reload brings the conversation back.

What was said is kept by the visitor's own browser, for as long as its tab is open (`assets/script/return.js`), and
never by the server. On a reload the browser hands over the picture first, as if it were dropped into the frame, and
the conversation is taken up once the picture proves to be the one it was about.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import gradio as gr

from blip2 import chat, transcript
from blip2.ui.asking import Updates
from blip2.ui.chat_actions import ChatActions
from blip2.ui.chat_layout import Parts
from blip2.ui.chat_link import from_query, to_query
from blip2.ui.chat_updates import ChatUpdates
from blip2.ui.decoding_panel import KNOBS, knob_values, with_knobs
from blip2.ui.examples import Example
from blip2.ui.notice import notice
from blip2.ui.visit import Notice, Seen, Visit
from blip2.values import Picture

INSIDE: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
ARRIVE = "() => window.blip2Arrive()"
HAND = "(told) => { window.blip2Hand(told); }"
KEEP = "(kept) => { window.blip2Keep(kept); }"
COPY = "(link) => { window.blip2Copy(link); }"
LARGEST = 2_000_000  # letters of a conversation that comes back: thousands of turns
WITH_EXAMPLE = "The link is copied; it opens this example with this model and these settings."
WITHOUT = "The link is copied; it opens this model and these settings, and your own picture stays with you."


class ChatReturn:
    """The handlers of links and reloads, with the hidden values that pass between page and browser."""

    def __init__(self, actions: ChatActions, parts: Parts, shown: Sequence[Example], updates: ChatUpdates) -> None:
        self._actions = actions
        self._parts = parts
        self._shown = {Path(example.path).stem: example for example in shown}
        self._updates = updates
        self._arrival = gr.JSON(visible=False)  # the query, and what the browser kept
        self._handed = gr.JSON(visible=False)  # whether the browser is to hand over the picture
        self._kept = gr.JSON(visible=False)
        self._link = gr.JSON(visible=False, label="Link")
        self._pending = gr.State("")  # a conversation that waits for its picture

    def wire(self, outputs: list[Any], looked: Any, ended: Sequence[Any]) -> None:
        """`looked` is the event that takes up a picture; after the events `ended` the conversation is kept anew."""
        parts = self._parts
        settings = [parts.model, *parts.knobs]
        opened = [self._pending, self._handed, parts.picture, parts.notice, *settings]
        page = gr.context.Context.root_block
        arrived = page.load(self.on_arrive, self._arrival, opened, js=ARRIVE, queue=False, **INSIDE)
        arrived.then(None, self._handed, None, js=HAND)
        waiting = [parts.visit, parts.picture, self._pending, parts.model]
        resumed = looked.then(self.on_resume, waiting, [*outputs, self._pending, *settings], **INSIDE)
        for event in (resumed, *ended):
            event.then(self.on_keep, parts.visit, self._kept, queue=False, **INSIDE).then(
                None, self._kept, None, js=KEEP
            )
        linking = [parts.picture, parts.model, *parts.knobs]
        linked = parts.files.link.click(
            self.on_link, linking, [self._link, parts.notice], api_name="link", show_progress="hidden"
        )
        linked.then(None, self._link, None, js=COPY)

    def on_arrive(self, request: gr.Request, arrival: dict[str, str] | None) -> Updates:
        """Follow the link that the page was opened by, or else ask the browser for the picture it kept."""
        arrival = arrival if isinstance(arrival, dict) else {}
        text = str(arrival.get("text") or "")
        if 0 < len(text) <= LARGEST and arrival.get("whose") == (request.username or ""):
            return {self._pending: text, self._handed: {"hand": True}}
        query = str(arrival.get("query") or "")
        if not query:
            return {self._handed: {"hand": False}}
        parts = self._parts
        ranges = {
            name: (knob.minimum, knob.maximum)
            for name, knob in zip(KNOBS, parts.knobs, strict=True)
            if isinstance(knob, gr.Slider)
        }
        opening = from_query(query, self._shown, [info.name for info in self._actions.models], ranges)
        updates: Updates = {self._handed: {"hand": False}}
        if opening.example is not None:
            updates[parts.picture] = self._shown[opening.example].path
        if opening.model is not None:
            updates[parts.model] = opening.model
        if opening.knobs is not None:
            updates |= dict(zip(parts.knobs, opening.knobs, strict=True))
        if opening.notice:
            updates[parts.notice] = notice(Notice(opening.notice, failed=True))
        return updates

    def on_resume(self, visit: Visit, seen: Seen, pending: str, model: str) -> Updates:
        """Take up the conversation that waits for the picture now in the frame, with its model and settings."""
        if not pending or not isinstance(seen, Picture):
            return {self._pending: pending}
        step = self._actions.come_back(visit, seen, pending)
        if step.visit is None:
            return {self._pending: ""}
        talk = step.visit.conversation
        settings = dict(zip(self._parts.knobs, knob_values(talk), strict=True))
        updates = self._updates.after(step, talk.model) | settings
        return updates | {self._pending: "", self._parts.model: talk.model}

    def on_keep(self, request: gr.Request, visit: Visit) -> dict[str, str] | None:
        """What the browser is to keep of the conversation; nothing of one without answers."""
        talk = chat.finished(visit.conversation)
        if talk.picture is None or not talk.turns:
            return None
        now = datetime.now(UTC).isoformat(timespec="seconds")
        text = transcript.to_json(talk, exported=now, embed=False)
        return {"text": text, "digest": talk.picture.digest, "name": talk.picture.name, "whose": request.username or ""}

    @with_knobs()
    def on_link(self, picture: Seen, model: str, *settings: Any) -> tuple[dict[str, str], Any]:
        """A link that opens the same example, model and settings: the query to put behind the page's address."""
        digest = picture.digest if isinstance(picture, Picture) else ""
        name = next((name for name, example in self._shown.items() if example.picture.digest == digest), "")
        said = WITH_EXAMPLE if name or not digest else WITHOUT
        return {"query": to_query(name, model, settings)}, notice(Notice(said))
