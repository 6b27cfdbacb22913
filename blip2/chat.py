"""A conversation about a picture, as a frozen value: ask, retry, edit, undo, clear.

Every change makes a new value, so a visitor's conversation lives where the caller keeps it and nowhere else. A turn
carries all that is needed to repeat its answer. The module knows the backend's seam and the prompt's form; it knows no
tensors and no page.
"""

import uuid
from collections.abc import Generator
from dataclasses import asdict, dataclass, field, replace
from typing import Any, TypedDict, Unpack

from blip2.backends.base import Backend
from blip2.errors import BadInput, BadSetting
from blip2.labels import named
from blip2.prompts import Mode, Prompt, build, fold
from blip2.values import Candidate, Chunk, Decoding, Finish, ModelInfo, Picture, Request, Token, Usage

EMPTY_ANSWER = "The model answered with nothing; try other words, another decoding, or another model."
OUT_OF_TIME = "The time limit was reached; the answer is what was written by then."


@dataclass(frozen=True, slots=True)
class Turn:
    """A question, its answer, and everything that led to it. `finish` is None while the answer is being written.

    `prompt` is the text the model read, `prompt_tokens` its length, `dropped` the past turns left out of it. `source`,
    `revision` and `dtype` say exactly which model answered. `notice` is a sentence for the visitor, or empty. `waiting`
    is the place in the queue while the model is busy with others, else 0; it is not saved.
    """

    question: str
    answer: str
    prompt: str
    prompt_tokens: int
    dropped: int
    model: str
    source: str
    revision: str
    dtype: str
    decoding: Decoding
    seed: int
    mode: Mode
    finish: Finish | None = None
    usage: Usage = field(default_factory=Usage)
    confidence: float = 0.0
    tokens: tuple[Token, ...] = ()
    notice: str = ""
    waiting: int = 0

    def to_json(self) -> dict[str, Any]:
        """All that is saved, by name, as plain JSON values."""
        saved = {**asdict(self), "decoding": self.decoding.to_json()}
        del saved["waiting"]
        return saved


@dataclass(frozen=True, slots=True)
class Conversation:
    """What a visitor sees: a picture, the turns about it, and the settings that the next question will use."""

    model: str
    picture: Picture | None = None
    turns: tuple[Turn, ...] = ()
    decoding: Decoding = field(default_factory=Decoding)
    seed: int = 0
    mode: Mode = "chat"


class Sending(TypedDict, total=False):
    """How a question is sent: whose it is (for fairness), seconds it may take, and an id to cancel it by."""

    visitor: str
    deadline: float | None
    request_id: str | None


def ask(
    backend: Backend, conversation: Conversation, text: str, **sending: Unpack[Sending]
) -> Generator[Conversation, None, None]:
    """Ask `text`; yields the conversation with its last turn growing, the last one with that turn's `finish` set.

    The first value comes as soon as the prompt is known, with an empty answer. To stop, call
    `backend.cancel(request_id)`: the stream ends with the text so far and `Finish.CANCELLED`. Closing the iterator
    cancels too; `stopped` of the last value then keeps its text. Raises, while iterating, `BadInput` (no picture),
    `BadPrompt`, `BadSetting` and what the backend raises; the caller still holds the conversation it had.
    """
    return _answered(backend, stopped(conversation), text, conversation.mode, conversation.seed, sending)


def retry(
    backend: Backend, conversation: Conversation, **sending: Unpack[Sending]
) -> Generator[Conversation, None, None]:
    """Ask the last question again with the conversation's present model and decoding; yields and raises as `ask` does.

    Sampling takes the seed after the last turn's. Greedy and beam search draw nothing: with unchanged settings they
    give the same answer again. Raises `BadInput` at once if there is no turn.
    """
    last = _turn_at(conversation, len(conversation.turns) - 1)
    seed = last.seed + 1 if samples(conversation.decoding) else last.seed
    return _answered(backend, undo(conversation), last.question, last.mode, seed, sending)


def edit(
    backend: Backend, conversation: Conversation, index: int, text: str, **sending: Unpack[Sending]
) -> Generator[Conversation, None, None]:
    """Ask `text` in place of the question of turn `index` (from 0), dropping that turn and all later ones.

    Yields and raises as `ask` does. Raises `BadInput` at once if there is no such turn.
    """
    mode = _turn_at(conversation, index).mode
    earlier = replace(conversation, turns=conversation.turns[:index])
    return _answered(backend, earlier, text, mode, conversation.seed, sending)


def undo(conversation: Conversation) -> Conversation:
    """The conversation without its last turn; unchanged if it has none."""
    return replace(conversation, turns=conversation.turns[:-1])


def clear(conversation: Conversation) -> Conversation:
    """The conversation without its turns; picture and settings stay."""
    return replace(conversation, turns=())


def with_picture(conversation: Conversation, picture: Picture | None) -> Conversation:
    """The conversation about `picture`: a new one without turns, unless the picture has the very same pixels."""
    if picture is not None and conversation.picture is not None and picture.digest == conversation.picture.digest:
        return replace(conversation, picture=picture)
    return replace(conversation, picture=picture, turns=())


def stopped(conversation: Conversation) -> Conversation:
    """The conversation with a last turn that was still being written marked as `Finish.CANCELLED`, its text kept."""
    if not conversation.turns or conversation.turns[-1].finish is not None:
        return conversation
    return _with_last(conversation, replace(conversation.turns[-1], finish=Finish.CANCELLED))


def finished(conversation: Conversation) -> Conversation:
    """The conversation without a last turn that is still being written."""
    writing = bool(conversation.turns) and conversation.turns[-1].finish is None
    return undo(conversation) if writing else conversation


def samples(decoding: Decoding) -> bool:
    """Whether the answer depends on the seed."""
    return decoding.method == "nucleus" or decoding.beam_sample


def history(conversation: Conversation) -> list[tuple[str, str]]:
    """The pairs of question and answer that the next prompt may carry: chat turns that have an answer."""
    return [(turn.question, turn.answer) for turn in conversation.turns if turn.mode == "chat" and turn.answer.strip()]


def room(info: ModelInfo, decoding: Decoding) -> int:
    """Tokens that a prompt may have: a longer answer than the model sets aside takes its room from the prompt's.

    Raises `BadSetting` for an answer so long that less than half of the prompt's room were left.
    """
    longest = info.answer_budget + info.prompt_budget // 2
    if decoding.max_new_tokens > longest:
        raise BadSetting(
            f"The setting {named('max_new_tokens')} is {decoding.max_new_tokens}; {info.title} has room for {longest} "
            "at most."
        )
    return info.prompt_budget - max(0, decoding.max_new_tokens - info.answer_budget)


def _answered(
    backend: Backend, earlier: Conversation, text: str, mode: Mode, seed: int, sending: Sending
) -> Generator[Conversation, None, None]:
    if earlier.picture is None:
        raise BadInput("There is no picture to talk about; add one, then ask.")
    info = backend.describe(earlier.model)
    if info.family == "itm":
        raise BadSetting(f"The model {info.name} compares pictures with texts and cannot answer; choose another model.")
    prompt = build(
        text,
        history(earlier),
        count=lambda words: backend.count_tokens(earlier.model, words),
        budget=room(info, earlier.decoding),
        mode=mode,
    )
    question = fold(text) if mode == "chat" else text
    turn = _begun(question, prompt, info, earlier.decoding, seed, mode)
    request = Request(
        earlier.model,
        earlier.picture,
        prompt.text,
        earlier.decoding,
        seed,
        sending.get("deadline"),
        sending.get("visitor", ""),
        sending.get("request_id") or uuid.uuid4().hex,
    )
    finished = False
    try:
        yield replace(earlier, turns=(*earlier.turns, turn))
        for chunk in backend.generate(request):
            finished = chunk.final
            yield replace(earlier, turns=(*earlier.turns, _grown(turn, chunk)))
    finally:
        if not finished:
            backend.cancel(request.id)


def _begun(question: str, prompt: Prompt, info: ModelInfo, decoding: Decoding, seed: int, mode: Mode) -> Turn:
    return Turn(
        question=question,
        answer="",
        prompt=prompt.text,
        prompt_tokens=prompt.tokens,
        dropped=prompt.dropped,
        model=info.name,
        source=info.source,
        revision=info.revision,
        dtype=info.dtype,
        decoding=decoding,
        seed=seed,
        mode=mode,
        notice=prompt.notice,
    )


def _grown(turn: Turn, chunk: Chunk) -> Turn:
    turn = replace(turn, answer=chunk.text, finish=chunk.finish, usage=chunk.usage, waiting=chunk.waiting)
    if not chunk.final:
        return turn
    notices = [turn.notice]
    if chunk.finish is Finish.DEADLINE:
        notices.append(OUT_OF_TIME)
    elif chunk.finish is not Finish.CANCELLED and not chunk.text.strip():
        notices.append(EMPTY_ANSWER)
    best = chunk.candidates[0] if chunk.candidates else Candidate(chunk.text)
    return replace(turn, confidence=best.confidence, tokens=best.tokens, notice=" ".join(filter(None, notices)))


def _turn_at(conversation: Conversation, index: int) -> Turn:
    if not conversation.turns:
        raise BadInput("There is no answer yet; ask a question first.")
    if not 0 <= index < len(conversation.turns):
        raise BadInput(f"There is no turn {index + 1}; the conversation has {len(conversation.turns)}.")
    return conversation.turns[index]


def _with_last(conversation: Conversation, turn: Turn) -> Conversation:
    return replace(conversation, turns=(*conversation.turns[:-1], turn))
