"""LAVIS's lemmatiser for OK-VQA answers: spaCy's lemma for nouns and verbs, other words as they are.

OK-VQA's annotators' answers were lemmatised, so answers that are not lose about 5 points (LAVIS issue 156). spaCy and
its English model are not on the package registry together; where they are missing, scores are given without, and said
to be.
"""

from collections.abc import Callable, Iterable
from importlib.util import find_spec

from blip2.evaluation.protocols import SPACY

HINT = (
    f"The answers were not lemmatised: spaCy or its model {SPACY} is not installed. Run `pip install spacy` and "
    f"`python -m spacy download {SPACY}`, then `--resume` the finished run to score it again (about 5 points more)."
)


def installed() -> bool:
    """Whether spaCy and its English model are here."""
    return find_spec("spacy") is not None and find_spec(SPACY) is not None


def lemmatiser() -> Callable[[str], str]:
    """A function from an answer to its lemmatised form; call only where `installed`."""
    import spacy

    model = spacy.load(SPACY)
    return lambda answer: joined((word.lemma_, word.text, word.pos_) for word in model(answer))


def joined(words: Iterable[tuple[str, str, str]]) -> str:
    """Words of (lemma, text, part of speech): the lemma of nouns and verbs, joined by spaces (`blip2_t5.py`)."""
    return " ".join(lemma if part in ("NOUN", "VERB") else text for lemma, text, part in words)
