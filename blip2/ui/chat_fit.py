"""How well the words of an answer fit the picture, by the matching model at hand: the chat's badge.

ITM reads the picture and the answer's words, never the question, so that only an answer which names something is
measured: a bare "yes", "two" or "left" says nothing by itself. What was measured is remembered by its content, for all
visitors alike: equal pictures and words have equal figures.
"""

import re
import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass

from blip2.backends.base import Backend
from blip2.chat import Conversation, Turn
from blip2.errors import Blip2Error
from blip2.ui.visit import Visit, told
from blip2.values import Finish, ModelInfo

NAMING = re.compile(r"(?:a|an|the|one)\s+\w|there (?:is|are) (?!no\b)\w", re.IGNORECASE)
LONG = 4  # words from which any answer is taken for a description, unless it begins as a reason or a refusal
TALK = re.compile(r"(?:because|yes|no|not|i|it|they|you|there (?:is|are) no|to)\b", re.IGNORECASE)
KEPT = 4096  # figures remembered

Key = tuple[str, str, str]  # the picture's digest, the words, the matching model's name


@dataclass(frozen=True, slots=True)
class Fit:
    """The ITM probability that the words `text` fit the picture, and the title of the model that says so."""

    probability: float
    text: str
    matcher: str


def wording(turn: Turn) -> str:
    """What of an answer is measured; nothing where its words alone say nothing of the picture."""
    answer = " ".join(turn.answer.split())
    if turn.finish is not Finish.END and turn.finish is not Finish.STOP:
        return ""
    described = len(answer.split()) >= LONG and not TALK.match(answer)
    return answer if NAMING.match(answer) or described else ""


class Fits:
    """Measures and remembers. Any thread may ask."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._known: OrderedDict[Key, float] = OrderedDict()
        self._lock = threading.Lock()

    def measure(self, visit: Visit) -> None:
        """Measure the last answer, unless it is known. A failure goes to the log: the answer itself stands."""
        matcher = self._matcher(visit)
        talk = visit.conversation
        if matcher is None or talk.picture is None or not talk.turns:
            return
        key = _key(talk, talk.turns[-1], matcher)
        if not key[1] or self._peek(key) is not None:
            return
        try:
            found = float(self._backend.match(matcher.name, [talk.picture], [key[1]]).itm[0, 0])
        except Blip2Error:
            return  # busy, or just unloaded: there is no badge this time
        except Exception as error:
            told(error)
            return
        with self._lock:
            self._known[key] = found
            while len(self._known) > KEPT:
                self._known.popitem(last=False)

    def known(self, visit: Visit) -> Mapping[int, Fit]:
        """What is known of the visit's answers, by the turn's place from 0."""
        matcher = self._matcher(visit)
        talk = visit.conversation
        if matcher is None or talk.picture is None:
            return {}
        keys = {at: _key(talk, turn, matcher) for at, turn in enumerate(talk.turns)}
        found = {at: self._peek(key) for at, key in keys.items() if key[1]}
        return {at: Fit(each, keys[at][1], matcher.title) for at, each in found.items() if each is not None}

    def _matcher(self, visit: Visit) -> ModelInfo | None:
        """The first matching model loaded that knows such pictures."""
        infos = (info for info in self._backend.models() if info.family == "itm")
        return next((info for info in infos if not (info.pocket and visit.foreign)), None)

    def _peek(self, key: Key) -> float | None:
        with self._lock:
            if key in self._known:
                self._known.move_to_end(key)
            return self._known.get(key)


def _key(talk: Conversation, turn: Turn, matcher: ModelInfo) -> Key:
    return talk.picture.digest if talk.picture else "", wording(turn), matcher.name
