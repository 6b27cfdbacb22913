"""`GET /v1/models`: the models served here, as OpenAI lists them, with what the zoo and the backend know of each."""

from dataclasses import asdict
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from blip2.api import examples
from blip2.api.failures import json_response
from blip2.api.lifecycle import Phase
from blip2.api.service import Service, canonical
from blip2.errors import UnknownModel
from blip2.zoo import ROWS

router = APIRouter(tags=["OpenAI"])
TOLD = ("title", "family", "source", "revision", "dtype", "device", "image_size", "image_tokens", "prompt_budget")


@router.get("/models", summary="List the models", responses=examples.answers(examples.MODELS_ANSWER))
async def models(request: Request) -> Response:
    """The models that requests may name, the default first. Answers while they are still being loaded."""
    service: Service = request.app.state.service
    loaded = service.backend.stats().loaded
    data = [await service.call(_told, service, name, name in loaded) for name in service.names()]
    return json_response({"object": "list", "data": data})


@router.get("/models/{model:path}", summary="One model", responses=examples.answers(examples.MODEL))
async def model(model: str, request: Request) -> Response:
    """One model, by its name, its Hub id or its type."""
    if not model:  # the list, asked for with a stroke at its end
        return await models(request)
    service: Service = request.app.state.service
    for name in service.names():
        if canonical(name) == canonical(model):
            loaded = name in service.backend.stats().loaded
            return json_response(await service.call(_told, service, name, loaded))
    raise UnknownModel(f"The model {model!r:.100} is not served here; choose one of {', '.join(service.names())}.")


def _told(service: Service, name: str, loaded: bool) -> dict[str, Any]:
    """What is known of a model without loading it, and all of it where it is loaded. Blocks."""
    row = next((row for row in ROWS if row.key == canonical(name)), None)
    about: dict[str, Any] = {"loaded": loaded, "error": service.lifecycle.failures.get(name)}
    if loaded and service.lifecycle.phase is not Phase.LOADING:  # it would wait until all are loaded
        info = asdict(service.backend.describe(name))
        about |= {field: info[field] for field in TOLD} | {"memory_bytes": info["memory_bytes"]}
        about["default_prompt"] = info["default_prompt"]
    elif row is not None:
        about |= {"title": row.title, "family": row.family, "source": row.hub, "image_size": row.image_size}
        about["default_prompt"] = row.prompt
    writes = about.get("family") != "itm"
    about["routes"] = ["chat/completions", "completions", "captions"] if writes else ["embeddings", "match", "features"]
    owner = "blip2-studio" if row is not None and row.pocket else str(about.get("source", "")).split("/")[0] or "local"
    return {"id": name, "object": "model", "created": service.started, "owned_by": owner, "blip2": about}
