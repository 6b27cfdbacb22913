"""The prompt: past turns, a question and a budget of tokens in; the exact text that the language model reads out.

The form is LAVIS's (projects/blip2/README.md): `Question: {q} Answer: {a}.` for each past turn, joined by a space,
then `Question: {q} Answer:`. LAVIS cuts an OPT prompt at 32 tokens, which loses the question itself; here whole oldest
turns are left out until the prompt fits, and the result says how many. The module is pure: it knows no model, only a
function that counts tokens.
"""

import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from blip2.errors import BadPrompt

Mode = Literal["chat", "raw"]
Count = Callable[[str], int]

# What a tokenizer of the OPT or T5 kind would read as control ids. One that lower-cases would read `</S>` so too.
CONTROL = re.compile(r"<(?=/?(?:s|pad|unk|mask|image|extra_id_\d+)>)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Prompt:
    """What is sent. `dropped` counts past turns that did not fit; `notice` is a sentence for the visitor, or empty."""

    text: str
    tokens: int
    dropped: int = 0
    notice: str = ""


def build(
    question: str, past: Sequence[tuple[str, str]] = (), *, count: Count, budget: int, mode: Mode = "chat"
) -> Prompt:
    """The prompt for `question` after the `past` (question, answer) pairs, within `budget` tokens as `count` sees them.

    In raw mode the question is sent as it stands, empty included (the model then describes the picture), and `past` is
    not added. Past pairs without an answer are passed over. Raises `BadPrompt` for an empty question and for one that
    is longer than the budget by itself.
    """
    if mode == "raw":
        text, notice = defuse(_sendable(question))
        return _checked(Prompt(text, count(text), 0, notice), budget, "text")
    asked, notice = defuse(fold(question))
    if not any(char.isprintable() and not char.isspace() for char in asked):
        raise BadPrompt("The question is empty; type one, such as: what is in the picture?")
    turns = [_turn(*pair) for pair in past if fold(pair[1])]
    text = f"Question: {asked} Answer:"
    best = _checked(Prompt(text, count(text), len(turns), notice), budget, "question")
    for turn in reversed(turns):  # from the newest back: the work is bounded by the budget, not by the history
        text = f"{turn} {best.text}"
        tokens = count(text)
        if tokens > budget:
            return replace(best, notice=f"{notice} {_dropped(best.dropped, budget)}".lstrip())
        best = Prompt(text, tokens, best.dropped - 1, notice)
    return best


def fold(text: str) -> str:
    """`text` without white space at its ends, runs of white space as one space, control characters left out."""
    return " ".join(_sendable(text).split())


def defuse(text: str) -> tuple[str, str]:
    """`text` with tokens of control such as `</s>` written so that they stay text, and a notice if there were any.

    A space after the `<` is enough for byte-pair and for Unigram tokenizers. T5's tokenizer normalises before it
    matches (NFKC, invisible characters removed), so a disguised token is looked for in that form too.
    """
    plain = "".join(c for c in unicodedata.normalize("NFKC", text) if unicodedata.category(c) != "Cf")
    if CONTROL.search(plain) is None:
        return text, ""
    text = text if len(CONTROL.findall(text)) == len(CONTROL.findall(plain)) else plain
    return CONTROL.sub("< ", text), "Control tokens such as </s> or <image> in the text were sent as plain text."


def _turn(question: str, answer: str) -> str:
    answer = fold(answer)
    return defuse(f"Question: {fold(question)} Answer: {answer if answer.endswith('.') else answer + '.'}")[0]


def _dropped(count: int, budget: int) -> str:
    turns = "The oldest turn was" if count == 1 else f"The {count} oldest turns were"
    return f"{turns} left out: the model reads at most {budget} tokens."


def _checked(prompt: Prompt, budget: int, what: str) -> Prompt:
    if prompt.tokens > budget:
        raise BadPrompt(f"The {what} takes {prompt.tokens} tokens and the model reads at most {budget}; shorten it.")
    return prompt


def _sendable(text: str) -> str:
    """`text` without what no tokenizer takes: control characters (white space stays) and lone surrogates."""
    return "".join(c for c in text if c.isspace() or unicodedata.category(c) not in ("Cc", "Cs"))
