"""Bodies that are JSON or a form with files: fields into a model, pictures into sources that open later."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar, get_origin

from pydantic import BaseModel, ValidationError
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request

from blip2.api.failures import Refusal
from blip2.api.invalid import invalid
from blip2.api.pictures import opened, picture_at
from blip2.api.service import Service
from blip2.values import Picture

M = TypeVar("M", bound=BaseModel)
PARTS = 2000


@dataclass(frozen=True)
class Source:
    """A picture not opened yet. `open` blocks, and raises `Refusal` that names `param`."""

    param: str
    name: str
    open: Callable[[Service], Picture]


async def read_body(request: Request, model: type[M], field: str = "images") -> tuple[M, list[Source]]:
    """The fields, and the pictures of `field`: data URLs or addresses, and uploaded files. Raises `Refusal` 400."""
    is_form = request.headers.get("content-type", "").lower().startswith("multipart/")
    given, files = await _form(request, model, field) if is_form else (await _json(request), [])
    try:
        body = model.model_validate(given)
    except ValidationError as error:
        raise invalid(error.errors()) from error
    urls: list[str] = getattr(body, field) or []
    sources = [_of_url(url, f"{field}[{index}]") for index, url in enumerate(urls)]
    return body, sources + [
        _of_file(data, name, f"{field}[{index}]") for index, (name, data) in enumerate(files, len(sources))
    ]


async def _json(request: Request) -> Any:
    try:
        return json.loads(await request.body())
    except (ValueError, RecursionError) as error:
        raise Refusal(
            400, f"The body is not valid JSON ({error}); mend it and send it again.", None, "bad_json"
        ) from error


async def _form(request: Request, model: type[BaseModel], field: str) -> tuple[dict[str, Any], list[tuple[str, bytes]]]:
    try:
        form = await request.form(max_files=PARTS, max_fields=PARTS, max_part_size=64_000_000)
    except HTTPException as error:
        raise Refusal(400, f"The form cannot be read ({error.detail}); send it again.", None, "bad_form") from error
    given: dict[str, Any] = {}
    files: list[tuple[str, bytes]] = []
    try:
        for name, value in form.multi_items():
            name = name.removesuffix("[]")
            if isinstance(value, UploadFile):
                if name != field:
                    raise Refusal(400, f"Files are taken in the field {field}, not in {name!r:.60}.", field, "bad_form")
                files.append((value.filename or "", await value.read()))
            elif _takes_many(model, name):
                given.setdefault(name, []).append(value)
            else:
                given[name] = value
    finally:
        await form.close()
    return given, files


def _takes_many(model: type[BaseModel], name: str) -> bool:
    field = model.model_fields.get(name)
    return field is not None and (get_origin(field.annotation) is list or name == "stop")


def _of_url(url: str, param: str) -> Source:
    return Source(param, "", lambda service: picture_at(service, url, param))


def _of_file(data: bytes, name: str, param: str) -> Source:
    return Source(param, name, lambda service: opened(service, data, param, name))
