"""The compare tab's endpoints for programs: plain values in and plain JSON out, where the page has markup."""

from collections.abc import Iterator, Mapping
from contextlib import closing
from typing import Any

import gradio as gr

from blip2 import vote_tables
from blip2.chat import Turn
from blip2.errors import VotesUnusable
from blip2.ui.compare_actions import CompareActions
from blip2.ui.compare_layout import CompareParts
from blip2.ui.compare_visit import CompareStep, CompareVisit
from blip2.ui.conversation_file import SavedFile
from blip2.ui.notice import notice
from blip2.ui.visit import QUIET, Choice, Notice, Seen, told
from blip2.ui.visitors import Visitors

QUIETLY: dict[str, Any] = {"show_progress": "hidden"}
SAVE = "(file) => { window.blip2Save(file); }"  # assets/page.js
Answers = dict[str, Any]


class CompareEndpoints:
    """`compare`, `vote`, `vote_results`, `votes_csv` and `my_votes_csv`. They act on the session's visit."""

    def __init__(self, actions: CompareActions, parts: CompareParts, visitors: Visitors) -> None:
        self.actions = actions
        self.parts = parts
        self.visitors = visitors

    def wire(self) -> None:
        """Add the endpoints, and the components that stand for their parameters, which nobody sees."""
        visit, results = self.parts.visit, self.parts.results
        first, second = self.actions.defaults()
        with gr.Column(visible=False):
            question, verdict = gr.Textbox(label="question"), gr.Textbox(label="verdict")
            one, other = gr.Textbox(first, label="model_a"), gr.Textbox(second, label="model_b")
            usual, unusual = gr.JSON({}, label="settings_a"), gr.JSON({}, label="settings_b")
            answers, outcome, counts = gr.JSON(label="answers"), gr.JSON(label="vote"), gr.JSON(label="results")
            compared, voted, counted = gr.Button(), gr.Button(), gr.Button()
        compared.click(
            self.on_compare,
            [visit, self.parts.picture, question, one, other, usual, unusual],
            [visit, answers],
            api_name="compare",
            concurrency_limit=None,
            **QUIETLY,
        )
        voted.click(self.on_vote, [visit, verdict], [visit, outcome], api_name="vote", **QUIETLY)
        counted.click(self.on_results, None, counts, api_name="vote_results", **QUIETLY)
        saved = [results.saved, self.parts.notice]
        for done in (
            results.counts.click(self.on_counts_csv, None, saved, api_name="votes_csv", **QUIETLY),
            results.mine.click(self.on_my_csv, visit, saved, api_name="my_votes_csv", **QUIETLY),
        ):
            done.then(None, results.saved, None, js=SAVE)

    def on_compare(
        self, request: gr.Request, visit: CompareVisit, picture: Seen, question: str, model_a: str, model_b: str,
        settings_a: dict[str, Any] | None, settings_b: dict[str, Any] | None,
    ) -> Iterator[tuple[Any, Answers]]:  # fmt: skip
        """Ask two models one question about a picture; streams both answers, `left` of model_a and `right` of model_b.

        Asked again about the same picture, both go on with their conversations. Settings are those of decoding by name,
        and seed.
        """
        visitor = request.session_hash or ""
        choices = _choice(model_a, settings_a), _choice(model_b, settings_b)
        try:
            asking = self.actions.ask(visit, picture, question, choices, visitor=visitor)
            with self.visitors.admitted(visitor), closing(asking) as steps:
                for step in steps:
                    yield (gr.skip() if step.visit is None else step.visit), _answers(step)
        except Exception as error:
            yield gr.skip(), {"error": told(error)}

    def on_vote(self, visit: CompareVisit, verdict: str) -> tuple[Any, Answers]:
        """Vote on the two answers of this session's last comparison: left, right, tie, neither, or empty for none."""
        step = self.actions.vote(visit, verdict)
        now = step.visit or visit
        said = step.notice.text if step.notice and step.visit is None else None
        return now, {"verdict": now.rounds[-1].verdict if now.rounds else None, "error": said}

    def on_results(self) -> Answers:
        """What all votes say: counts for each pair of models, win rates with 95% intervals, a ranking."""
        try:
            return self.actions.book.tally().to_json()
        except VotesUnusable as error:
            return {"error": str(error)}

    def on_counts_csv(self) -> tuple[dict[str, str] | None, Any]:
        """The counts for each pair of models as CSV: a file's name, media type and text."""
        try:
            return _file("vote-counts.csv", vote_tables.tally_csv(self.actions.book.tally())), notice(QUIET)
        except VotesUnusable as error:
            return None, notice(Notice(str(error), failed=True))

    def on_my_csv(self, visit: CompareVisit) -> tuple[dict[str, str] | None, Any]:
        """This session's own votes, with questions and answers, as CSV: a file's name, media type and text."""
        try:
            mine = self.actions.book.votes(visit.visitor) if visit.visitor else []
        except VotesUnusable as error:
            return None, notice(Notice(str(error), failed=True))
        if not mine:
            return None, notice(Notice("You have not voted yet; compare two answers first."))
        return _file("my-votes.csv", vote_tables.votes_csv(mine)), notice(QUIET)


def _choice(model: str, settings: Mapping[str, Any] | None) -> Choice:
    decoding = dict(settings or {})
    seed = decoding.pop("seed", 0)
    return Choice(model, decoding, seed)


def _file(name: str, text: str) -> dict[str, str]:
    return SavedFile(name, "text/csv", text).to_json()


def _answers(step: CompareStep) -> Answers:
    """Both answers so far, as JSON; `error` is what went wrong for both."""
    error = step.notice.text if step.notice and step.notice.failed else None
    visit = step.visit
    if visit is None or not visit.rounds or error:
        return {"error": error or (step.notice.text if step.notice else None)}
    last, turns = visit.rounds[-1], visit.turns()
    sides = {
        name: _side(last.models[index], turns[index], last.failures[index])
        for name, index in zip(("left", "right"), last.order, strict=True)
    }
    return {"question": last.question, **sides, "error": None}


def _side(model: str, turn: Turn | None, failure: str) -> dict[str, Any]:
    if turn is None:
        return {"model": model, "answer": "", "finish": None, "error": failure or None}
    return {
        "model": turn.model,
        "answer": turn.answer,
        "finish": turn.finish,
        "error": None,
        "prompt": turn.prompt,
        "new_tokens": turn.usage.new_tokens,
        "seconds": turn.usage.total,
        "confidence": turn.confidence,
    }
