"""Keys and values of prompts already read, so that OPT reads only what is new of a follow-up. Knows no requests.

The longest common prefix of token ids decides, which is right for follow-ups, retries, edits and dropped turns alike.
T5's encoder looks both ways, so only a whole prompt helps it: its encoder output is kept under the prompt's ids.
"""

import threading
from collections import OrderedDict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True, slots=True, eq=False)
class Prefix:
    """What was read: token ids after a picture, and what reading them left."""

    picture: Hashable
    ids: tuple[int, ...]
    state: Tensor


class Prefixes:
    """Prefixes by picture, the least recently used dropped when their bytes pass `limit`. Safe from any thread."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.bytes = 0
        self.reused = 0  # tokens that were not read again
        self.read = 0  # tokens that were
        self._items: OrderedDict[int, Prefix] = OrderedDict()
        self._lock = threading.Lock()

    def longest(self, picture: Hashable, ids: Sequence[int]) -> tuple[int, Prefix | None]:
        """The prefix that shares most leading tokens with `ids` after this picture, and how many those are."""
        best, found = 0, None
        with self._lock:
            for prefix in self._items.values():
                if prefix.picture == picture:
                    shared = common(prefix.ids, ids)
                    if found is None or shared > best:
                        best, found = shared, prefix
            if found is not None:
                self._items.move_to_end(id(found))
        return best, found

    def exact(self, picture: Hashable, ids: Sequence[int]) -> Tensor | None:
        shared, found = self.longest(picture, ids)
        return found.state if found is not None and shared == len(ids) == len(found.ids) else None

    def put(self, picture: Hashable, ids: Sequence[int], state: Tensor) -> None:
        """Keep a prefix; those it extends are dropped."""
        prefix = Prefix(picture, tuple(ids), state)
        with self._lock:
            for old in list(self._items.values()):
                if old.picture == picture and common(old.ids, prefix.ids) == len(old.ids):
                    self._drop(old)
            self._items[id(prefix)] = prefix
            self.bytes += state.nbytes
            while self.bytes > self.limit and self._items:
                self._drop(next(iter(self._items.values())))

    def clear(self) -> None:
        with self._lock:
            self._items.clear()
            self.bytes = 0

    def __len__(self) -> int:
        return len(self._items)

    def _drop(self, prefix: Prefix) -> None:
        del self._items[id(prefix)]
        self.bytes -= prefix.state.nbytes


def common(a: Sequence[int], b: Sequence[int]) -> int:
    """How many leading entries are equal."""
    for i, (x, y) in enumerate(zip(a, b, strict=False)):
        if x != y:
            return i
    return min(len(a), len(b))
