"""Which device each part of a model goes to, when one GPU is too small for it. Arithmetic over names and sizes.

The picture's side, the embeddings and the head stay on the first GPU, so prompts are put together and answers are read
there; only the language model's layers are spread, in order.
"""

import re
from collections.abc import Sequence
from typing import Any

import torch

from blip2.memory import Family
from blip2.quantize import Place, Plan

LAYER = re.compile(r"language_model\.(?:model\.decoder\.layers|encoder\.block|decoder\.block)\.\d+")


def device_map(config: Any, family: Family, plan: Plan, place: Place) -> dict[str, Any]:
    """accelerate's map from parts to devices; one entry where one device is enough."""
    if place.kind != "cuda" or plan.need <= place.free[0] or len(place.free) == 1:
        return {"": place.device}
    from transformers import Blip2ForConditionalGeneration, Blip2ForImageTextRetrieval

    with torch.device("meta"):
        model = (Blip2ForImageTextRetrieval if family == "itm" else Blip2ForConditionalGeneration)(config)
    total = sum(value.numel() for value in model.parameters())
    per_parameter = plan.need / total
    sizes = {name: sum(v.numel() for v in module.parameters()) * per_parameter for name, module in _parts(model, "")}
    layers = [name for name in sizes if LAYER.fullmatch(name)]
    fixed = plan.need - sum(sizes[name] for name in layers)
    where = spread([sizes[name] for name in layers], fixed, place.free)
    loose = [name for name, _ in model.named_parameters() if not any(_within(name, part) for part in sizes)]
    return dict.fromkeys([*sizes, *loose], 0) | dict(zip(layers, where, strict=True))


def spread(layers: Sequence[float], fixed: float, free: Sequence[int]) -> list[int]:
    """The device of each layer: filled in order, each to the same share of its free bytes; `fixed` is on the first."""
    share = (sum(layers) + fixed) / sum(free)
    used, device, where = float(fixed), 0, []
    for size in layers:
        if device < len(free) - 1 and used + size > share * free[device] and not (device > 0 and used == 0):
            device, used = device + 1, 0.0
        where.append(device)
        used += size
    return where


def _parts(module: Any, prefix: str) -> list[tuple[str, Any]]:
    """The model cut into whole modules, as large as they can be without holding a layer beside something else."""
    parts: list[tuple[str, Any]] = []
    for name, child in module.named_children():
        path = f"{prefix}{name}"
        inside = any(LAYER.match(f"{path}.{below}") for below, _ in child.named_modules() if below)
        parts += [(path, child)] if LAYER.fullmatch(path) or not inside else _parts(child, f"{path}.")
    return parts


def _within(name: str, part: str) -> bool:
    return name == part or name.startswith(f"{part}.")
