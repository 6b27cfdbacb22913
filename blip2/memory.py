"""How many bytes a BLIP-2 model's weights take in each dtype. Arithmetic only: it knows no torch and no device."""

import json
import math
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

Family = Literal["opt", "t5", "itm"]
Dtype = Literal["float32", "float16", "bfloat16", "int8", "nf4"]
DTYPES: tuple[Dtype, ...] = ("float32", "float16", "bfloat16", "int8", "nf4")

NF4_BYTES = 0.5 + 1 / 64 + 4 / (64 * 256)  # 4 bits, an 8-bit scale per 64 weights, a 32-bit one per 256 of those
GIGABYTE = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Parts:
    """Parameters of a model, counted by how a loader treats them.

    `vision`: image encoder and projections, never quantised. `qformer`: Q-Former and query tokens, kept in float32 by a
    float16 load. `linear`: the language model's matrices, which int8 and nf4 shrink. `wide`: FlanT5's `wo` matrices,
    kept in float32 by a float16 load and never quantised. `rest`: the language model's embeddings, norms and head.
    """

    vision: int
    qformer: int
    linear: int = 0
    wide: int = 0
    rest: int = 0

    @property
    def total(self) -> int:
        return sum(asdict(self).values())


def part_of(name: str, matrix: bool) -> str:
    """The part a parameter belongs to; `matrix`: it is the weight of a linear layer."""
    if not name.startswith("language_model."):
        return "qformer" if name.startswith(("qformer.", "query_tokens", "embeddings.")) else "vision"
    if name.endswith(".wo.weight"):
        return "wide"
    return "linear" if matrix and not name.endswith("lm_head.weight") else "rest"


def parts_in(file: Path) -> Parts | None:
    """The parts of a checkpoint's one safetensors file, from its header alone; None where there is no such file."""
    try:
        with file.open("rb") as stream:
            header = json.loads(stream.read(int.from_bytes(stream.read(8), "little")))
    except (OSError, ValueError):
        return None
    counts = dict.fromkeys(("vision", "qformer", "linear", "wide", "rest"), 0)
    for name, tensor in header.items():
        if name != "__metadata__":
            looked_up = any(word in name for word in ("embed", "shared", "relative_attention_bias"))
            counts[part_of(name, len(tensor["shape"]) == 2 and not looked_up)] += math.prod(tensor["shape"])
    return Parts(**counts)


def weight_bytes(parts: Parts, dtype: Dtype, companion: Dtype = "float16") -> int:
    """Bytes of the weights in `dtype`. `companion` is what int8 and nf4 leave the unquantised parts in."""
    if dtype == "float32":
        return 4 * parts.total
    if dtype == "bfloat16":
        return 2 * parts.total
    if dtype == "float16":
        return 2 * (parts.vision + parts.linear + parts.rest) + 4 * (parts.qformer + parts.wide)
    kept = weight_bytes(Parts(parts.vision, parts.qformer, 0, parts.wide, parts.rest), companion)
    return kept + round(parts.linear * (1 if dtype == "int8" else NF4_BYTES))


def companion_of(family: Family, bfloat16: bool = True) -> Dtype:
    """What the unquantised parts are kept in: float16, but for FlanT5, which overflows there, bfloat16 or float32."""
    if family != "t5":
        return "float16"
    return "bfloat16" if bfloat16 else "float32"


def by_dtype(parts: Parts, family: Family) -> dict[Dtype, int]:
    """Bytes for every dtype that is safe for the family (FlanT5 overflows in float16; ITM has no language model)."""
    unsafe: dict[Family, set[Dtype]] = {"opt": set(), "t5": {"float16"}, "itm": {"int8", "nf4"}}
    return {d: weight_bytes(parts, d, companion_of(family)) for d in DTYPES if d not in unsafe[family]}


def gigabytes(size: int) -> str:
    """`7.7 GB`; small sizes in MB."""
    return f"{size / GIGABYTE:.1f} GB" if size >= GIGABYTE / 2 else f"{max(size / 1e6, 0.1):.1f} MB"
