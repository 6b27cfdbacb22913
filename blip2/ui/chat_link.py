"""A link that opens the chat with the same example, model and settings; what it holds, written and read.

The link is the page's own address with a query. Values that are the settings' own defaults are left out. It knows no
gradio components; whoever reads a link checks nothing else.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlencode

from blip2.chat import Conversation
from blip2.errors import BadSetting
from blip2.ui.decoding_panel import FRESH, KNOBS, choice
from blip2.ui.visit import chosen

LONGEST = 2000  # letters of a query; one that this module wrote is far shorter
Ranges = Mapping[str, tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Opening:
    """What a link asks for: None where it asks for nothing. `notice` says what of it could not be followed."""

    example: str | None = None
    model: str | None = None
    knobs: list[Any] | None = None
    notice: str = ""


def to_query(example: str, model: str, knobs: Sequence[Any]) -> str:
    """The query of a link; `example` is its name, or empty for a picture of one's own."""
    told = {"example": example} if example else {}
    told["model"] = model
    for name, value, fresh in zip(KNOBS, knobs, FRESH, strict=True):
        if value is not None and value != fresh:
            told[name] = f"{value:g}" if isinstance(value, (int, float)) else str(value)
    return "?" + urlencode(told)


def from_query(query: str, examples: Collection[str], models: Collection[str], ranges: Ranges) -> Opening:
    """What a link asks for. `ranges` are the least and the most of a setting by its name."""
    if len(query) > LONGEST:
        return Opening(notice="The link is too long to be one of this page; open the page without it.")
    told = {name: values[-1] for name, values in parse_qs(query.lstrip("?")).items()}
    wrong: list[str] = []
    example, model = told.get("example"), told.get("model")
    if example is not None and example not in examples:
        wrong.append(f"the example {example[:60]!r}, which is not here")
        example = None
    if model is not None and model not in models:
        wrong.append(f"the model {model[:60]!r}, which is not offered here")
        model = None
    knobs = None
    if any(name in told for name in KNOBS):
        try:
            knobs = _knobs(told, ranges)
        except BadSetting as error:
            wrong.append(f"settings that cannot be used ({str(error).rstrip('.')})")
    notice = f"The link asks for {', and for '.join(wrong)}; choose another yourself." if wrong else ""
    return Opening(example, model, knobs, notice)


def _knobs(told: Mapping[str, str], ranges: Ranges) -> list[Any]:
    knobs = [
        fresh if name not in told else _value(name, told[name], fresh) for name, fresh in zip(KNOBS, FRESH, strict=True)
    ]
    for name, value in zip(KNOBS, knobs, strict=True):
        least, most = ranges.get(name, (value, value))
        if not isinstance(value, str) and not least <= value <= most:
            raise BadSetting(f"{name} is {value:g}, and may be {least:g} to {most:g}")
    chosen(Conversation(""), choice("", knobs))
    return knobs


def _value(name: str, text: str, fresh: Any) -> Any:
    """The text as a value of the kind that the fresh one is."""
    if isinstance(fresh, str):
        return text
    try:
        number = float(text)
    except ValueError:
        raise BadSetting(f"{name} is {text[:40]!r}, which is no number") from None
    if isinstance(fresh, bool):
        return number == 1
    return int(number) if number.is_integer() else number
