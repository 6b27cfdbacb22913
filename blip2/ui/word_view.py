"""An answer's words with the probability the model gave each, as markup. It knows no gradio.

A word takes its tokens' probabilities together: how likely the whole word was, once the model had come so far.
"""

import html
import math
import re
from collections.abc import Callable, Sequence

from blip2.values import Token

SURE, FAIR = 0.8, 0.5  # from here on a word is unmarked; below, faintly; below that, plainly


def words(answer: str, tokens: Sequence[Token]) -> list[tuple[str, float]] | None:
    """The answer's words and white space in order, each with its probability; white space has 1.

    None where the tokens do not spell the answer (it was cut at a stop string, or its tokens are unknown).
    """
    spelt = "".join(token.text for token in tokens)
    if not answer or spelt.strip() != answer:
        return None
    start = len(spelt) - len(spelt.lstrip())
    logprobs, at = [], 0
    for token in tokens:  # a token counts for the first word that it has a letter in
        inked = at + len(token.text) - len(token.text.lstrip())
        logprobs.append((inked - start, token.logprob if token.text.strip() else 0.0))
        at += len(token.text)
    found: list[tuple[str, float]] = []
    for piece in re.finditer(r"\s+|\S+", answer):
        inside = sum(value for place, value in logprobs if piece.start() <= place < piece.end())
        found.append((piece.group(), 1.0 if piece.group().isspace() else math.exp(min(0.0, inside))))
    return found


def marked(answer: str, tokens: Sequence[Token], escape: Callable[[str], str]) -> str:
    """The answer as markup: one stop for the keyboard, the arrow keys go from word to word (assets/script/chat.js)."""
    found = words(answer, tokens)
    if found is None:
        return escape(answer)
    parts, first = [], True
    for text, probability in found:
        if text.isspace():
            parts.append(text)
            continue
        level = "sure" if probability >= SURE else "fair" if probability >= FAIR else "unsure"
        tip = html.escape(f"{text}: {probability:.0%}")
        parts.append(f'<span class="word {level}" tabindex="{0 if first else -1}" title="{tip}">{escape(text)}</span>')
        first = False
    return "".join(parts)
