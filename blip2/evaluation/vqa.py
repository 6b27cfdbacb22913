"""Accuracy of answers to questions: the official VQA form, LAVIS's form, and GQA's exact match.

Sources: GT-Vision-Lab/VQA (commit a013f00) and LAVIS `common/vqa_tools/vqa_eval.py` (commit 506965b), an older copy of
it that never takes digits, articles and contractions out of the annotators' answers. It knows no files and no models.
"""

import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Literal

Form = Literal["official", "lavis"]
FORMS: tuple[Form, ...] = ("official", "lavis")

_DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
NUMBERS = {word: str(digit) for digit, word in enumerate(_DIGITS)} | {"none": "0"}
ARTICLES = frozenset(("a", "an", "the"))
PUNCTUATION = tuple(';/[]"{}()=+\\_-><@`,?!')
COMMA_IN_NUMBER = re.compile(r"\d,\d")
PERIOD = re.compile(r"(?!<=\d)(\.)(?!\d)")  # meant as a lookbehind; the quirk is the metric
PERIODS = 32  # the original hands a flag over as the number of periods to take out
_WHOLE = """ain't aren't can't could've couldn't couldn't've didn't doesn't don't hadn't hadn't've hasn't haven't he'd
he'd've he's how'd how'll how's isn't it'd it'd've it'll ma'am mightn't mightn't've might've mustn't must've needn't
not've o'clock oughtn't 'ow's'at shan't she'd've should've shouldn't shouldn't've somebody'd've somebody'll somebody's
someone'd someone'd've someone'll someone's something'd something'd've something'll that's there'd there'd've there're
there's they'd they'd've they'll they're they've 'twas wasn't we'd've we've weren't what'll what're what's what've
when's where'd where's where've who'd who'd've who'll who's who've why'll why're why's won't would've wouldn't
wouldn't've y'all y'all'll y'all'd've you'd you'd've you'll you're you've"""
# An entry for each apostrophe that a writer may leave out, and one that takes it away.
CONTRACTIONS = {
    word[:at] + word[at + 1 :]: word for word in _WHOLE.split() for at, letter in enumerate(word) if letter == "'"
} | {"somebody'd": "somebodyd"}


@lru_cache(maxsize=1 << 17)
def without_punctuation(text: str) -> str:
    """The original's `processPunctuation`: marks dropped beside a space, made a space elsewhere."""
    out = text
    drop_all = COMMA_IN_NUMBER.search(text) is not None
    for mark in PUNCTUATION:
        if mark in text:
            beside_space = f"{mark} " in text or f" {mark}" in text
            out = out.replace(mark, "" if beside_space or drop_all else " ")
    return PERIOD.sub("", out, count=PERIODS)


@lru_cache(maxsize=1 << 17)
def without_articles(text: str) -> str:
    """The original's `processDigitArticle`: lower case, numbers to digits, no articles, contractions spelt out."""
    words = (NUMBERS.get(word, word) for word in text.lower().split())
    return " ".join(CONTRACTIONS.get(word, word) for word in words if word not in ARTICLES)


def normalised(text: str) -> str:
    """An answer as both forms compare it."""
    return without_articles(without_punctuation(text))


def accuracy(answer: str, references: Sequence[str], form: Form = "official") -> float:
    """Share in [0, 1]: the mean over the annotators of min(1, equal answers of the others / 3).

    Annotators are told apart by their place in the list; the original compares their records, and takes several people
    for one where the records carry no number of their own. No references give 0.
    """
    if not references:
        return 0.0
    given = one_line(answer)
    truths = list(references) if form == "lavis" else [one_line(text) for text in references]
    if form == "lavis":
        given = normalised(given)
        if len(set(truths)) > 1:
            truths = [without_punctuation(text) for text in truths]
    elif len(set(truths)) > 1:
        given = normalised(given)
        truths = [normalised(text) for text in truths]
    return _left_out(truths.count(given), len(truths))


def _left_out(equal: int, of: int) -> float:
    """The mean, leaving each annotator out in turn, when `equal` of them gave this answer."""
    inside = min(1.0, (equal - 1) / 3) if equal else 0.0
    return (equal * inside + (of - equal) * min(1.0, equal / 3)) / of


def one_line(text: str) -> str:
    """Line breaks and tabs as spaces, none at the ends."""
    return text.replace("\n", " ").replace("\t", " ").strip()


def exact(answer: str, reference: str) -> float:
    """GQA as LAVIS counts it (`tasks/gqa.py`): 1 where both are equal once normalised, else 0."""
    return float(normalised(one_line(answer)) == normalised(one_line(reference)))


def most_common(references: Sequence[str]) -> str:
    """The answer given by the most annotators, the first of them on a tie."""
    return max(dict.fromkeys(references), key=list(references).count, default="")


def scorer(form: Form) -> Callable[[str, Sequence[str]], float]:
    """`accuracy` in one form."""
    return lambda answer, references: accuracy(answer, references, form)
