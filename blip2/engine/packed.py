"""Weights laid out for this processor: on a CPU, oneDNN multiplies a packed matrix up to three times as fast.

A decoding step multiplies few rows by every matrix of the model, which the BLAS behind `torch.nn.Linear` does at a
third of the memory's speed on some processors. oneDNN does it near the full speed once the matrix is in its own order,
and long inputs (pictures, prompts) gain too. The plain copy is let go, so that memory stays as it was; what needs it,
such as a gradient, gets it back in plain order for that call. Results differ from the plain ones in the last bits only.
"""

import logging
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import linear

logger = logging.getLogger(__name__)
LEAST = 1 << 18  # weights of a matrix worth packing: for smaller ones the call costs more than the layout saves
ROWS = 16  # the row count that the layout is made for; it serves one row and hundreds as well
FEW = 4  # rows: one or two take longer than this many, so they are multiplied as this many
KINDS = (torch.float32, torch.bfloat16)


def pack(model: nn.Module) -> int:
    """Pack the large plain linear layers of a model that is on the CPU, once. Returns how many were packed.

    Layers of a subclass (quantised ones) and of other devices are left alone, and all where torch lacks oneDNN.
    """
    if not available():
        return 0
    layers = [layer for layer in model.modules() if _worth(layer)]
    for layer in layers:
        _pack(layer)
    return len(layers)


def available() -> bool:
    """Whether this build of torch has what packing needs, and it gives right results here."""
    if not torch.backends.mkldnn.is_available():  # type: ignore[no-untyped-call]
        return False
    try:
        weight, x = torch.arange(12.0).view(3, 4), torch.arange(8.0).view(2, 4)
        return torch.allclose(_product(x, _reordered(weight), None), linear(x, weight))
    except (AttributeError, RuntimeError, NotImplementedError) as error:
        logger.info("matrices stay unpacked: %s", error)
        return False


def _worth(layer: nn.Module) -> bool:
    weight = getattr(layer, "weight", None)
    return (
        type(layer) is nn.Linear
        and isinstance(weight, Tensor)
        and weight.device.type == "cpu"
        and weight.dtype in KINDS
        and weight.numel() >= LEAST
    )


def _pack(layer: Any) -> None:
    with torch.inference_mode():
        packed = _reordered(layer.weight.detach())
    bias = None if layer.bias is None else layer.bias.detach()

    def forward(x: Tensor) -> Tensor:
        if torch.is_grad_enabled() and x.requires_grad:
            return linear(x, packed.to_dense(), bias)
        return _product(x, packed, bias)

    layer.forward = forward
    # What asks a layer's weight for its type or device still gets an answer.
    layer.weight = nn.Parameter(layer.weight.detach().new_empty(0), requires_grad=False)


def _reordered(weight: Tensor) -> Tensor:
    return torch.ops.mkldnn._reorder_linear_weight(weight.contiguous(), ROWS)  # type: ignore[no-any-return]


def _product(x: Tensor, packed: Tensor, bias: Tensor | None) -> Tensor:
    rows = x.numel() // x.shape[-1]
    if rows == 1 or rows == 2:
        flat = x.reshape(rows, -1)
        some = flat.expand(FEW, -1) if rows == 1 else torch.cat((flat, flat))
        out = torch.ops.mkldnn._linear_pointwise(some, packed, bias, "none", [], "")
        return out[:rows].view(*x.shape[:-1], -1)  # type: ignore[no-any-return]
    return torch.ops.mkldnn._linear_pointwise(x, packed, bias, "none", [], "")  # type: ignore[no-any-return]
