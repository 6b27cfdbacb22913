"""`POST /v1/features`: the Q-Former's features, raw and projected, of pictures, texts or pairs."""

from dataclasses import fields
from typing import Any

import numpy as np
from fastapi import APIRouter, Request
from pydantic import ConfigDict, Field
from starlette.responses import Response

from blip2.api import examples
from blip2.api.embeddings import encoded
from blip2.api.failures import Refusal, json_response
from blip2.api.fields import Encoding, Fields, Text
from blip2.api.http import service_of
from blip2.api.running import until_gone
from blip2.api.service import Service
from blip2.api.uploads import Source, read_body
from blip2.values import EmbedMode, ModelInfo

router = APIRouter(tags=["BLIP-2"])


class FeatureRequest(Fields):
    """What features are made of: pictures (image), texts (text), or picture i with text i (multimodal)."""

    model: Text | None = Field(None, description="A matching model; left out, the default one.")
    images: list[Text] = Field([], max_length=256, description="Data URLs, or addresses where the server allows those.")
    texts: list[Text] = Field([], max_length=256)
    mode: EmbedMode | None = Field(None, description="Left out: image, text or multimodal, by what was sent.")
    encoding_format: Encoding = Field("float", description="base64 is of little-endian float32, in C order.")
    model_config = ConfigDict(json_schema_extra={"examples": [examples.FEATURES]})


@router.post(
    "/features",
    summary="Extract features",
    openapi_extra=examples.json_or_form(FeatureRequest),
    responses=examples.answers(examples.FEATURES_ANSWER),
)
async def features(request: Request) -> Response:
    """Q-Former features as LAVIS's `extract_features` gives them, each with its shape."""
    service = service_of(request)
    body, sources = await read_body(request, FeatureRequest)
    body.check_extras()
    mode = _mode(body, len(sources))
    info = await service.call(service.model, body.model, "match")
    request.state.model = info.name
    return json_response(await until_gone(request.receive, _extracted(service, info, body, sources, mode)))


def _mode(body: FeatureRequest, pictures: int) -> EmbedMode:
    """The mode, which must fit what was sent. Raises `Refusal`."""
    mode: EmbedMode = body.mode or ("multimodal" if pictures and body.texts else "image" if pictures else "text")
    if mode != "text" and not pictures:
        raise Refusal(400, f"Features of mode {mode} need pictures in the field images.", "images", "no_picture")
    if mode != "image" and not body.texts:
        raise Refusal(400, f"Features of mode {mode} need texts in the field texts.", "texts", "no_text")
    if mode == "multimodal" and pictures != len(body.texts):
        raise Refusal(
            400, f"Multimodal features need a text for each picture; {pictures} and {len(body.texts)} came.", "texts"
        )
    return mode


async def _extracted(
    service: Service, info: ModelInfo, body: FeatureRequest, sources: list[Source], mode: EmbedMode
) -> dict[str, Any]:
    pictures = [await service.call(source.open, service) for source in sources] if mode != "text" else []
    texts = body.texts if mode != "image" else []
    made = await service.match(service.backend.embed, info.name, pictures, texts, mode)
    arrays = {each.name: getattr(made, each.name) for each in fields(made)}
    return {
        "object": "features",
        "model": info.name,
        "mode": mode,
        "images": [{"name": s.name, "digest": p.digest} for s, p in zip(sources, pictures, strict=False)],
        "features": {
            name: {"shape": list(array.shape), "data": encoded(np.asarray(array), body.encoding_format)}
            for name, array in arrays.items()
            if array is not None
        },
    }
