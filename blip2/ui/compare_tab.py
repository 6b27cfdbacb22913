"""The compare tab, wired: components and events on one side, `compare_actions` on the other."""

from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import gradio as gr

from blip2.ui import asking
from blip2.ui.asking import Updates
from blip2.ui.chat_actions import ChatActions
from blip2.ui.compare_actions import Choices, CompareActions
from blip2.ui.compare_endpoints import CompareEndpoints
from blip2.ui.compare_layout import CompareParts, compare_layout, panel_title
from blip2.ui.compare_updates import CompareUpdates
from blip2.ui.compare_visit import CompareStep, CompareVisit
from blip2.ui.decoding_panel import choice, with_knobs
from blip2.ui.examples import Example, examples, questions_by_picture
from blip2.ui.notice import notice
from blip2.ui.studio import Studio
from blip2.ui.visit import Notice, Seen, told
from blip2.ui.visitors import Visitors
from blip2.votes import FILE, Verdict, VoteBook

QUIETLY: dict[str, Any] = {"show_progress": "hidden"}  # gradio's own progress would cover the answers
INSIDE: dict[str, Any] = {**QUIETLY, "api_visibility": "private"}


def compare_tab(studio: Studio) -> None:
    """Build the tab inside the Blocks of the shell."""
    shown = examples()
    chat = ChatActions(
        studio.backend,
        questions_by_picture(shown),
        studio.is_foreign,
        studio.settings.deadline,
    )
    actions = CompareActions(chat, VoteBook(Path(studio.settings.data) / FILE))
    parts = compare_layout(actions, shown)
    CompareTab(actions, parts, shown, studio.visitors).wire()
    CompareEndpoints(actions, parts, studio.visitors).wire()


class CompareTab:
    """The handlers of a tab and their wiring."""

    def __init__(
        self, actions: CompareActions, parts: CompareParts, shown: Sequence[Example], visitors: Visitors
    ) -> None:
        self.actions = actions
        self.parts = parts
        self.shown = shown
        self.visitors = visitors
        self.updates = CompareUpdates(actions, parts)

    def wire(self) -> None:
        """Every event of the tab."""
        parts = self.parts
        models = [each.model for each in parts.contestants]
        voting = [parts.votes, parts.asked, *parts.buttons.values()]
        outputs = [
            parts.visit, parts.rounds, parts.box, parts.notice, parts.remark, parts.again, parts.undo, *parts.chips,
            *voting,
        ]  # fmt: skip
        runs = self._wire_answers(outputs, models)
        ending: dict[str, Any] = {"outputs": outputs, "cancels": runs, **QUIETLY}
        parts.undo.click(self.on_undo, [parts.visit, *models], api_name="compare_undo", **ending)
        parts.clear.click(self.on_clear, [parts.visit, *models], api_name="compare_clear", **ending)
        parts.box.stop(self.on_stop, parts.visit, parts.notice, api_name="compare_stop", **QUIETLY)
        framed = [parts.picture, *([parts.gallery] if parts.gallery is not None else [])]
        parts.picture.change(self.on_look, [parts.visit, parts.picture, *models], [*outputs, *framed], **INSIDE)
        if parts.gallery is not None:
            parts.gallery.select(self.on_example, None, parts.picture, **INSIDE)
        titles = [each.title for each in parts.contestants]
        gr.on(
            [each.change for each in models], self.on_model, [parts.visit, *models], [*titles, parts.remark], **INSIDE
        )
        parts.blind.change(
            self.on_blind, [parts.visit, parts.blind, *models], [parts.visit, parts.rounds, *voting], **INSIDE
        )
        for verdict, button in parts.buttons.items():
            press = partial(self.on_press, verdict)
            button.click(press, [parts.visit, *models], [*outputs, parts.results.shown], **INSIDE)
        parts.results.fold.expand(self.updates.results, None, parts.results.shown, **INSIDE)

    def _wire_answers(self, outputs: list[Any], models: list[gr.Dropdown]) -> list[Any]:
        """The events that stream answers. The models have queues of their own, so gradio does not limit them."""
        parts = self.parts
        stream: dict[str, Any] = {"outputs": outputs, "concurrency_limit": None}
        choosing = [*models, *(knob for each in parts.contestants for knob in each.panel.knobs)]
        return [
            parts.again.click(self.on_retry, [parts.visit, *choosing], api_name="compare_again", **stream, **QUIETLY),
            *[
                ask(self.on_ask, [parts.visit, parts.picture, text, parts.blind, *choosing], **stream, **INSIDE)
                for ask, text in [(parts.box.submit, parts.box), *((chip.click, chip) for chip in parts.chips)]
            ],
        ]

    def on_ask(
        self, request: gr.Request, visit: CompareVisit, seen: Seen, text: str, blind: bool, first: str, second: str,
        *knobs: Any,
    ) -> Iterator[Updates]:  # fmt: skip
        """Ask both models a question about the picture; streams both answers."""
        visitor = request.session_hash or ""
        steps = self.actions.ask(visit, seen, text, choices(first, second, knobs), blind, visitor)
        yield from self._answering(visitor, steps, (first, second))

    @with_knobs("_a", "_b")
    def on_retry(
        self, request: gr.Request, visit: CompareVisit, first: str, second: str, *knobs: Any
    ) -> Iterator[Updates]:
        """Ask the last question again, of a side that failed or else of both; streams the answers."""
        visitor = request.session_hash or ""
        steps = self.actions.retry(visit, choices(first, second, knobs), visitor)
        yield from self._answering(visitor, steps, (first, second))

    def on_look(self, visit: CompareVisit, seen: Seen, first: str, second: str) -> Updates:
        """Take up the picture in the frame; another picture starts anew."""
        step = self.actions.look(visit, seen)
        updates = self.updates.after(step, (first, second))
        if step.notice and step.notice.failed:
            return updates | {self.parts.picture: visit.picture}
        return updates | asking.mark(self.parts.gallery, self.shown, seen)

    def on_undo(self, visit: CompareVisit, first: str, second: str) -> Updates:
        """Take back the last question and both answers; the question returns to the box."""
        return self.updates.after(self.actions.undo(visit), (first, second))

    def on_clear(self, visit: CompareVisit, first: str, second: str) -> Updates:
        """Forget all questions and answers; the picture stays."""
        return self.updates.after(self.actions.clear(visit), (first, second))

    def on_stop(self, visit: CompareVisit) -> Any:
        """Stop both answers; what is written so far stays."""
        self.actions.halt(visit)
        return gr.skip()

    def on_press(self, verdict: Verdict, visit: CompareVisit, first: str, second: str) -> Updates:
        """Vote by a button; the one that is pressed already takes the vote back."""
        return self.updates.voted(self.actions.press(visit, verdict), (first, second))

    def on_blind(self, visit: CompareVisit, blind: bool, first: str, second: str) -> Updates:
        """Seeing again shows the names of all rounds; blindness begins with the next question."""
        if blind:
            return {self.parts.visit: visit}
        step = self.actions.reveal(visit)
        return self.updates.after(step, (first, second)) | self.updates.voting(step.visit or visit)

    def on_model(self, visit: CompareVisit, first: str, second: str) -> Updates:
        """Put the chosen models' names over their settings."""
        named = zip(self.parts.contestants, (first, second), strict=True)
        titles = {each.title: panel_title(self.actions.models, name) for each, name in named}
        return titles | {self.parts.remark: self.updates.remark(visit, (first, second))}

    def on_example(self, event: gr.SelectData) -> str:
        """Put the chosen example into the frame."""
        return self.shown[int(event.index)].path

    def _answering(
        self, visitor: str, steps: Generator[CompareStep, None, None], models: tuple[str, str]
    ) -> Iterator[Updates]:
        """The updates of the steps, within the visitor's share; what goes wrong is a sentence."""
        try:
            with self.visitors.admitted(visitor), closing(steps):
                for step in steps:
                    yield self.updates.after(step, models)
        except Exception as error:
            yield {self.parts.notice: notice(Notice(told(error), failed=True))}


def choices(first: str, second: str, knobs: Sequence[Any]) -> Choices:
    """What is chosen for both, from the values of both panels' knobs."""
    half = len(knobs) // 2
    return choice(first or "", knobs[:half]), choice(second or "", knobs[half:])
