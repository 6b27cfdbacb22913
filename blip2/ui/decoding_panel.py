"""The settings of the next answer: decoding, seed and raw-prompt mode, folded away and easy to reset."""

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import gradio as gr

from blip2.chat import Conversation, samples
from blip2.errors import BadSetting
from blip2.labels import LABELS, LENGTH, REPETITION
from blip2.ui.chat_view import summary
from blip2.ui.fields import Knob, NumberBox
from blip2.ui.visit import Choice, chosen
from blip2.values import Decoding

METHODS = [("Beam search", "beam"), ("Greedy", "greedy"), ("Nucleus sampling", "nucleus")]
NAMES = (
    "method",
    "num_beams",
    "max_new_tokens",
    "min_new_tokens",
    "length_penalty",
    "repetition_penalty",
    "temperature",
    "top_p",
)
KNOBS = (*NAMES, "seed", "raw")  # in the order of a panel's knobs
START = Decoding()
FRESH = (*(getattr(START, name) for name in NAMES), 0, False)  # the knobs' values to begin with


Handler = TypeVar("Handler", bound=Callable[..., Any])


@dataclass(frozen=True)
class DecodingPanel:
    """The panel's components; `knobs` are inputs of a handler, in the order that `choice` reads them."""

    accordion: gr.Accordion
    knobs: list[gr.components.Component]


def with_knobs(*endings: str) -> Callable[[Handler], Handler]:
    """Names what the last, starred parameter of a handler stands for, as gradio's API view and its client show it.

    `endings` are put behind the names, one set of knobs each; without any there is one set of plain names.
    """

    def name(handler: Handler) -> Handler:
        signature = inspect.signature(handler)
        plain = [each for each in signature.parameters.values() if each.kind is not inspect.Parameter.VAR_POSITIONAL]
        knobs = [
            inspect.Parameter(knob + ending, inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=Any)
            for ending in endings or ("",)
            for knob in KNOBS
        ]
        handler.__signature__ = signature.replace(parameters=[*plain, *knobs])  # type: ignore[attr-defined]
        return handler

    return name


def choice(model: str, knobs: Sequence[Any]) -> Choice:
    """The visitor's choice from the values of a panel's knobs."""
    *decoding, seed, raw = knobs
    return Choice(model, dict(zip(NAMES, decoding, strict=True)), seed, bool(raw))


def knob_values(talk: Conversation) -> list[Any]:
    """The values of a panel's knobs that say the conversation's settings."""
    return [*(getattr(talk.decoding, name) for name in NAMES), talk.seed, talk.mode == "raw"]


def title(knobs: Sequence[Any]) -> str:
    """The folded panel's line: what is set, in a few words."""
    try:
        talk = chosen(Conversation(""), choice("", knobs))
    except BadSetting as error:
        return f"Settings · {error}"
    seed = f", seed {talk.seed}" if samples(talk.decoding) else ""
    return f"Settings · {summary(talk.decoding)}{seed}{', raw prompt' if talk.mode == 'raw' else ''}"


def decoding_panel(prefix: str, first: Decoding = START) -> DecodingPanel:
    """Build the panel. `prefix` makes its element ids, so that one page can hold several; it begins with `first`."""
    beam, drawn = first.method == "beam", first.method == "nucleus"
    with gr.Accordion(f"Settings · {summary(first)}", open=False, elem_id=f"{prefix}-settings") as accordion:
        method = gr.Radio(
            METHODS,
            value=first.method,
            label="How the answer is searched for",
            info="Beam search weighs several answers at once; greedy takes the likeliest token; nucleus draws by lot.",
            elem_id=f"{prefix}-method",
        )
        with gr.Row(elem_classes="knobs"):
            longest = Knob(1, 256, first.max_new_tokens, step=1, label=LABELS["max_new_tokens"])
            shortest = Knob(0, 64, first.min_new_tokens, step=1, label=LABELS["min_new_tokens"])
        with gr.Row(elem_classes="knobs"):
            beams = Knob(1, 16, first.num_beams, step=1, label=LABELS["num_beams"], visible=beam)
            length = Knob(-3, 3, first.length_penalty, step=0.1, label=LENGTH, visible=beam)
            temperature = Knob(0.05, 2, first.temperature, step=0.05, label=LABELS["temperature"], visible=drawn)
            top_p = Knob(0.05, 1, first.top_p, step=0.05, label=LABELS["top_p"], visible=drawn)
        with gr.Row(elem_classes="knobs"):
            repetition = Knob(0.5, 3, first.repetition_penalty, step=0.1, label=REPETITION)
            seed = NumberBox(0, precision=0, label=LABELS["seed"], visible=drawn)
        raw = gr.Checkbox(
            False,
            label="Raw prompt",
            info="Send the text exactly as typed, without the question form and without the earlier turns.",
        )
        reset = gr.Button("Reset settings", size="sm", elem_id=f"{prefix}-reset")
    knobs = [method, beams, longest, shortest, length, repetition, temperature, top_p, seed, raw]
    _wire(accordion, knobs, reset)
    return DecodingPanel(accordion, knobs)


def _wire(accordion: gr.Accordion, knobs: list[gr.components.Component], reset: gr.Button) -> None:
    method, beams, _, _, length, _, temperature, top_p, seed, _ = knobs

    def fit(chosen_method: str) -> list[Any]:
        """Show the settings that the method has."""
        beam, drawn = chosen_method == "beam", chosen_method == "nucleus"
        return [gr.update(visible=beam)] * 2 + [gr.update(visible=drawn)] * 3

    method.change(
        fit, method, [beams, length, temperature, top_p, seed], show_progress="hidden", api_visibility="private"
    )
    reset.click(lambda: list(FRESH), None, knobs, show_progress="hidden", queue=False, api_visibility="private")
    gr.on(
        [knob.change for knob in knobs],
        lambda *values: gr.update(label=title(values)),
        knobs,
        accordion,
        show_progress="hidden",
        trigger_mode="always_last",
        api_visibility="private",
    )
