"""From a step of a comparison to what each component of its tab must show."""

from typing import Any

import gradio as gr

from blip2.errors import VotesUnusable
from blip2.ui import asking, compare_results, compare_view
from blip2.ui.asking import Updates
from blip2.ui.compare_actions import CompareActions
from blip2.ui.compare_layout import CompareParts
from blip2.ui.compare_visit import CompareStep, CompareVisit
from blip2.ui.notice import notice


class CompareUpdates:
    """Makes the updates of one tab's components."""

    def __init__(self, actions: CompareActions, parts: CompareParts) -> None:
        self._actions = actions
        self._parts = parts

    def after(self, step: CompareStep, models: tuple[str, str]) -> Updates:
        """The updates after a step. A stream's steps name the same components: gradio may merge two that come together,
        and what only the first of them named would be lost."""
        parts = self._parts
        updates: Updates = {}
        if step.visit is not None:
            updates[parts.visit] = step.visit
            doubtful = self._actions.chat.doubtful(step.visit.sides[0])
            updates[parts.rounds] = compare_view.rounds(step.visit, self._actions.models, doubtful)
            if step.busy is not None:
                updates |= asking.offer(parts.chips, self._actions.suggestions(step.visit), step.busy)
                updates |= self._turning(step.visit, step.busy)
                updates |= self.voting(step.visit)
                updates[parts.remark] = self.remark(step.visit, models)
        if step.busy is not None or step.text is not None:
            updates[parts.box] = asking.boxed(step.busy, step.text)
        if step.notice is not None:
            updates[parts.notice] = notice(step.notice)
        return updates or {parts.notice: gr.skip()}

    def voted(self, step: CompareStep, models: tuple[str, str]) -> Updates:
        """The updates after a vote: its buttons and the counts too."""
        updates = self.after(step, models)
        if step.visit is not None:
            updates |= self.voting(step.visit) | {self._parts.results.shown: self.results()}
        return updates

    def voting(self, visit: CompareVisit) -> Updates:
        """The buttons of the vote: there once something was asked, pressed where a vote was cast."""
        verdict = visit.rounds[-1].verdict if visit.rounds else None
        line = compare_view.verdict_line(visit)
        heard = compare_view.spoken(visit) if visit.rounds and not visit.running and verdict is None else ""
        return {
            self._parts.votes: gr.update(visible=bool(visit.rounds)),
            self._parts.asked: f'<p role="status"><span class="hidden-text">{heard} </span>{line}</p>' if line else "",
            **{
                button: gr.update(interactive=visit.complete, variant="primary" if verdict == which else "secondary")
                for which, button in self._parts.buttons.items()
            },
        }

    def remark(self, visit: CompareVisit, models: tuple[str, str]) -> Any:
        """The calm word under a picture that one of the chosen models cannot see."""
        return asking.remark(visit.foreign and any(self._actions.chat.pocket(model) for model in models))

    def results(self) -> str:
        """What all votes say now."""
        try:
            titles = {info.name: info.title for info in self._actions.models}
            return compare_results.results(self._actions.book.tally(), titles)
        except VotesUnusable as error:
            return compare_results.unusable(str(error))

    def _turning(self, visit: CompareVisit, busy: bool) -> Updates:
        ready = gr.update(interactive=bool(visit.rounds) and not busy)
        return {self._parts.again: ready, self._parts.undo: gr.update(interactive=bool(visit.rounds))}
