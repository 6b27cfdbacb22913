"""What a visitor can do in the chat: look at a picture, ask, retry, edit, undo, clear, stop.

Values in, values out, and no gradio: each action takes the visitor's `Visit` and gives `Step`s, which the tab shows.
Nothing is raised: whatever goes wrong becomes a sentence in a step, and the visit stays as it was. The only state held
here are the ids of requests that are to be given up.
"""

import threading
import uuid
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace

from blip2 import chat, transcript
from blip2.backends.base import Backend
from blip2.chat import Conversation
from blip2.errors import BadImage, Blip2Error
from blip2.ui import conversation_file
from blip2.ui.follow_ups import ANYWHERE, offered
from blip2.ui.visit import QUIET, Choice, Notice, Seen, Step, Visit, chosen, told
from blip2.values import ModelInfo, Picture

ALREADY = "An answer is still being written; wait for it, or stop it first."
NEW_PICTURE = "New picture, new conversation: the earlier questions are gone from the model's memory."
NO_PICTURE = "The picture was removed and the conversation ended with it; add another one to go on."
CLOSING = 10.0  # seconds that a stream which is over may take to close

Talks = Generator[Conversation, None, None]
Asking = Callable[[Conversation, chat.Sending], Talks]
Admitted = Callable[[str], AbstractContextManager[None]]


class ChatActions:
    """The chat over a backend. `questions` are first questions by picture digest, `foreign` the pocket world's measure;
    `admitted` gives a visitor a place for one request, or raises `Busy`."""

    def __init__(
        self,
        backend: Backend,
        questions: Mapping[str, tuple[str, ...]] | None = None,
        foreign: Callable[[Picture], bool] = lambda picture: False,
        deadline: float | None = None,
        admitted: Admitted = lambda visitor: nullcontext(),
    ) -> None:
        self.backend = backend
        self._questions = questions or {}
        self._foreign = foreign
        self._deadline = deadline
        self._admitted = admitted
        self._asking: dict[str, str] = {}  # the request being answered, by visitor: two can begin before the page knows
        self._ending: set[str] = set()  # of those, the ones whose last step is out and whose stream has yet to close
        self._closed = threading.Condition()
        self._halted: set[str] = set()  # requests to stop, their text so far kept
        self._dropped: set[str] = set()  # requests whose conversation is gone: not a step more from them
        self._refused: set[str] = set()  # requests during which another question was refused

    @property
    def models(self) -> list[ModelInfo]:
        """The models offered now that answer questions, the default first."""
        return [info for info in self.backend.models() if info.family != "itm"]

    def pocket(self, model: str) -> bool:
        return any(info.pocket for info in self.models if info.name == model)

    def doubtful(self, visit: Visit) -> frozenset[str]:
        """The models whose answers about the visit's picture are guesses."""
        return frozenset(info.name for info in self.models if info.pocket) if visit.foreign else frozenset()

    def suggestions(self, visit: Visit) -> list[str]:
        """Questions to offer, less those asked already: what leans on the last answer, then the picture's own."""
        picture = visit.conversation.picture
        if picture is None:
            return []
        return offered(visit.conversation.turns, self._questions.get(picture.digest, ANYWHERE))

    def look(self, visit: Visit, seen: Seen) -> Step:
        """Take up what is in the picture frame. Another picture gives up a running answer and starts anew."""
        if isinstance(seen, BadImage):
            return Step(notice=Notice(str(seen), failed=True))
        before = visit.conversation
        after = chat.with_picture(before, seen)
        if (before.picture and before.picture.digest) == (seen and seen.digest):
            return Step()
        self._drop(visit)
        notice = QUIET if not before.turns else Notice(NEW_PICTURE if seen else NO_PICTURE)
        return Step(Visit(after, foreign=self.is_foreign(seen)), busy=False, notice=notice)

    def ask(self, visit: Visit, seen: Seen, text: str, choice: Choice, visitor: str = "") -> Iterator[Step]:
        """Ask `text` about the picture in the frame, which may be newer than the visit knows."""
        looked = self.look(visit, seen)
        if (visit.running or self.is_asking(visitor)) and looked.visit is None:
            yield self._already(visit, visitor, text)
            return
        if isinstance(seen, BadImage):
            yield replace(looked, text=text)
            return
        now = looked.visit or visit
        yield from self._answer(
            now,
            choice,
            visitor,
            text,
            lambda talk, sending: chat.ask(self.backend, talk, text, **sending),
            looked.notice,
        )

    def retry(self, visit: Visit, choice: Choice, visitor: str = "") -> Iterator[Step]:
        """Ask the last question again, with the settings as they are now."""
        if visit.running:
            yield self._already(visit, visitor)
            return
        yield from self._answer(
            visit, choice, visitor, None, lambda talk, sending: chat.retry(self.backend, talk, **sending)
        )

    def edit(self, visit: Visit, index: int, text: str, choice: Choice, visitor: str = "") -> Iterator[Step]:
        """Ask `text` in place of turn `index`; later turns are dropped."""
        if visit.running:
            yield self._already(visit, visitor)
            return
        yield from self._answer(
            visit, choice, visitor, text, lambda talk, sending: chat.edit(self.backend, talk, index, text, **sending)
        )

    def undo(self, visit: Visit) -> Step:
        """Take back the last turn and put its question into the box."""
        self._drop(visit)
        turns = visit.conversation.turns
        text = turns[-1].question if turns else None
        return Step(replace(visit, conversation=chat.undo(visit.conversation), running=""), False, text, QUIET)

    def clear(self, visit: Visit) -> Step:
        """Forget all turns; the picture stays."""
        self._drop(visit)
        return Step(replace(visit, conversation=chat.clear(visit.conversation), running=""), False, None, QUIET)

    def resume(self, visit: Visit, path: str) -> Step:
        """Take up a saved conversation in place of the present one."""
        try:
            talk = conversation_file.read(path, visit.conversation.model)
        except Blip2Error as error:
            return Step(notice=Notice(str(error), failed=True))
        return self._taken_up(visit, talk, "The saved conversation is open")

    def come_back(self, visit: Visit, seen: Picture, text: str) -> Step:
        """Take up the conversation that the visitor's browser kept, about the picture now in the frame.

        One about another picture, or damaged, is none: nothing changes.
        """
        try:
            talk = transcript.from_json(text, seen)
        except Blip2Error:
            return Step()
        offered = {info.name for info in self.models}
        talk = talk if talk.model in offered else replace(talk, model=visit.conversation.model)
        return self._taken_up(visit, talk, "Your conversation is back")

    def _taken_up(self, visit: Visit, talk: Conversation, said: str) -> Step:
        self._drop(visit)
        count = len(talk.turns)
        notice = Notice(f"{said}: {count} question{'s' if count != 1 else ''}. Go on asking.")
        return Step(Visit(chat.stopped(talk), foreign=self.is_foreign(talk.picture)), False, None, notice)

    def is_foreign(self, picture: Picture | None) -> bool:
        """Whether the picture is none of the pocket models' scenes; of no interest where no pocket model is offered."""
        return picture is not None and any(info.pocket for info in self.models) and self._foreign(picture)

    def halt(self, visit: Visit) -> None:
        """Stop the visit's running answer before its next step; its text so far is kept by the answering stream."""
        if visit.running:
            self._halted.add(visit.running)
            self.backend.cancel(visit.running)

    def _drop(self, visit: Visit) -> None:
        if visit.running:
            self._dropped.add(visit.running)
            self.halt(visit)
            self._release(visit.running)

    def _answer(
        self,
        visit: Visit,
        choice: Choice,
        visitor: str,
        text: str | None,
        asking: Asking,
        notice: Notice | None = None,
    ) -> Iterator[Step]:
        """The steps of one answer: the page is busy, the answer grows, the page is free, `text` back if it failed.

        The page's script empties the box: no step may touch what a visitor types while an answer is written.
        """
        request = uuid.uuid4().hex
        if not self._claim(visitor, request):
            yield self._already(visit, visitor, text)
            return
        sending: chat.Sending = {"request_id": request, "visitor": visitor, "deadline": self._deadline}
        try:
            yield Step(replace(visit, running=request), True, None, notice or QUIET)
            end = Step()
            try:
                with self._admitted(visitor):
                    talk = chosen(visit.conversation, choice)
                    for grown in self._until_halted(request, asking(talk, sending)):
                        talk = grown
                        if talk.turns[-1].finish is None:  # the finished turn comes with the end of the busy state
                            yield Step(replace(visit, conversation=talk, running=request), True)
                end = Step(replace(visit, conversation=chat.stopped(talk), running=""), busy=False)
            except Exception as error:
                end = Step(replace(visit, running=""), False, text, Notice(told(error), failed=True))
            with self._closed:
                self._ending.add(request)  # whoever reads the last step may ask on at once
                end = replace(end, notice=end.notice or (QUIET if request in self._refused else None))
            yield Step() if request in self._dropped else end
        finally:
            self._release(request)
            for each in (self._halted, self._dropped, self._refused):
                each.discard(request)

    def _already(self, visit: Visit, visitor: str, text: str | None = None) -> Step:
        """A question is refused while another is answered, whose end takes the sentence off the page."""
        with self._closed:
            self._refused |= {visit.running, self._asking.get(visitor, "")} - {""}
        return Step(text=text or None, notice=Notice(ALREADY))

    def is_asking(self, visitor: str) -> bool:
        """Whether an answer is being written for the visitor."""
        with self._closed:
            return self._asking.get(visitor, "") not in {"", *self._ending}

    def _claim(self, visitor: str, request: str) -> bool:
        """Make `request` the visitor's only one, or say that there is another.

        One that is over is waited for: gradio shows a stream's last value once more when it closes, and that must not
        come after the next answer.
        """
        with self._closed:
            self._closed.wait_for(lambda: self._asking.get(visitor) not in self._ending, CLOSING)
            return not visitor or self._asking.setdefault(visitor, request) == request

    def _release(self, request: str) -> None:
        with self._closed:
            self._ending.discard(request)
            self._asking = {visitor: asked for visitor, asked in self._asking.items() if asked != request}
            self._closed.notify_all()

    def _until_halted(self, request: str, talks: Talks) -> Iterator[Conversation]:
        """`talks`, ended by a stop that the backend missed because it did not know the request yet."""
        try:
            for talk in talks:
                if request in self._dropped:
                    return
                yield talk
                if request in self._halted:
                    self.backend.cancel(request)
                    if not talk.turns[-1].answer:
                        return
        finally:
            talks.close()
