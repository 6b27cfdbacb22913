"""From ids to text a visitor may see: never half a character, stop strings held back. Knows no model."""

import threading
from collections.abc import Sequence
from typing import Any

BROKEN = "\ufffd"  # what a decoder writes for a character whose bytes are not all there yet


class Detokenizer:
    """Decodes ids as LAVIS's tokenizers did: special tokens dropped, spaces before punctuation cleaned up.

    The release of transformers that LAVIS pins cleaned up by default; the one used here must be asked, and declines for
    OPT, so the clean-up is called by itself.
    """

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer
        self._lock = threading.Lock()  # a fast tokenizer may not be used from two threads at once

    def raw(self, ids: Sequence[int]) -> str:
        with self._lock:
            text = self._tokenizer.decode(list(ids), skip_special_tokens=True, clean_up_tokenization_spaces=False)
        cleaned: str = self._tokenizer.clean_up_tokenization(text)
        return cleaned

    def text(self, ids: Sequence[int]) -> str:
        """The answer: cleaned, outer spaces and a trailing broken character off."""
        return self.raw(ids).rstrip(BROKEN).strip()

    def pieces(self, ids: Sequence[int]) -> list[str]:
        """The text each id adds, so that joined they give the whole; a piece may be empty inside a character."""
        whole = ""
        pieces = []
        for end in range(1, len(ids) + 1):
            with self._lock:
                now = self._tokenizer.decode(
                    list(ids[:end]), skip_special_tokens=True, clean_up_tokenization_spaces=False
                ).rstrip(BROKEN)
            pieces.append(now[len(whole) :])
            whole = now
        return pieces


def cut(text: str, stops: Sequence[str]) -> tuple[str, bool]:
    """`text` before the first stop string in it, and whether there was one."""
    found = [place for place in (text.find(stop) for stop in stops if stop) if place >= 0]
    return (text[: min(found)].rstrip(), True) if found else (text, False)


def visible(text: str, stops: Sequence[str]) -> str:
    """`text` without an ending that may be the beginning of a stop string."""
    held = 0
    for stop in stops:
        for size in range(min(len(stop) - 1, len(text)), held, -1):
            if text.endswith(stop[:size]):
                held = size
                break
    return text[: len(text) - held].rstrip() if held else text
