"""Pydantic's errors as one sentence with the field's path, in OpenAI's shape and with OpenAI's status, 400."""

import json
from collections.abc import Sequence
from typing import Any

from blip2.api.failures import Refusal

SHOWN = 60  # characters of a wrong value that are repeated
STRING, NUMBER, WHOLE, CHOICE = "a string", "a number", "a whole number", "true or false"
LIST, OBJECT = "a list", "an object"
MUST_BE = {  # pydantic's name of an error -> what the field must be, where pydantic's own words are not for everyone
    "string_type": STRING,
    "string_unicode": STRING,
    "bool_type": CHOICE,
    "bool_parsing": CHOICE,
    "int_type": WHOLE,
    "int_parsing": WHOLE,
    "int_parsing_size": WHOLE,
    "int_from_float": WHOLE,
    "float_type": NUMBER,
    "float_parsing": NUMBER,
    "finite_number": NUMBER,
    "list_type": LIST,
    "dict_type": OBJECT,
    "model_type": OBJECT,
    "model_attributes_type": OBJECT,
    "union_tag_not_found": "an object with a field type",
    "union_tag_invalid": "of type {expected_tags}",
}
LENGTHS = {"too_short": "at least {min_length}", "too_long": "at most {max_length}"}


def invalid(errors: Sequence[Any]) -> Refusal:
    """The most specific of the errors: of a choice of forms, the one that was nearly met."""
    error = max(errors, key=lambda each: len(path(each["loc"])))
    if error["type"] == "json_invalid":
        what = (error.get("ctx") or {}).get("error", "it ends too soon")
        return Refusal(400, f"The body is not valid JSON ({what}); mend it and send it again.", None, "bad_json")
    where = path(error["loc"])
    if not where:
        return Refusal(400, "The body must be a JSON object with the route's fields.", None, "bad_json")
    if error["type"] == "missing":
        return Refusal(400, f"The field {where} is missing; the route needs it.", where, "missing_field")
    return Refusal(400, f"The field {where} is not right: {_wrong(error)}.", where, "bad_value")


def _wrong(error: Any) -> str:
    """What is wrong with a value, and the value if it is short."""
    kind, more = error["type"], error.get("ctx") or {}
    if kind in LENGTHS:
        return f"it takes {LENGTHS[kind].format(**more)}, and {more['actual_length']} came"
    text = f"Input should be {MUST_BE[kind].format(**more)}" if kind in MUST_BE else str(error["msg"])
    text = text.replace("Input should be", "it must be").replace("'", '"')
    value = _shown(error.get("input"))
    return f"{text}, not {value}" if len(value) <= SHOWN else text


def _shown(value: Any) -> str:
    """A value as the client wrote it, as JSON; of a form's or of an unforeseen kind as Python has it."""
    try:
        return json.dumps(value, ensure_ascii=False)
    except (TypeError, ValueError):
        return repr(value)


def path(place: Sequence[int | str]) -> str:
    """`("body", "messages", 0, "content", "list[…]", 1, "text", "text")` -> `messages[0].content[1].text`.

    Pydantic names the forms it tried between the fields; those are left out.
    """
    parts: list[str] = []
    for index, step in enumerate(place):
        if isinstance(step, int):
            if parts:
                parts[-1] += f"[{step}]"
            continue
        is_form = not step.isidentifier() or step in ("str", "int", "float", "bool", "list")
        is_tag = index > 1 and isinstance(place[index - 1], int) and "[" in str(place[index - 2])
        if not is_form and not is_tag and not (index == 0 and step == "body"):
            parts.append(step)
    return ".".join(parts)
