"""LAVIS's text processors (`blip_processors.py`)."""

import re


def blip_caption(caption: str) -> str:
    """LAVIS's caption processor: lower case, its punctuation to spaces, 50 words at most (`blip_processors.py`)."""
    caption = re.sub(r"([.!\"()*#:;~])", " ", caption.lower())
    caption = re.sub(r"\s{2,}", " ", caption).rstrip("\n").strip(" ")
    return first_words(caption)


def blip_question(question: str) -> str:
    """LAVIS's question processor: lower case, its punctuation dropped, 50 words at most."""
    return first_words(re.sub(r"([.!\"()*#:;~])", "", question.lower()).rstrip(" "))


def first_words(text: str, count: int = 50) -> str:
    words = text.split(" ")
    return " ".join(words[:count]) if len(words) > count else text
