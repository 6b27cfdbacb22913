"""Puts the questions of sheets to language models through a backend, many at once, and marks the answers.

Everything goes the product's way: the picture as the page would send it, the prompt that `blip2.prompts` builds, greedy
decoding by `backend.generate`. It knows no model and draws no picture.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from blip2 import prompts
from blip2.backends.base import Backend, answer
from blip2.pocket.exam import Ask, Sheet
from blip2.pocket.marking import Paper
from blip2.values import Decoding, Picture, Request

__all__ = ["AT_ONCE", "Candidate", "examine"]

AT_ONCE = 48  # requests in flight
GREEDY = Decoding(method="greedy", max_new_tokens=64)  # the longest right answer fits well
Past = Sequence[tuple[str, str]]
Task = Callable[[], None]


class Candidate:
    """One model being examined: its answers to questions, and its paper."""

    def __init__(self, backend: Backend, model: str) -> None:
        self.backend, self.model, self.paper = backend, model, Paper()
        self._budget = backend.describe(model).prompt_budget

    def reply(self, picture: Picture, question: str, past: Past = ()) -> str:
        """The answer to a question after these (question, answer) turns."""

        def count(text: str) -> int:
            return self.backend.count_tokens(self.model, text)

        return self._generate(picture, prompts.build(question, past, count=count, budget=self._budget).text)

    def caption(self, picture: Picture, prompt: str) -> str:
        return self._generate(picture, prompt)

    def _generate(self, picture: Picture, prompt: str) -> str:
        return answer(self.backend, Request(self.model, picture, prompt, GREEDY)).text

    def converse(self, picture: Picture, asks: Sequence[Ask]) -> None:
        """A conversation in which the model lives with its own answers."""
        past: list[tuple[str, str]] = []
        for turn, ask in enumerate(asks):
            given = self.reply(picture, ask.question, past)
            self.paper.mark_turn(turn, ask, given)
            past.append((ask.question, given))

    def tasks(self, sheet: Sheet, picture: Picture) -> Iterator[Task]:
        """All that a sheet asks of this model, the longest first, each independent of the others."""
        if sheet.long:
            yield partial(self.converse, picture, sheet.long)
        yield partial(self._caption, sheet, picture)
        yield partial(self._figure, "unknowable", sheet.unknowable, picture)
        for ask, past in _with_past(sheet.talk):
            yield partial(self._talk, ask, picture, past)
            if ask.needs_history:
                yield partial(self._figure, "history_withheld", ask, picture)
        for ask, past in _with_past(sheet.unseen):
            yield partial(self._figure, "unseen_wordings", ask, picture, past)

    def _caption(self, sheet: Sheet, picture: Picture) -> None:
        self.paper.mark_caption(sheet.scene, self.caption(picture, sheet.caption_prompt))

    def _talk(self, ask: Ask, picture: Picture, past: Past) -> None:
        self.paper.mark_talk(ask, self.reply(picture, ask.question, past))

    def _figure(self, figure: str, ask: Ask, picture: Picture, past: Past = ()) -> None:
        self.paper.mark(figure, ask, self.reply(picture, ask.question, past))


def _with_past(asks: Sequence[Ask]) -> Iterator[tuple[Ask, Past]]:
    """Each turn, and the turns before it with their right answers."""
    for turn, ask in enumerate(asks):
        yield ask, [(before.question, before.answer) for before in asks[:turn]]


def examine(candidates: Iterable[Candidate], block: Sequence[tuple[Sheet, Picture]], pool: ThreadPoolExecutor) -> None:
    """Put every question of these sheets to every candidate; returns when all are marked.

    Raises:
        Blip2Error: what a backend raised for the first request that failed.
    """
    tasks = [task for candidate in candidates for sheet, picture in block for task in candidate.tasks(sheet, picture)]
    for done in [pool.submit(task) for task in tasks]:
        done.result()
