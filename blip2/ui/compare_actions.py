"""What a visitor can do in the compare tab: ask two models at once, stop, ask again, undo, clear, vote.

Each side is a chat of its own (`ChatActions`); both run at once, and what one of them does never touches the other.
Values in, values out, and no gradio; nothing is raised.
"""

import secrets
import uuid
from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import replace

from blip2 import chat
from blip2.errors import BadImage, VotesUnusable
from blip2.ui.chat_actions import ALREADY, NEW_PICTURE, NO_PICTURE, ChatActions
from blip2.ui.compare_streams import merged
from blip2.ui.compare_visit import CompareStep, CompareVisit, Round, ballot
from blip2.ui.visit import QUIET, Choice, Notice, Seen, Step, Visit
from blip2.values import ModelInfo
from blip2.votes import VERDICTS, Verdict, VoteBook

Choices = tuple[Choice, Choice]
Streams = Mapping[int, Generator[Step, None, None]]
EARLY = "Stopped before a word was written."
NOTHING = "There is no answer yet; ask a question first."
UNFINISHED = "A vote needs two finished answers; ask a question, or ask again."


class CompareActions:
    """Over a chat's actions and the book of votes. `shuffle` says whether the sides of a blind round are swapped."""

    def __init__(
        self, chat_actions: ChatActions, book: VoteBook, shuffle: Callable[[], bool] = lambda: secrets.randbelow(2) == 1
    ) -> None:
        self.chat = chat_actions
        self.book = book
        self._shuffle = shuffle
        self._dropped: set[str] = set()  # rounds that are gone: not a step more from them
        self._refused: set[str] = set()  # rounds during which another question was refused

    @property
    def models(self) -> list[ModelInfo]:
        """The models offered now that answer questions, the default first."""
        return self.chat.models

    def defaults(self) -> tuple[str, str]:
        """The models to begin with: the first OPT and the first FlanT5, or what there is, even one twice."""
        models = self.models
        if not models:
            return "", ""
        first = next((info for info in models if info.family == "opt"), models[0])
        others = [info for info in models if info is not first]
        second = next((info for info in others if info.family == "t5"), others[0] if others else first)
        return first.name, second.name

    def suggestions(self, visit: CompareVisit) -> list[str]:
        """Questions to offer, less those that were asked."""
        asked = {round_.question for round_ in visit.rounds}
        return [text for text in self.chat.suggestions(visit.sides[0]) if text not in asked]

    def look(self, visit: CompareVisit, seen: Seen) -> CompareStep:
        """Take up what is in the picture frame. Another picture gives up running answers and starts anew."""
        if isinstance(seen, BadImage):
            return CompareStep(notice=Notice(str(seen), failed=True))
        if (visit.picture and visit.picture.digest) == (seen and seen.digest):
            return CompareStep()
        self._drop(visit)
        foreign = self.chat.is_foreign(seen)
        first, second = (Visit(chat.with_picture(side.conversation, seen), foreign=foreign) for side in visit.sides)
        notice = QUIET if not visit.rounds else Notice(NEW_PICTURE if seen else NO_PICTURE)
        return CompareStep(replace(visit, sides=(first, second), rounds=()), False, notice=notice)

    def ask(
        self, visit: CompareVisit, seen: Seen, text: str, choices: Choices, blind: bool = False, visitor: str = ""
    ) -> Generator[CompareStep, None, None]:
        """Ask both models `text` about the picture in the frame, which may be newer than the visit knows."""
        looked = self.look(visit, seen)
        if visit.running and looked.visit is None:
            yield self._already(visit)
            return
        if isinstance(seen, BadImage):
            yield replace(looked, text=text)
            return
        now = looked.visit or visit
        first, second = choices
        asked = Round(text, (first.model, second.model), swapped=blind and self._shuffle(), blind=blind)
        streams = {
            index: _stream(self.chat.ask(side, seen, text, choice, seat(visitor, index)))
            for index, (side, choice) in enumerate(zip(now.sides, choices, strict=True))
        }
        yield from self._answer(now, replace(now, rounds=(*now.rounds, asked)), streams, text, looked.notice)

    def retry(self, visit: CompareVisit, choices: Choices, visitor: str = "") -> Generator[CompareStep, None, None]:
        """Ask the last question again with the settings as they are now: the sides that failed, or else both.

        Sides and names stay as they are: who has seen the names does not become blind again.
        """
        if visit.running or not visit.rounds:
            yield self._already(visit) if visit.running else CompareStep(notice=Notice(NOTHING))
            return
        last = visit.rounds[-1]
        failed = [index for index in (0, 1) if last.failures[index]]
        models = [
            choice.model if index in failed or not failed else last.models[index]
            for index, choice in enumerate(choices)
        ]
        again = replace(last, models=(models[0], models[1]), failures=("", ""), verdict=None, id=uuid.uuid4().hex)
        if failed:
            streams = {
                index: _stream(
                    self.chat.ask(
                        visit.sides[index], visit.picture, last.question, choices[index], seat(visitor, index)
                    )
                )
                for index in failed
            }
        else:
            streams = {
                index: _stream(self.chat.retry(visit.sides[index], choice, seat(visitor, index)))
                for index, choice in enumerate(choices)
            }
        yield from self._answer(visit, visit.with_last(again), streams, None, None)

    def undo(self, visit: CompareVisit) -> CompareStep:
        """Take back the last question and its answers, and put it into the box. A vote that was cast stays counted."""
        if not visit.rounds:
            return CompareStep(notice=Notice(NOTHING))
        self._drop(visit)
        earlier = replace(visit, rounds=visit.rounds[:-1])
        for index, place in enumerate(visit.positions(len(visit.rounds) - 1)):
            side = visit.sides[index]
            talk = side.conversation if place is None else chat.undo(side.conversation)
            earlier = earlier.with_side(index, replace(side, conversation=talk, running=""))
        return CompareStep(earlier, False, visit.rounds[-1].question, QUIET)

    def clear(self, visit: CompareVisit) -> CompareStep:
        """Forget all rounds; the picture stays."""
        self._drop(visit)
        first, second = (replace(side, conversation=chat.clear(side.conversation), running="") for side in visit.sides)
        return CompareStep(replace(visit, sides=(first, second), rounds=()), False, None, QUIET)

    def halt(self, visit: CompareVisit) -> None:
        """Stop both answers before their next step; what is written so far stays."""
        for side in visit.sides:
            self.chat.halt(side)

    def reveal(self, visit: CompareVisit) -> CompareStep:
        """Show the names in all rounds."""
        return CompareStep(replace(visit, rounds=tuple(replace(each, revealed=True) for each in visit.rounds)))

    def vote(self, visit: CompareVisit, verdict: str) -> CompareStep:
        """Vote on the last round, change the vote, or take it back with an empty `verdict`; a vote reveals the names.

        A vote that is changed after the names were seen is no blind one any more.
        """
        if not visit.complete:
            return CompareStep(notice=Notice(UNFINISHED))
        if verdict and verdict not in VERDICTS:
            return CompareStep(
                notice=Notice(f"There is no vote {verdict!r}; it is one of {', '.join(VERDICTS)}.", True)
            )
        visit = replace(visit, visitor=visit.visitor or uuid.uuid4().hex)
        last = visit.rounds[-1]
        chosen = next((known for known in VERDICTS if known == verdict), None)
        try:
            if chosen is None:
                self.book.withdraw(last.id)
            elif chosen != last.verdict:
                self.book.cast(ballot(visit, chosen))
        except VotesUnusable as error:
            return CompareStep(notice=Notice(f"The vote is not counted. {error}", failed=True))
        voted = replace(last, verdict=chosen, revealed=last.revealed or chosen is not None)
        return CompareStep(visit.with_last(voted), notice=QUIET)

    def press(self, visit: CompareVisit, verdict: Verdict) -> CompareStep:
        """A vote by a button, which takes it back when it is pressed again."""
        again = bool(visit.rounds) and visit.rounds[-1].verdict == verdict
        return self.vote(visit, "" if again else verdict)

    def _already(self, visit: CompareVisit) -> CompareStep:
        """A question is refused while another is answered, whose end takes the sentence off the page."""
        self._refused.add(visit.rounds[-1].id)
        return CompareStep(notice=Notice(ALREADY))

    def _drop(self, visit: CompareVisit) -> None:
        if visit.running:
            self._dropped.add(visit.rounds[-1].id)
            self.halt(visit)

    def _answer(
        self, before: CompareVisit, begun: CompareVisit, streams: Streams, text: str | None, notice: Notice | None
    ) -> Generator[CompareStep, None, None]:
        """One round: the box empties, the answers grow, the box comes back - with `text` if all was in vain."""
        id_ = begun.rounds[-1].id
        visit, complaints = begun, dict[int, str]()
        for index, steps in streams.items():  # each begins at once with the id that it can be stopped by
            visit = _grown(visit, index, next(steps), complaints)
        yield CompareStep(visit, True, "" if text is not None else None, notice or QUIET)
        answering = merged(streams.items(), lambda: self.halt(visit))
        try:
            for came in answering:
                if id_ in self._dropped:
                    yield CompareStep()  # Gradio shows a stream's last value once more: it must be nothing
                    return
                for index, step in came:
                    visit = _grown(visit, index, step, complaints)
                if visit.running:  # the finished answers come with the step that ends the busy state
                    yield CompareStep(visit, True) if came else CompareStep()
            end = _ended(before, visit, complaints, text)
            end = replace(end, notice=end.notice or (QUIET if id_ in self._refused else None))
            yield CompareStep() if id_ in self._dropped else end
        finally:
            answering.close()
            self._dropped.discard(id_)
            self._refused.discard(id_)


def _stream(steps: Iterator[Step]) -> Generator[Step, None, None]:
    yield from steps


def _grown(visit: CompareVisit, index: int, step: Step, complaints: dict[int, str]) -> CompareVisit:
    """The visit after a step of one side."""
    if step.notice is not None and step.notice.failed:
        complaints[index] = step.notice.text
    return visit if step.visit is None else visit.with_side(index, step.visit)


def _ended(before: CompareVisit, visit: CompareVisit, complaints: Mapping[int, str], text: str | None) -> CompareStep:
    """The step that ends a round: a side without an answer has its sentence; one that failed for both is said once.

    A failure ends blindness, since its sentence may name the model.
    """
    first, second = (replace(side, running="") for side in visit.sides)
    visit = replace(visit, sides=(first, second))
    sentences = set(complaints.values())
    if len(complaints) == 2 and len(sentences) == 1:
        return CompareStep(before, False, text, Notice(sentences.pop(), failed=True))
    last, notice = visit.rounds[-1], None
    for index, turn in enumerate(visit.turns()):
        if turn is None:
            last = replace(last.failing(index, complaints.get(index, EARLY)), revealed=True)
        elif index in complaints:  # asked again in vain: the earlier answer stands
            notice = Notice(complaints[index], failed=True)
    return CompareStep(visit.with_last(last), False, None, notice)


def seat(visitor: str, side: int) -> str:
    """The visitor on one side: a chat answers one question of a visitor at a time, and here there are two."""
    return f"{visitor} {side}" if visitor else ""
