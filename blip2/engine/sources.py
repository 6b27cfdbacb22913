"""T5's encoder side of the running requests: cross-attention keys and values, one row a slot. Knows no requests."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from transformers import Cache, EncoderDecoderCache
from transformers.cache_utils import CacheLayerMixin

from blip2.engine.slots import Slots, grown


class SourceLayer(CacheLayerMixin):  # type: ignore[misc]
    """One layer's finished keys and values; the decoder only reads them. They are set for each forward pass."""

    def lazy_initialization(self, key_states: Tensor, value_states: Tensor) -> None:
        self.is_initialized = True

    def update(self, key_states: Tensor, value_states: Tensor, *args: Any, **kwargs: Any) -> tuple[Tensor, Tensor]:
        raise RuntimeError("cross-attention keys are made when a prompt is read and never updated")

    def get_mask_sizes(self, query_length: int) -> tuple[int, int]:
        return self.get_seq_length(), 0

    def get_seq_length(self) -> int:
        return int(self.keys.shape[2]) if self.keys is not None else 0

    def get_max_length(self) -> int:
        return -1


class Sources:
    """Rows parallel to those of `slots`: encoder keys and values [slots, heads, S, D] by layer, and their mask."""

    def __init__(self, blocks: Sequence[Any], slots: Slots) -> None:
        self.attentions = [block.layer[1].EncDecAttention for block in blocks]
        self.slots = slots
        self.mask = torch.zeros((1, 1), dtype=torch.long, device=slots.device)  # [slots, S]
        self.lengths = [0]  # of each row's encoder outputs, known here too so that no step waits for the device
        self.buffers: list[tuple[Tensor, Tensor]] = []
        self.layers = [SourceLayer() for _ in blocks]
        self.cache = EncoderDecoderCache(slots.cache, Cache(layers=list(self.layers)))
        self.cache.is_updated = dict.fromkeys(range(len(blocks)), True)

    def add(self, first: int, hidden: Tensor, lengths: Sequence[int]) -> None:
        """Take encoder outputs [n, S, D] of these lengths for the slots from `first` on."""
        heads = [
            tuple(p(hidden).unflatten(-1, (-1, a.key_value_proj_dim)).transpose(1, 2) for p in (a.k, a.v))
            for a in self.attentions
        ]  # [n, H, S, D]
        if not self.buffers:
            self.buffers = [(torch.zeros_like(k[:1]), torch.zeros_like(v[:1])) for k, v in heads]
        self.reserve(first + len(hidden), hidden.shape[1])
        here = slice(first, first + len(hidden))
        spots = torch.arange(self.mask.shape[1], device=self.mask.device)
        self.mask[here] = (spots < torch.tensor(list(lengths), device=self.mask.device)[:, None]).long()
        self.lengths[here] = lengths
        for (keys, values), (k, v) in zip(self.buffers, heads, strict=True):
            keys[here, :, : k.shape[2]] = k
            values[here, :, : v.shape[2]] = v

    def reserve(self, rows: int, span: int) -> None:
        """Make room for `rows` rows of `span` encoder outputs. A new row shows one place: what shows none gives no
        number."""
        rows, span = max(rows, len(self.mask)), max(span, self.mask.shape[1], self.buffers[0][0].shape[2])
        if (rows, span) != tuple(self.mask.shape):
            fresh = len(self.mask)
            self.mask = grown(self.mask, (rows, span), (0, 1))
            self.mask[fresh:, 0] = 1
            self.lengths += [1] * (rows - len(self.lengths))
        if (rows, span) != (self.buffers[0][0].shape[0], self.buffers[0][0].shape[2]):
            self.buffers = [(grown(k, (rows, span), (0, 2)), grown(v, (rows, span), (0, 2))) for k, v in self.buffers]

    def span(self, count: int) -> int:
        """How many encoder outputs the longest of the first `count` slots has."""
        return max(self.lengths[:count])

    def show(self, first: int, last: int, span: int | None = None) -> tuple[Tensor, Tensor]:
        """Aim the next forward pass at these slots and `span` outputs, or as many as there are. Returns their mask
        [n, S] and a stand-in for the encoder's output, of which only the shape is read."""
        span = span or max(self.lengths[first:last])
        for layer, (keys, values) in zip(self.layers, self.buffers, strict=True):
            layer.keys, layer.values = keys[first:last, :, :span], values[first:last, :, :span]
        width = self.attentions[0].d_model
        stand_in = torch.zeros((1, 1, 1), dtype=self.buffers[0][0].dtype, device=self.mask.device)
        return self.mask[first:last, :span], stand_in.expand(last - first, span, width)

    def move(self, source: int, to: int) -> None:
        self.mask[to] = self.mask[source]
        self.lengths[to] = self.lengths[source]
        for pair in self.buffers:
            for buffer in pair:
                buffer[to] = buffer[source]
