"""Putting examples to a model through the seam, many at once, and writing each answer down before it counts.

A picture that cannot be opened, or a prompt the model cannot read, becomes a row with an `error`; the run goes on and
the report counts it. Anything else that goes wrong stops the run, whose journal keeps what was answered.
"""

import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from itertools import islice
from threading import Lock
from typing import Any

from blip2.backends.base import Backend, answer
from blip2.errors import BadImage, BadPrompt, Busy
from blip2.evaluation.examples import Example
from blip2.evaluation.journal import Journal, Row
from blip2.evaluation.progress import Progress
from blip2.evaluation.protocols import Protocol
from blip2.lavis.text import blip_question
from blip2.values import Picture, Request

AHEAD = 2  # requests waiting for each one that is being answered
OPENED = 64  # pictures kept open: questions about one picture follow each other
PATIENCE = 0.05  # seconds before a full queue is tried again


class Asker:
    """Asks one model by one protocol. `ask` may be called from any thread."""

    def __init__(self, backend: Backend, model: str, protocol: Protocol, seed: int = 0) -> None:
        self.backend, self.model, self.protocol, self.seed = backend, model, protocol, seed
        self._opened: OrderedDict[str, Future[Picture]] = OrderedDict()
        self._lock = Lock()

    def ask(self, example: Example) -> Row:
        """The row of an example; one with an `error` where the picture or the prompt cannot be used."""
        row: Row = {"id": example.id, "image": example.image}
        if example.question:
            row["question"] = example.question
        try:
            picture = self._picture(example)
            made = self._match(example, picture) if example.texts else self._generate(example, picture)
        except (BadImage, BadPrompt) as error:
            return row | {"error": str(error)}
        return row | made

    def prompt(self, example: Example) -> str:
        """What is sent for an example, to the letter."""
        if example.prompt is not None:
            return example.prompt
        question = blip_question(example.question) if self.protocol.blip_question else example.question
        text = self.protocol.prompt.replace("{}", question)
        return self._cut(text) if self.protocol.prompt_tokens else text

    def _cut(self, text: str) -> str:
        """The longest start of the text that takes no more tokens than LAVIS reads."""
        limit = self.protocol.prompt_tokens
        if self.backend.count_tokens(self.model, text) <= limit:
            return text
        low, high = 0, len(text)
        while low < high:
            middle = (low + high + 1) // 2
            fits = self.backend.count_tokens(self.model, text[:middle]) <= limit
            low, high = (middle, high) if fits else (low, middle - 1)
        return text[:low]

    def _generate(self, example: Example, picture: Picture) -> Row:
        assert self.protocol.decoding is not None, "a protocol that asks says how answers are searched for"
        prompt = self.prompt(example)
        request = Request(self.model, picture, prompt, self.protocol.decoding, self.seed)
        last = answer(self.backend, request)
        confidence = last.candidates[0].confidence if last.candidates else 0.0
        return {
            "prompt": prompt,
            "answer": last.text,
            "confidence": round(confidence, 6),
            "new_tokens": last.usage.new_tokens,
            "finish": str(last.finish),
        }

    def _match(self, example: Example, picture: Picture) -> Row:
        texts = [text for text, _ in example.texts]
        match = self.backend.match(self.model, [picture], texts)
        return {
            "texts": texts,
            "itm": [round(float(one), 6) for one in match.itm[0]],
            "itc": [round(float(one), 6) for one in match.itc[0]],
        }

    def _picture(self, example: Example) -> Picture:
        """The example's picture, opened once however many threads want it."""
        with self._lock:
            pending = self._opened.get(example.image)
            mine = pending is None
            if pending is None:
                pending = self._opened[example.image] = Future()
                while len(self._opened) > OPENED:
                    self._opened.popitem(last=False)
        if mine:
            try:
                pending.set_result(example.picture())
            except BaseException as error:  # those who wait must hear of it, whatever it is
                pending.set_exception(error)
        return pending.result()


def ask_all(asker: Asker, examples: Iterable[Example], journal: Journal, progress: Progress, at_once: int) -> None:
    """Ask what the journal does not hold yet; rows are written as answers come, each with its session and second."""
    session, begun = round(time.time(), 3), time.monotonic()
    todo = [example for example in examples if example.id not in journal.rows]
    with ThreadPoolExecutor(at_once, thread_name_prefix="asking") as pool:
        try:
            for row in _answered(asker.ask, todo, pool, at_once * AHEAD):
                row |= {"session": session, "at": round(time.monotonic() - begun, 3)}
                journal.append(row)
                progress.add(broken="error" in row)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _answered(
    ask: Callable[[Example], Row], todo: Iterable[Example], pool: ThreadPoolExecutor, most: int
) -> Iterator[Row]:
    """Rows as they are ready, never more than `most` examples under way."""
    rest = iter(todo)
    waiting: set[Future[Row]] = {pool.submit(_patiently, ask, example) for example in islice(rest, most)}
    while waiting:
        done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
        for future in done:
            yield future.result()
        waiting |= {pool.submit(_patiently, ask, example) for example in islice(rest, most - len(waiting))}


def _patiently(ask: Callable[[Example], Row], example: Example) -> Row:
    """Ask again while the backend's queue is full: other users of the engine come first."""
    while True:
        try:
            return ask(example)
        except Busy:
            time.sleep(PATIENCE)


def sessions(rows: Iterable[dict[str, Any]]) -> tuple[float, int]:
    """Seconds that the sessions of these rows took until their last answer, summed, and how many there were."""
    last: dict[float, float] = {}
    for row in rows:
        session = float(row.get("session", 0.0))
        last[session] = max(last.get(session, 0.0), float(row.get("at", 0.0)))
    return sum(last.values()), len(last)
