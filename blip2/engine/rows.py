"""The running rows' keys and values: rows join, leave and are reordered between steps. Knows no requests.

Rows of different lengths share one cache by padding on the left, where the mask is 0. OPT takes its positions from the
mask; T5's position bias is relative to the newest token: both are the same as without padding. T5's encoder side is
padded on the right.
"""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import pad


@dataclass(slots=True)
class Rows:
    """`cache` is a transformers cache of R rows; `mask` [R, T] marks its real positions, `source` [R, S] those of T5's
    encoder."""

    cache: Any
    mask: Tensor
    source: Tensor | None = None

    def __len__(self) -> int:
        return int(self.mask.shape[0])

    def select(self, index: Tensor) -> None:
        """Keep the rows `index` names, in its order and as often as it names them."""
        for layer in self._layers():
            layer.keys = layer.keys.index_select(0, index)
            layer.values = layer.values.index_select(0, index)
        self.mask = self.mask.index_select(0, index)
        if self.source is not None:
            self.source = self.source.index_select(0, index)

    def trim(self) -> None:
        """Cut padding that no row needs: after the longest row left."""
        if len(self) == 0:
            return
        spare = int(self.mask.shape[1] - self.mask.sum(1).max())
        if spare > 0:
            self.mask = self.mask[:, spare:]
            for layer in self_layers(self.cache):
                layer.keys, layer.values = layer.keys[:, :, spare:], layer.values[:, :, spare:]
        if self.source is not None:
            length = int(self.source.sum(1).max())
            self.source = self.source[:, :length]
            for layer in cross_layers(self.cache):
                layer.keys, layer.values = layer.keys[:, :, :length], layer.values[:, :, :length]

    def join(self, other: "Rows") -> None:
        """Append another batch's rows below these."""
        width = max(self.mask.shape[1], other.mask.shape[1])
        self.mask = torch.cat([left(r.mask, width, 1) for r in (self, other)])
        pairs = [(self_layers(self.cache), self_layers(other.cache), left, width)]
        if self.source is not None and other.source is not None:
            span = max(self.source.shape[1], other.source.shape[1])
            self.source = torch.cat([right(r.source, span, 1) for r in (self, other)])  # type: ignore[arg-type]
            pairs.append((cross_layers(self.cache), cross_layers(other.cache), right, span))
        for mine, theirs, padded, size in pairs:
            for a, b in zip(mine, theirs, strict=True):
                a.keys = torch.cat([padded(a.keys, size, 2), padded(b.keys, size, 2)])
                a.values = torch.cat([padded(a.values, size, 2), padded(b.values, size, 2)])

    def _layers(self) -> list[Any]:
        return self_layers(self.cache) + cross_layers(self.cache)


def self_layers(cache: Any) -> list[Any]:
    """The self-attention layers of a decoder-only or an encoder-decoder cache."""
    return list(getattr(cache, "self_attention_cache", cache).layers)


def cross_layers(cache: Any) -> list[Any]:
    """The cross-attention layers, none for a decoder-only cache."""
    cross = getattr(cache, "cross_attention_cache", None)
    return list(cross.layers) if cross is not None else []


def left(tensor: Tensor, size: int, dim: int) -> Tensor:
    """Zeros before `tensor` along `dim` until it has `size` entries there."""
    spare = size - tensor.shape[dim]
    return pad(tensor, [0, 0] * (tensor.dim() - 1 - dim) + [spare, 0]) if spare else tensor


def right(tensor: Tensor, size: int, dim: int) -> Tensor:
    """Zeros after `tensor` along `dim` until it has `size` entries there."""
    spare = size - tensor.shape[dim]
    return pad(tensor, [0, 0] * (tensor.dim() - 1 - dim) + [0, spare]) if spare else tensor
