"""`POST /v1/embeddings`: one projected vector for each text or picture; texts and pictures share the space.

A picture has a vector for each of the Q-Former's queries. `pooling` makes one of them: their mean by default.
"""

import base64
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from fastapi import APIRouter, Request
from pydantic import ConfigDict, Field
from starlette.responses import Response

from blip2.api import examples
from blip2.api.conversation import Part, TextPart
from blip2.api.failures import Refusal, json_response
from blip2.api.fields import Encoding, Fields, Text
from blip2.api.http import service_of
from blip2.api.pictures import picture_at
from blip2.api.running import until_gone
from blip2.api.service import Service
from blip2.values import ModelInfo, Picture

router = APIRouter(tags=["OpenAI"])
Pooling = Literal["mean", "first"]
Array = "np.ndarray[Any, Any]"
Item = str | Picture


class EmbeddingRequest(Fields):
    """Texts and pictures. A text that begins with `data:image/` is a picture."""

    model: Text | None = Field(None, description="A matching model; left out, the default one.")
    input: Text | list[Text | Part] = Field(description="A text, or up to 256 texts and `text` or `image_url` parts.")
    encoding_format: Encoding = Field("float", description="base64 is of little-endian float32.")
    dimensions: int | None = Field(None, ge=1, description="Must be the model's own where it is given.")
    pooling: Pooling = Field("mean", description="How a picture's query vectors become one: their mean, or the first.")
    model_config = ConfigDict(json_schema_extra={"examples": [examples.EMBEDDING]})


@router.post("/embeddings", summary="Embed texts and pictures", responses=examples.answers(examples.EMBEDDING_ANSWER))
async def embeddings(body: EmbeddingRequest, request: Request) -> Response:
    """Unit vectors in the space that ITC compares texts and pictures in."""
    body.check_extras()
    service = service_of(request)
    info = await service.call(service.model, body.model, "match")
    request.state.model = info.name
    return json_response(await until_gone(request.receive, _embedded(service, info, body)))


async def _embedded(service: Service, info: ModelInfo, body: EmbeddingRequest) -> dict[str, Any]:
    given = [body.input] if isinstance(body.input, str) else body.input
    if not 0 < len(given) <= 256:
        raise Refusal(400, f"The field input takes 1 to 256 texts or pictures; {len(given)} came.", "input")
    items = [await service.call(_item, service, each, f"input[{index}]") for index, each in enumerate(given)]
    vectors = await service.match(_vectors, service, info, items, body.pooling)
    if body.dimensions not in (None, len(vectors[0])):
        raise Refusal(400, f"This model's vectors have {len(vectors[0])} dimensions; ask for those.", "dimensions")
    tokens = await service.match(_tokens, service, info, items)
    return {
        "object": "list",
        "model": info.name,
        "data": [
            {"object": "embedding", "index": index, "embedding": encoded(vector, body.encoding_format)}
            for index, vector in enumerate(vectors)
        ],
        "usage": {"prompt_tokens": tokens, "total_tokens": tokens},
    }


def _item(service: Service, given: Any, param: str) -> Item:
    """A text, or a picture opened. Blocks."""
    if isinstance(given, str):
        is_picture = given[:11].lower() == "data:image/"
        item: Item = picture_at(service, given, param) if is_picture else given
    elif isinstance(given, TextPart):
        item = given.text
    else:
        item = picture_at(service, given.image_url.url, f"{param}.image_url.url")
    if isinstance(item, str) and not item.strip():
        raise Refusal(400, "An empty text has no embedding; leave it out.", param, "no_text")
    return item


def _vectors(
    service: Service, info: ModelInfo, items: Sequence[Item], pooling: Pooling
) -> "list[np.ndarray[Any, Any]]":
    """A unit vector, float32 [P], for each item: texts in one go, pictures in another. Blocks."""
    texts = [item for item in items if isinstance(item, str)]
    pictures = [item for item in items if isinstance(item, Picture)]
    of_texts = iter(service.backend.embed(info.name, [], texts, "text").text_embeds_proj[:, 0] if texts else [])  # type: ignore[index]
    of_pictures = iter(
        _pooled(service.backend.embed(info.name, pictures, [], "image").image_embeds_proj, pooling) if pictures else []
    )
    return [next(of_texts) if isinstance(item, str) else next(of_pictures) for item in items]


def _pooled(queries: "np.ndarray[Any, Any] | None", pooling: Pooling) -> "np.ndarray[Any, Any]":
    """[n, Q, P] -> unit vectors [n, P]."""
    assert queries is not None
    made = queries[:, 0] if pooling == "first" else queries.mean(axis=1)
    length = np.linalg.norm(made, axis=-1, keepdims=True)
    return np.asarray(made / np.maximum(length, 1e-12), np.float32)


def _tokens(service: Service, info: ModelInfo, items: Sequence[Item]) -> int:
    counts = (
        service.backend.count_tokens(info.name, each) if isinstance(each, str) else info.image_tokens for each in items
    )
    return sum(counts)


def encoded(array: "np.ndarray[Any, Any]", form: Encoding) -> Any:
    """Nested lists, or base64 of little-endian float32."""
    if form == "base64":
        return base64.b64encode(np.ascontiguousarray(array, "<f4").tobytes()).decode()
    return array.astype(float).tolist()
