"""Which dtype and device a model is loaded in, whether it will fit, and the loader's arguments for that.

It knows sizes and devices, not checkpoints: `parts_of` counts a configuration's parameters without allocating them.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

import torch

from blip2.errors import BadSetting, MissingHardware, WillNotFit
from blip2.memory import GIGABYTE, Dtype, Family, Parts, by_dtype, companion_of, gigabytes, part_of, weight_bytes

DtypeChoice = Literal["auto", "float32", "float16", "bfloat16", "int8", "nf4"]
DeviceChoice = Literal["auto", "cuda", "cpu", "mps"]
TORCH: dict[str, torch.dtype] = {"float32": torch.float32, "float16": torch.float16, "bfloat16": torch.bfloat16}
SMALL = GIGABYTE  # a model of less than this in float32 gains nothing from a narrower dtype
KEPT = [
    "vision_model",
    "language_projection",
    "lm_head",
]  # LAVIS never quantises vision; naming any replaces the default
QUANTISED: tuple[Dtype, ...] = ("int8", "nf4")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a model goes: `kind` cuda, mps or cpu, the bytes free on each device, and what the hardware can do."""

    kind: Literal["cuda", "mps", "cpu"]
    free: tuple[int, ...]
    bfloat16: bool = True
    asked: bool = False  # the visitor named the device
    index: int = 0  # the first GPU's number

    @property
    def device(self) -> torch.device:
        return torch.device(self.kind, self.index) if self.kind == "cuda" else torch.device(self.kind)

    @property
    def room(self) -> int:
        return sum(self.free)


@dataclass(frozen=True, slots=True)
class Plan:
    """What was chosen: the dtype, what the unquantised parts are in, the bytes it needs, and why in a sentence."""

    dtype: Dtype
    companion: Dtype
    need: int
    note: str


def place_of(device: str = "auto") -> Place:
    """The device asked for (`cuda:1`: that GPU alone), or the best there is.

    Raises `MissingHardware`, or `BadSetting` for an unknown name.
    """
    device, _, number = device.partition(":")
    if device not in get_args(DeviceChoice) or (number and not (device == "cuda" and number.isdecimal())):
        raise BadSetting(f"The device {f'{device}:{number}'.rstrip(':')!r} is unknown; choose auto, cuda, cpu or mps.")
    mps = torch.backends.mps.is_available()
    if device == "cuda" and not torch.cuda.is_available():
        raise MissingHardware("No NVIDIA GPU was found, or this PyTorch was built without CUDA; choose cpu or auto.")
    if device == "mps" and not mps:
        raise MissingHardware("No Apple GPU was found; choose cpu or auto.")
    asked = device != "auto"
    if device == "cuda" or (device == "auto" and torch.cuda.is_available()):
        count = torch.cuda.device_count()
        if number and int(number) >= count:
            raise MissingHardware(f"There is no GPU {number}; this machine has {count}, counted from 0.")
        free = tuple(torch.cuda.mem_get_info(index)[0] for index in ([int(number)] if number else range(count)))
        return Place("cuda", free, torch.cuda.is_bf16_supported(including_emulation=False), asked, int(number or 0))
    if device == "mps" or (device == "auto" and mps):
        return Place("mps", (torch.mps.recommended_max_memory() - torch.mps.driver_allocated_memory(),), False, asked)
    return Place("cpu", (free_memory(),), True, asked)


def free_memory(cgroup: Path = Path("/sys/fs/cgroup")) -> int:
    """Bytes of main memory that can still be used here, a container's limit included."""
    import psutil

    free = int(psutil.virtual_memory().available)
    try:
        limit = int((cgroup / "memory.max").read_text()) - int((cgroup / "memory.current").read_text())
        cached = next(
            int(line.split()[1])
            for line in (cgroup / "memory.stat").read_text().splitlines()
            if line.startswith("inactive_file ")
        )
        return min(free, limit + cached)
    except (OSError, ValueError, StopIteration):  # no container, or one without a limit
        return free


def parts_of(config: Any, family: Family) -> Parts:
    """Parameters of a `Blip2Config`'s model, counted on the meta device: no memory, tenths of a second."""
    from transformers import Blip2ForConditionalGeneration, Blip2ForImageTextRetrieval

    with torch.device("meta"):
        model = (Blip2ForImageTextRetrieval if family == "itm" else Blip2ForConditionalGeneration)(config)
    counts = dict.fromkeys(("vision", "qformer", "linear", "wide", "rest"), 0)
    matrices = {f"{name}.weight" for name, module in model.named_modules() if isinstance(module, torch.nn.Linear)}
    for name, value in model.named_parameters():
        counts[part_of(name, name in matrices)] += value.numel()
    return Parts(**counts)


def choose(title: str, family: Family, parts: Parts, dtype: str, place: Place) -> Plan:
    """The dtype asked for, or for `auto` the first that is safe and fits.

    Raises `WillNotFit` (the shortfall, and what would fit), `MissingHardware`, or `BadSetting` for what is unsafe.
    """
    if dtype not in get_args(DtypeChoice):
        raise BadSetting(f"The dtype {dtype!r} is unknown; choose auto, float32, float16, bfloat16, int8 or nf4.")
    sizes = needs(family, parts, place)
    if dtype == "auto":
        return _automatic(title, family, parts, place, sizes)
    _refuse(title, dtype, family, place)
    picked: Dtype = dtype  # type: ignore[assignment]  # checked against DtypeChoice above, and not auto
    if sizes[picked] > place.room:
        raise WillNotFit(_shortfall(title, picked, sizes, place))
    return Plan(picked, _companion(picked, family, place), sizes[picked], f"{picked} on {place.kind}, as asked.")


def needs(family: Family, parts: Parts, place: Place) -> dict[Dtype, int]:
    """Bytes needed by dtype, for those that are safe here: the weights and a tenth for work."""
    sizes: dict[Dtype, int] = {}
    for dtype in by_dtype(parts, family):
        if (dtype in QUANTISED and place.kind == "mps") or (dtype == "bfloat16" and not place.bfloat16):
            continue
        weights = weight_bytes(parts, dtype, _companion(dtype, family, place))
        sizes[dtype] = weights + weights // 10
    return sizes


def _companion(dtype: Dtype, family: Family, place: Place) -> Dtype:
    """The CPU has no fast float16, so what int8 and nf4 leave alone stays in float32 there."""
    if dtype not in QUANTISED:
        return dtype
    return "float32" if place.kind == "cpu" else companion_of(family, place.bfloat16)


def _order(family: Family, place: Place) -> tuple[Dtype, ...]:
    if place.kind == "cpu":
        return ("float32", "bfloat16", "int8", "nf4")
    if family == "t5":
        return ("bfloat16", "float32", "int8", "nf4") if place.bfloat16 else ("float32", "int8", "nf4")
    return ("float16", "int8", "nf4")


def _automatic(title: str, family: Family, parts: Parts, place: Place, sizes: dict[Dtype, int]) -> Plan:
    order = _order(family, place)
    if weight_bytes(parts, "float32") <= SMALL:
        order = ("float32", *order)
    for dtype in order:
        if dtype in sizes and sizes[dtype] <= place.room:
            why = _reason(dtype, family, parts, place)
            room = f"it needs {gigabytes(sizes[dtype])}, {gigabytes(place.room)} are free"
            note = f"auto picked {dtype} on {place.kind}: {why}; {room}."
            return Plan(dtype, _companion(dtype, family, place), sizes[dtype], note)
    raise WillNotFit(_shortfall(title, min(sizes, key=lambda d: sizes[d]), sizes, place))


def _reason(dtype: Dtype, family: Family, parts: Parts, place: Place) -> str:
    if weight_bytes(parts, "float32") <= SMALL and dtype == "float32":
        return "the model is small, so exact arithmetic costs nothing"
    if dtype in QUANTISED:
        return "nothing wider fits"
    if place.kind == "cpu":
        return "exact and quickest on a CPU" if dtype == "float32" else "float32 does not fit"
    if family == "t5":
        return "FlanT5 overflows in float16" + ("" if dtype == "bfloat16" else ", and this GPU has no bfloat16")
    return "what LAVIS runs this model in on a GPU"


def _refuse(title: str, dtype: str, family: Family, place: Place) -> None:
    if dtype == "float16" and family == "t5":
        raise BadSetting(
            f"{title} is a FlanT5 model, which overflows in float16; choose bfloat16, float32, int8 or nf4."
        )
    if dtype == "bfloat16" and not place.bfloat16:
        raise MissingHardware(f"This {place.kind} device has no bfloat16; choose float32, or float16 for an OPT model.")
    if dtype not in QUANTISED:
        return
    if family == "itm":
        raise BadSetting(f"{dtype} shrinks language models, and {title} has none; choose float16 or float32.")
    if place.kind == "mps" or (place.kind == "cpu" and not place.asked):
        raise MissingHardware(
            f"{dtype} needs an NVIDIA GPU, and none was found; choose float32 or bfloat16, or name the device cpu "
            f"to run {dtype} on the CPU all the same, where it saves memory but no time."
        )


def _shortfall(title: str, dtype: Dtype, sizes: dict[Dtype, int], place: Place) -> str:
    fitting = [
        name for name, size in sizes.items() if size <= place.room and (place.kind != "cpu" or name != "float16")
    ]
    remedy = f"It would fit in {' or '.join(fitting)}." if fitting else "No dtype would fit; choose a smaller model."
    return (
        f"{title} needs {gigabytes(sizes[dtype])} in {dtype}, and {gigabytes(place.room)} are free on {place.kind}: "
        f"{gigabytes(sizes[dtype] - place.room)} short. {remedy}"
    )


def loader_arguments(plan: Plan) -> dict[str, Any]:
    """The keyword arguments `from_pretrained` takes for the plan."""
    if plan.dtype not in QUANTISED:
        return {"dtype": TORCH[plan.dtype]}
    from transformers import BitsAndBytesConfig

    companion = TORCH[plan.companion]
    if plan.dtype == "int8":
        return {
            "dtype": companion,
            "quantization_config": BitsAndBytesConfig(load_in_8bit=True, llm_int8_skip_modules=KEPT),
        }
    four = BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=companion,
        llm_int8_skip_modules=KEPT,
    )
    return {"dtype": companion, "quantization_config": four}
