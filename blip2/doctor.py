"""Is this model, on this machine, what it should be? Versions, hardware, the self-check, and known answers.

A row of the zoo with published answers is asked them where their pictures are at hand (`--pictures DIR`); a bundled
model is asked about committed scenes. It knows no page. `python -m blip2 doctor [--model M] [--json]` runs it.
"""

import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import torch

from blip2 import checkup
from blip2.backends.local import LocalBackend
from blip2.errors import Blip2Error
from blip2.loading import LoadedModel, load
from blip2.memory import gigabytes
from blip2.quantize import place_of

PACKAGES = (
    "torch",
    "transformers",
    "accelerate",
    "bitsandbytes",
    "gradio",
    "pillow",
    "numpy",
    "tokenizers",
    "safetensors",
)
DEFAULT = "blip2_opt/pocket_opt"
PROBE = "a photo of"


def report(
    model: str | None = None,
    dtype: str = "auto",
    device: str = "auto",
    pictures: Path | None = None,
    scenes: int = checkup.SCENES,
) -> dict[str, Any]:
    """All that was found, as plain JSON values; `ok` is whether nothing was wrong. What is wrong is in `error`."""
    name = model or DEFAULT
    found: dict[str, Any] = {"model": name, "ok": False, "error": "", "versions": versions()}
    try:
        found["hardware"] = hardware(device)
        loaded = load(name, dtype, device)
        found |= {
            "loaded": _facts(loaded),
            "self_check": list(loaded.checks),
            "tokenizer": _tokenizer(loaded),
        }
        backend = LocalBackend([loaded.info.name], dtype, device, loader=lambda *_: loaded)
        try:
            folders = tuple(folder for folder in (pictures, checkup.PICTURES) if folder is not None)
            for _ in checkup.answers(backend, loaded.info, found, folders, scenes):
                pass
        finally:
            backend.close()
        found["ok"] = checkup.good(found)
    except Blip2Error as error:
        found["error"] = str(error)
    return found


def versions() -> dict[str, str]:
    """The versions an answer depends on; a package that is not there has an empty one."""
    found = {"python": platform.python_version(), "platform": platform.platform()}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = ""
    return found


def hardware(device: str = "auto") -> dict[str, Any]:
    """The device that would be used and the bytes free on it. Raises `MissingHardware`."""
    place = place_of(device)
    names = (
        [torch.cuda.get_device_name(index) for index in range(torch.cuda.device_count())]
        if place.kind == "cuda"
        else []
    )
    return {
        "device": place.kind,
        "names": names or [platform.processor() or platform.machine()],
        "free_bytes": list(place.free),
        "bfloat16": place.bfloat16,
        "threads": torch.get_num_threads(),
    }


def _facts(loaded: LoadedModel) -> dict[str, Any]:
    info = loaded.info
    return {
        "title": info.title,
        "family": info.family,
        "source": info.source,
        "revision": info.revision,
        "dtype": info.dtype,
        "device": info.device,
        "image_size": info.image_size,
        "image_tokens": info.image_tokens,
        "prompt_budget": info.prompt_budget,
        "memory_bytes": info.memory_bytes,
        "note": loaded.note,
    }


def _tokenizer(loaded: LoadedModel) -> dict[str, Any]:
    tokenizer = loaded.tokenizer
    return {
        "tokens": len(tokenizer),
        "probe": PROBE,
        "ids": list(tokenizer(PROBE).input_ids),
        "end_ids": list(loaded.end_ids),
        "start_id": loaded.start_id,
    }


def render(found: dict[str, Any]) -> str:
    """The report for people."""
    lines = [f"Model       {found['model']}"]
    for name, value in _lines(found):
        lines.append(f"{name:<12}{value}")
    lines.append("")
    lines.append("All is well." if found["ok"] else found["error"] or "Some answers are not the known ones; see above.")
    return "\n".join(lines)


def _lines(found: dict[str, Any]) -> list[tuple[str, str]]:
    versions_ = ", ".join(f"{name} {number or 'missing'}" for name, number in found["versions"].items())
    lines = [("Versions", versions_)]
    if hardware_ := found.get("hardware"):
        free = " + ".join(gigabytes(size) for size in hardware_["free_bytes"])
        lines.append(("Hardware", f"{hardware_['device']} ({', '.join(hardware_['names'])}), {free} free"))
    if loaded := found.get("loaded"):
        lines.append(("Source", f"{loaded['source']} {loaded['revision']}".strip()))
        lines.append(("Loaded", f"{loaded['dtype']} on {loaded['device']}, {gigabytes(loaded['memory_bytes'])}"))
        lines.append(("", loaded["note"]))
        lines.append(("Picture", f"{loaded['image_size']} px, {loaded['image_tokens']} tokens"))
        tokens = found["tokenizer"]
        lines.append(("Tokenizer", f"{tokens['tokens']} tokens, {tokens['probe']!r} is {tokens['ids']}"))
        lines.append(
            ("", f"start {tokens['start_id']}, end {tokens['end_ids']}, prompts up to {loaded['prompt_budget']} tokens")
        )
    lines += [("Self-check" if i == 0 else "", f"passed: {name}") for i, name in enumerate(found.get("self_check", ()))]
    for row in found.get("published", ()):
        said = row["skipped"] or f"{'as published' if row['agrees'] else 'NOT as published'}: {row['given']!r}"
        lines.append((row["id"], f"{row['picture']}, {row['prompt']!r} -> {row['text']!r}; {said}"))
    if scenes := found.get("scenes"):
        lines.append(("Scenes", f"{scenes['right']:.1%} of the {scenes['of']} about {scenes['scenes']} scenes right"))
    return lines
