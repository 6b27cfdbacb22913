"""Where the running requests' keys and values lie: one slot a request, shared by its beams. Knows no requests.

A slot holds the prompt's columns once; each step appends one column per beam, and `mask` says which columns a beam
descends from. So beams part and merge by changing the mask: no key is ever copied for them. Slots are dense, slot i is
row i of every buffer; columns beyond a slot's length are garbage that no mask shows, finite at all times.
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from transformers import Cache
from transformers.cache_utils import CacheLayerMixin

GROW = 64  # columns added at least when the buffers grow


class SlotLayer(CacheLayerMixin):  # type: ignore[misc]
    """One layer's buffers [slots, heads, columns, D], written where the owner says and read as far as it says."""

    def __init__(self, owner: "Slots") -> None:
        super().__init__()
        self.owner = owner

    def lazy_initialization(self, key_states: Tensor, value_states: Tensor) -> None:
        """Buffers like the first keys and values; zeros, since what is masked must still be finite."""
        self.dtype, self.device = key_states.dtype, key_states.device
        size = (self.owner.capacity, key_states.shape[1], self.owner.columns, key_states.shape[3])
        self.keys = torch.zeros(size, dtype=self.dtype, device=self.device)
        self.values = torch.zeros(size, dtype=self.dtype, device=self.device)
        self.is_initialized = True

    def update(self, key_states: Tensor, value_states: Tensor, *args: Any, **kwargs: Any) -> tuple[Tensor, Tensor]:
        """Write keys and values [n, heads, W, D] at the owner's target; returns views of all that it reads."""
        if not self.is_initialized:
            self.lazy_initialization(key_states, value_states)
        first, last, columns, width = self.owner.target
        rows = torch.arange(first, last, device=self.device)[:, None]
        for buffer, states in ((self.keys, key_states), (self.values, value_states)):
            buffer[rows, :, columns] = states.transpose(1, 2)
        return self.keys[first:last, :, :width], self.values[first:last, :, :width]

    def get_mask_sizes(self, query_length: int) -> tuple[int, int]:
        return self.owner.target[3], 0

    def get_seq_length(self) -> int:
        return self.owner.target[3] if self.is_initialized else 0

    def get_max_length(self) -> int:
        return -1

    def resize(self, capacity: int, columns: int) -> None:
        if self.is_initialized:
            self.keys, self.values = (grown(b, (capacity, columns), (0, 2)) for b in (self.keys, self.values))


class Slots:
    """`count` slots in use, each with up to `width` beams; `lengths[i]` columns of slot i are taken."""

    def __init__(self, width: int, layers: int, device: torch.device) -> None:
        self.width = width
        self.device = device
        self.capacity, self.columns = 1, GROW
        self.count = 0
        self.lengths: list[int] = []
        self.positions: list[int] = []  # of the next token, in the sequence a beam sees
        self.mask = torch.zeros((1, width, GROW), dtype=torch.bool, device=device)  # [slots, beams, columns]
        self.places = torch.zeros((1, GROW), dtype=torch.long, device=device)  # [slots, columns]: a column's position
        self.target: tuple[int, int, Tensor, int] = (0, 0, self.places, 0)
        self.layers = [SlotLayer(self) for _ in range(layers)]
        self.cache = Cache(layers=list(self.layers))

    def reserve(self, count: int, columns: int) -> None:
        """Make room for `count` slots of `columns` columns."""
        if columns > self.columns and self.count and self._spread() > 1.5:
            self.compact()
        capacity = self.capacity if count <= self.capacity else max(count, 2 * self.capacity)
        wanted = self.columns if columns <= self.columns else max(columns + GROW, self.columns * 5 // 4)
        if (capacity, wanted) == (self.capacity, self.columns):
            return
        self.mask = grown(self.mask, (capacity, wanted), (0, 2))
        self.places = grown(self.places, (capacity, wanted), (0, 1))
        for layer in self.layers:
            layer.resize(capacity, wanted)
        self.capacity, self.columns = capacity, wanted

    def open(self, lengths: Sequence[int], room: int) -> None:
        """Begin slots behind those in use, for prompts of these lengths; `room` columns may be written in each."""
        first = self.count
        self.reserve(first + len(lengths), room)
        self.count += len(lengths)
        self.lengths += lengths
        self.positions += lengths
        spots = torch.arange(self.columns, device=self.device)
        ends = torch.tensor(list(lengths), device=self.device)[:, None, None]
        self.mask[first : self.count] = spots < ends
        self.places[first : self.count] = spots

    def aim(self, first: int, last: int, columns: Tensor, width: int) -> None:
        """What the next forward pass writes (`columns` [n, W] of slots first..last) and how many columns it reads."""
        self.target = (first, last, columns, width)

    def step(self, parents: Tensor) -> tuple[Tensor, Tensor, int]:
        """Append a column per beam, whose beam `parents` [slots, beams] names. Returns the mask [slots, beams, T], the
        new tokens' positions [slots, beams], and T; the next forward pass is aimed."""
        self.reserve(self.count, max(self.lengths) + self.width)
        starts = torch.tensor(self.lengths, device=self.device)
        columns = starts[:, None] + torch.arange(self.width, device=self.device)  # [slots, beams]
        used = max(self.lengths) + self.width
        mask = self.mask[: self.count].gather(1, parents[:, :, None].expand(-1, -1, self.columns))
        mask.scatter_(2, columns[:, :, None], True)
        self.mask[: self.count] = mask
        positions = torch.tensor(self.positions, device=self.device)[:, None].expand(-1, self.width)
        self.places[: self.count].scatter_(1, columns, positions)
        self.aim(0, self.count, columns, used)
        self.lengths = [length + self.width for length in self.lengths]
        self.positions = [position + 1 for position in self.positions]
        return mask[:, :, :used], positions, used

    def close(self, gone: Sequence[int]) -> list[tuple[int, int]]:
        """Free slots; others move into their places. Returns the moves (from, to), in order."""
        moves = []
        for slot in sorted(gone, reverse=True):
            last = self.count - 1
            if slot != last:
                self._move(last, slot)
                moves.append((last, slot))
            self.lengths.pop()
            self.positions.pop()
            self.count = last
        return moves

    def compact(self) -> None:
        """Drop the columns no beam descends from any more."""
        live = self.mask[: self.count].any(1)  # [slots, columns]
        sizes = live.sum(1)
        width = int(sizes.max())
        order = live.int().argsort(dim=1, descending=True, stable=True)[:, :width]  # the live columns first, in order
        for layer in self.layers:
            index = order[:, None, :, None].expand(-1, layer.keys.shape[1], -1, layer.keys.shape[3])
            for buffer in (layer.keys, layer.values):
                buffer[: self.count, :, :width] = buffer[: self.count].gather(2, index)
        mask = self.mask[: self.count].gather(2, order[:, None].expand(-1, self.width, -1))
        self.mask[: self.count] = False
        self.mask[: self.count, :, :width] = mask
        self.places[: self.count, :width] = self.places[: self.count].gather(1, order)
        self.lengths = sizes.tolist()

    def read(self, slot: int, length: int) -> Tensor:
        """A copy of a slot's first columns in all layers: [2 * layers, heads, length, D], keys before values."""
        return torch.stack([b[slot, :, :length] for layer in self.layers for b in (layer.keys, layer.values)])

    def write(self, slot: int, columns: Tensor) -> None:
        """Put what `read` gave into a slot's first columns."""
        for layer, keys, values in zip(self.layers, columns[0::2], columns[1::2], strict=True):
            if not layer.is_initialized:
                layer.lazy_initialization(keys[None], values[None])
            layer.keys[slot, :, : keys.shape[1]] = keys
            layer.values[slot, :, : keys.shape[1]] = values

    @property
    def nbytes(self) -> int:
        return sum(layer.keys.nbytes + layer.values.nbytes for layer in self.layers if layer.is_initialized)

    def _spread(self) -> float:
        """Columns taken for each one still needed."""
        return sum(self.lengths) / max(1, int(self.mask[: self.count].any(1).sum()))

    def _move(self, source: int, to: int) -> None:
        length = self.lengths[source]
        for layer in self.layers:
            for buffer in (layer.keys, layer.values):
                buffer[to, :, :length] = buffer[source, :, :length]
        self.mask[to] = self.mask[source]
        self.places[to] = self.places[source]
        self.lengths[to], self.positions[to] = length, self.positions[source]


def grown(tensor: Tensor, sizes: Sequence[int], dims: Sequence[int]) -> Tensor:
    """`tensor` in a zeroed one that has `sizes` along `dims`."""
    shape = list(tensor.shape)
    for size, dim in zip(sizes, dims, strict=True):
        shape[dim] = size
    out = torch.zeros(shape, dtype=tensor.dtype, device=tensor.device)
    out[tuple(slice(0, size) for size in tensor.shape)] = tensor
    return out
