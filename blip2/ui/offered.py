"""Keeps the page in step with the models: its lists of models offer, on every opening, what is offered then.

A tab builds its lists when the server starts; models are loaded and unloaded later. It knows lists by what is in them.
"""

from collections.abc import Callable
from typing import Any

import gradio as gr

from blip2.backends.base import Backend
from blip2.values import ModelInfo

EXCEPT = "models-model"  # the tab that loads them lists the others too


def keep_offered(blocks: gr.Blocks, backend: Backend) -> None:
    """Have every list of models in a finished page filled anew when a visitor opens it; call it inside the page."""
    infos = {info.name: info for info in backend.models()}
    lists = [
        block
        for block in blocks.blocks.values()
        if isinstance(block, gr.Dropdown) and block.elem_id != EXCEPT and _models_in(block, infos)
    ]
    if not lists:
        return
    fillers = [_filler(block, infos) for block in lists]

    def offer() -> dict[Any, Any]:
        now = backend.models()
        return {block: fill(now) for block, fill in zip(lists, fillers, strict=True)}

    blocks.load(offer, None, lists, queue=False, show_progress="hidden", api_visibility="private")


def _models_in(block: gr.Dropdown, infos: dict[str, ModelInfo]) -> list[ModelInfo]:
    """The models a list offers; none where it offers something else, but for the empty choice."""
    values = [str(value) for _, value in block.choices]
    return [infos[value] for value in values if value] if {*values} - {""} <= set(infos) else []


def _filler(block: gr.Dropdown, infos: dict[str, ModelInfo]) -> Callable[[list[ModelInfo]], Any]:
    """What gives a list its choices: those of the kinds it began with, writing or matching, and its empty choice."""
    kinds = {info.family == "itm" for info in _models_in(block, infos)}
    empty = [(title, value) for title, value in block.choices if value == ""]
    begun = block.value

    def fill(now: list[ModelInfo]) -> Any:
        choices = [(info.title, info.name) for info in now if (info.family == "itm") in kinds] + empty
        values = [value for _, value in choices]
        if begun in values:  # what the visitor has chosen, or brought back, stays
            return gr.update(choices=choices)
        return gr.update(choices=choices, value=values[0] if values else None)

    return fill
