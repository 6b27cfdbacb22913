"""A conversation as the page shows it: messages, and the facts of each answer. Pure; it knows no gradio.

Model and visitor text is escaped here, so that nothing in it becomes markup. Every turn makes exactly two messages.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from types import MappingProxyType

from blip2.chat import Conversation, Turn, samples
from blip2.ui.chat_fit import Fit
from blip2.ui.word_view import marked
from blip2.values import Decoding, Finish

FINISHES = {
    Finish.END: "the model ended its answer",
    Finish.LENGTH: "the limit of new tokens was reached",
    Finish.STOP: "a stop string appeared",
    Finish.CANCELLED: "stopped by you",
    Finish.DEADLINE: "the time limit was reached",
}
METHODS = {"beam": "beam search", "greedy": "greedy", "nucleus": "nucleus sampling"}
THINKING = (
    '<span class="thinking" role="img" aria-label="The model is working on the answer"><i></i><i></i><i></i></span>'
)
NO_FITS: Mapping[int, Fit] = MappingProxyType({})
CAUTION = "A guess: this does not look like the drawn scenes that the pocket models know."


def messages(
    conversation: Conversation, doubtful: Collection[str] = (), fits: Mapping[int, Fit] = NO_FITS
) -> list[dict[str, str]]:
    """The conversation in the order shown.

    Answers of `doubtful` models get a caution about the picture; `fits` says by the turn's place from 0 how well the
    words of answers fit it.
    """
    shown: list[dict[str, str]] = []
    for at, turn in enumerate(conversation.turns):
        shown.append({"role": "user", "content": escape(turn.question) or "(the empty prompt)"})
        shown.append({"role": "assistant", "content": "".join(_answer(turn, turn.model in doubtful, fits.get(at)))})
    return shown


def turn_of(message: int) -> int:
    """The turn that a message's index belongs to."""
    return message // 2


def escape(text: str) -> str:
    """`text` with what a browser could read as markup made harmless, and nothing else touched.

    Only a `<` before a letter, `/`, `!` or `?` opens a tag and only a `&` before a name or number is an entity: the
    rest stays as typed, because the page hands this very text back when a question is edited.
    """
    return re.sub(r"<(?=[A-Za-z/!?])", "&lt;", re.sub(r"&(?=#|\w)", "&amp;", text))


def summary(decoding: Decoding) -> str:
    """The decoding in a few words."""
    parts = [METHODS[decoding.method]]
    if decoding.method == "beam":
        parts.append(f"{decoding.num_beams} beam{'s' if decoding.num_beams != 1 else ''}")
    if decoding.method == "nucleus":
        parts += [f"temperature {decoding.temperature:g}", f"top-p {decoding.top_p:g}"]
    parts.append(f"up to {decoding.max_new_tokens} tokens")
    return ", ".join(parts)


def _answer(turn: Turn, cautious: bool, fit: Fit | None) -> Iterator[str]:
    if turn.answer:
        yield f'<span class="answer">{marked(turn.answer, turn.tokens, escape)}</span>'
    elif turn.finish is None:
        yield THINKING
        if turn.waiting:
            yield f'<span class="queued">{queued(turn.waiting)}</span>'
    else:
        yield '<span class="answer none">(no answer)</span>'
    if turn.finish is not None:
        notes = [turn.notice, CAUTION if cautious else ""]
        yield from (f'<span class="note">{escape(note)}</span>' for note in notes if note)
        yield _details(turn, fit)


def queued(place: int) -> str:
    """The place in the queue in words."""
    before = {1: "Next in the queue", 2: "One other is before you"}.get(place, f"{place - 1} others are before you")
    return f"{before}; the model is busy with other visitors."


def _details(turn: Turn, fit: Fit | None) -> str:
    rows = "".join(f"<dt>{name}</dt><dd>{value}</dd>" for name, value in _facts(turn, fit))
    return f'<details class="facts"><summary>{_headline(turn)}{_badge(fit)}</summary><dl>{rows}</dl></details>'


def _badge(fit: Fit | None) -> str:
    """How well the answer's words fit the picture, in a word or two beside the headline."""
    if fit is None:
        return ""
    kind = "well" if fit.probability >= 0.5 else "badly"
    return f'<span class="fit {kind}">fits the picture {fit.probability:.0%}</span>'


def _headline(turn: Turn) -> str:
    parts = [seconds(turn.usage.total)]
    if turn.confidence:
        parts.append(f"{turn.confidence:.0%} confident")
    if turn.finish in (Finish.CANCELLED, Finish.DEADLINE, Finish.LENGTH):
        parts.append({Finish.CANCELLED: "stopped", Finish.DEADLINE: "out of time"}.get(turn.finish, "cut at the limit"))
    return " · ".join(parts)


def _facts(turn: Turn, fit: Fit | None) -> Iterator[tuple[str, str]]:
    usage = turn.usage
    yield "Prompt", f'<code class="prompt">{escape(turn.prompt) or "(empty)"}</code>'
    read = f"{turn.prompt_tokens} of text"
    yield "Tokens read", f"{read}, after {usage.image_tokens} of the picture" if usage.image_tokens else read
    if turn.dropped:
        yield "Left out", f"{turn.dropped} oldest turn{'s' if turn.dropped > 1 else ''}, to fit the model's budget"
    yield "Tokens written", str(usage.new_tokens)
    yield "First token", f"after {seconds(usage.first_token)}"
    waited = f", {seconds(usage.queued)} of it waiting" if usage.queued > 0.05 else ""
    yield "Whole answer", f"after {seconds(usage.total)}{waited}"
    yield "Ended because", FINISHES[turn.finish] if turn.finish else "it has not"
    if turn.confidence:
        yield "Confidence", f"{turn.confidence:.1%}, the geometric mean of its tokens' probabilities"
    if fit is not None:
        words = f"“{escape(fit.text)}” matches the picture with a probability of {fit.probability:.1%}"
        yield "Fit", f"{words} (ITM, {escape(fit.matcher)}, which does not read the question)"
    yield "Model", escape(" · ".join(filter(None, [turn.model, turn.revision[:12], turn.dtype])))
    yield "Decoding", summary(turn.decoding) + (f", seed {turn.seed}" if samples(turn.decoding) else "")


def seconds(value: float) -> str:
    """A duration as people read it: milliseconds below a tenth of a second, then seconds."""
    return f"{value * 1000:.0f} ms" if value < 0.1 else f"{value:.2f} s" if value < 10 else f"{value:.0f} s"
