"""Pydantic's errors as one sentence with the field's path, in OpenAI's shape and with OpenAI's status, 400."""

from collections.abc import Sequence
from typing import Any

from blip2.api.failures import Refusal

SHOWN = 60  # characters of a wrong value that are repeated


def invalid(errors: Sequence[Any]) -> Refusal:
    """The most specific of the errors: of a choice of forms, the one that was nearly met."""
    error = max(errors, key=lambda each: len(path(each["loc"])))
    if error["type"] == "json_invalid":
        what = (error.get("ctx") or {}).get("error", "it ends too soon")
        return Refusal(400, f"The body is not valid JSON ({what}); mend it and send it again.", None, "bad_json")
    where = path(error["loc"])
    if not where:
        return Refusal(400, "The body must be a JSON object with the route's fields.", None, "bad_json")
    text = str(error["msg"])
    text = text[:1].lower() + text[1:]
    if error["type"] == "missing":
        return Refusal(400, f"The field {where} is missing; the route needs it.", where, "missing_field")
    value = repr(error.get("input"))
    given = f", not {value}" if len(value) <= SHOWN else ""
    return Refusal(400, f"The field {where} is not right: {text}{given}.", where, "bad_value")


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
