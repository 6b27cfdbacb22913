"""The hardware of Spaces as data: memory for models, and what the Python and PyTorch there may be.

Sizes are the Hub's own, in decimal gigabytes. ZeroGPU lends half a GPU of 96 GB for each call, and a whole one, at
twice the price, to who has loaded more than 45. It knows no torch.
"""

from dataclasses import dataclass
from typing import Literal

from blip2.memory import GIGABYTE, Dtype, Family, Parts, by_dtype, companion_of, weight_bytes

ZERO = "zero-a10g"  # the Hub's name of ZeroGPU, whatever GPU stands behind it
ZERO_PYTHONS = ("3.12.12", "3.10.13")
ZERO_TORCHES = ("2.8.0", "2.11.0")  # the oldest and the newest
QUANTISED: tuple[Dtype, ...] = ("int8", "nf4")


@dataclass(frozen=True, slots=True)
class Hardware:
    """One kind: `room` bytes for models, on `kind`; whether it has `bfloat16`."""

    name: str
    kind: Literal["cpu", "cuda"]
    room: int
    bfloat16: bool = True

    @property
    def lends(self) -> bool:
        """Whether a GPU is lent for each call (ZeroGPU)."""
        return self.name == ZERO


def _gpu(name: str, gigabytes: int, bfloat16: bool = True) -> Hardware:
    return Hardware(name, "cuda", gigabytes * GIGABYTE, bfloat16)


KINDS: dict[str, Hardware] = {
    each.name: each
    for each in (
        Hardware("cpu-basic", "cpu", 16 * GIGABYTE),
        Hardware("cpu-upgrade", "cpu", 32 * GIGABYTE),
        _gpu(ZERO, 45),
        _gpu("t4-small", 16, bfloat16=False),
        _gpu("t4-medium", 16, bfloat16=False),
        _gpu("l4x1", 24),
        _gpu("l4x4", 96),
        _gpu("l40sx1", 48),
        _gpu("l40sx4", 192),
        _gpu("l40sx8", 384),
        _gpu("a10g-small", 24),
        _gpu("a10g-large", 24),
        _gpu("a10g-largex2", 48),
        _gpu("a10g-largex4", 96),
        _gpu("a100-large", 80),
        _gpu("a100x4", 320),
        _gpu("a100x8", 640),
        _gpu("rtx-pro-6000", 96),
        _gpu("rtx-pro-6000x2", 192),
        _gpu("rtx-pro-6000x4", 384),
        _gpu("rtx-pro-6000x8", 768),
    )
}


def need(parts: Parts, family: Family, dtype: Dtype, on: Hardware) -> int:
    """Bytes that a model takes there: its weights and a tenth for work, as at loading."""
    companion = "float32" if on.kind == "cpu" else companion_of(family, on.bfloat16)
    weights = weight_bytes(parts, dtype, companion)
    return weights + weights // 10


def safe(parts: Parts, family: Family, on: Hardware) -> tuple[Dtype, ...]:
    """The dtypes that are right for the family and that this hardware can run."""
    return tuple(
        dtype
        for dtype in by_dtype(parts, family)
        if (dtype != "bfloat16" or on.bfloat16) and not (dtype in QUANTISED and (on.kind == "cpu" or on.lends))
    )


def automatic(parts: Parts, family: Family, on: Hardware) -> tuple[Dtype, ...]:
    """What `auto` tries there, the first that fits being taken."""
    if on.kind == "cpu":
        order: tuple[Dtype, ...] = ("float32", "bfloat16")
    elif family == "t5":
        order = ("bfloat16", "float32", "int8", "nf4")
    else:
        order = ("float16", "int8", "nf4")
    if weight_bytes(parts, "float32") <= GIGABYTE:
        order = ("float32", *order)
    allowed = safe(parts, family, on)
    return tuple(dtype for dtype in order if dtype in allowed)
