"""A least-recently-used store bounded in bytes: encoded pictures by (digest, model, dtype), for follow-ups."""

import threading
from collections import OrderedDict
from collections.abc import Hashable
from typing import Any

import torch


class ByteLRU:
    """Tensors by key, the oldest-used dropped when the sum of their bytes passes `limit`. Safe from any thread."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.hits = 0
        self.misses = 0
        self.bytes = 0
        self._items: OrderedDict[Hashable, torch.Tensor] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Hashable) -> torch.Tensor | None:
        with self._lock:
            value = self._items.get(key)
            if value is None:
                self.misses += 1
                return None
            self.hits += 1
            self._items.move_to_end(key)
            return value

    def peek(self, key: Hashable) -> torch.Tensor | None:
        """The value, neither counted nor marked as used."""
        with self._lock:
            return self._items.get(key)

    def put(self, key: Hashable, value: torch.Tensor) -> None:
        with self._lock:
            old = self._items.pop(key, None)
            self.bytes += value.nbytes - (old.nbytes if old is not None else 0)
            self._items[key] = value
            while self.bytes > self.limit and len(self._items) > 1:
                self.bytes -= self._items.popitem(last=False)[1].nbytes

    def clear(self) -> None:
        with self._lock:
            self._items.clear()
            self.bytes = 0

    def __len__(self) -> int:
        return len(self._items)

    def __contains__(self, key: Any) -> bool:
        return key in self._items
