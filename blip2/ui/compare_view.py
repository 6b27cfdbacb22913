"""The rounds of a comparison as HTML: each question once, and under it the two answers side by side. Pure.

All text of models and visitors is escaped. In a blind round nothing stands there that tells a model apart but the
answer itself: no name, no time, no facts, until it is revealed.
"""

from collections.abc import Collection, Mapping

from blip2.chat import Turn
from blip2.ui import chat_view, empty_state
from blip2.ui.chat_view import escape
from blip2.ui.compare_visit import CompareVisit, Round
from blip2.values import Finish, ModelInfo
from blip2.votes import Verdict

WHERE = ("Left", "Right")
VERDICTS: Mapping[Verdict, str] = {
    "left": "Left is better",
    "tie": "Equally good",
    "neither": "Both are wrong",
    "right": "Right is better",
}
HIDDEN = "name hidden until the vote"
AGAIN = '<span class="hint">Ask again asks the side that failed once more.</span>'
EMPTY = (
    '<div class="empty"><h2>One question, two answers</h2>'
    "<p>Choose an example, or drop in a picture of your own, and ask. Both models answer at once, each with its own "
    "memory of the conversation; follow-up questions go to both.</p>"
    "<p>Then say which answer is better. <b>Blind</b> hides the names and shuffles the sides until you have voted. "
    "A vote is kept with the question and both answers, and without the picture.</p>"
    "</div>"
)
NO_MODEL = (
    '<div class="empty"><h2>Nothing to compare</h2><p>No model that answers questions is loaded. Start the studio with '
    f"two of them:</p><code>{empty_state.START_REAL},blip2_t5/pretrain_flant5xl</code></div>"
)


def rounds(visit: CompareVisit, infos: Collection[ModelInfo], doubtful: Collection[str] = ()) -> str:
    """All rounds, the oldest first. Answers of `doubtful` models get a caution about the picture."""
    if not infos:
        return NO_MODEL
    if not visit.rounds:
        return EMPTY
    titles = {info.name: info.title for info in infos}
    contents = tuple(
        [message["content"] for message in chat_view.messages(side.conversation, doubtful)[1::2]]
        for side in visit.sides
    )
    shown = []
    for at, each in enumerate(visit.rounds):
        places, turns = visit.positions(at), visit.turns(at)
        bodies, is_last = [], at + 1 == len(visit.rounds)
        for index in each.order:
            place = places[index]
            content = chat_view.THINKING if place is None else contents[index][place]
            hint = AGAIN if each.failures[index] and is_last else ""
            bodies.append(_body(each, each.failures[index], turns[index], content) + hint)
        shown.append(_round(each, _names(each, turns), bodies, titles, is_last))
    return f'<ol class="rounds">{"".join(shown)}</ol>'


def verdict_line(visit: CompareVisit) -> str:
    """What is said beside the buttons of the vote."""
    last = visit.rounds[-1] if visit.rounds else None
    if last is None:
        return ""
    if not visit.complete:
        return "A vote needs two finished answers."
    if last.verdict is not None:
        return "Your vote is counted. Until the next question you can change it, or press it again to take it back."
    return "Which answer is better? The names are shown after the vote." if last.hidden else "Which answer is better?"


def spoken(visit: CompareVisit) -> str:
    """Both answers in plain words, for those who listen: the rounds themselves change too often to be read out."""
    parts = []
    for where, index in zip(WHERE, visit.rounds[-1].order, strict=True):
        turn = visit.turns()[index]
        said = visit.rounds[-1].failures[index] or (turn.answer if turn is not None else "") or "(no answer)"
        parts.append(f"{where}: {said}")
    return escape(". ".join(parts))


def _round(each: Round, names: tuple[str, str], bodies: list[str], titles: Mapping[str, str], is_last: bool) -> str:
    question = escape(each.question) or "(the empty prompt)"
    sides = []
    for where, index, body in zip(WHERE, each.order, bodies, strict=True):
        title = escape(titles.get(names[index], names[index]))
        name = f'<i class="hidden-name">{HIDDEN}</i>' if each.hidden else f"<b>{title}</b>"
        won = each.verdict == where.lower()
        mark = '<span class="won">your choice</span>' if won else ""
        sides.append(
            f'<section class="side{" chosen" if won else ""}" aria-label="{where}: {HIDDEN if each.hidden else title}">'
            f'<header><span class="where">{where}</span>{name}{mark}</header>{body}</section>'
        )
    said = "" if each.verdict is None or is_last else f'<p class="verdict">Your vote: {VERDICTS[each.verdict]}</p>'
    return f'<li class="round"><h3>{question}</h3><div class="pair">{"".join(sides)}</div>{said}</li>'


def _names(each: Round, turns: tuple[Turn | None, Turn | None]) -> tuple[str, str]:
    """The models that answered, or else those that were asked."""
    first, second = (name if turn is None else turn.model for name, turn in zip(each.models, turns, strict=True))
    return first, second


def _body(each: Round, failure: str, turn: Turn | None, content: str) -> str:
    if failure:
        return f'<p class="failure" role="alert">{escape(failure)}</p>'
    if turn is None:
        return chat_view.THINKING
    if each.hidden:
        return _bare(turn)
    return content + (_speed(turn) if turn.finish is not None else "")


def _bare(turn: Turn) -> str:
    """The answer without anything that tells whose it is."""
    if turn.answer:
        return f'<span class="answer">{escape(turn.answer)}</span>'
    return chat_view.THINKING if turn.finish is None else '<span class="answer none">(no answer)</span>'


def _speed(turn: Turn) -> str:
    usage = turn.usage
    count = f"{usage.new_tokens} token{'s' if usage.new_tokens != 1 else ''}"
    busy = usage.total - usage.queued
    rate = f" · {usage.new_tokens / busy:.0f} a second" if busy > 0 and turn.finish is not Finish.CANCELLED else ""
    return f'<span class="speed">{count}{rate}</span>'
