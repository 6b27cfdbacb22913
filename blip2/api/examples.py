"""Examples and descriptions for the OpenAPI document; the examples of requests are sent as they stand by the tests."""

from typing import Any

from pydantic import BaseModel

# A picture of 8 x 8 pixels: sky over a meadow.
PNG = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAgAAAAICAIAAABLbSncAAAAHElEQVR42mOs2PKBARtgYsABSJdgefQmjNZ2AAB7"
    "cgRS9SkQRgAAAABJRU5ErkJggg=="
)
ABOUT = """BLIP-2's models under OpenAI's routes, and routes of our own for what OpenAI has no word for.

Answers are searched for with five beams unless the request says otherwise, as in LAVIS. Beams settle on their answer at
the end: to watch it being written, send `temperature` 0 (greedy) or higher (sampling), or `num_beams` 1. The response's
field `blip2` holds the exact prompt, the seed, the decoding and the model's revision: all it takes to repeat an answer.
"""
MODEL_NAME = "blip2_opt/pocket_opt"
QUESTION = {"type": "text", "text": "What is in the picture?"}
IMAGE = {"type": "image_url", "image_url": {"url": PNG}}
CHAT: dict[str, Any] = {"messages": [{"role": "user", "content": [QUESTION, IMAGE]}], "max_tokens": 20}
COMPLETION: dict[str, Any] = {"image": PNG, "prompt": "a photo of", "max_tokens": 20}
EMBEDDING: dict[str, Any] = {"input": ["a meadow", {"type": "image_url", "image_url": {"url": PNG}}]}
CAPTIONS: dict[str, Any] = {"images": [PNG], "n": 2}
MATCH: dict[str, Any] = {"images": [PNG], "texts": ["a meadow", "a city at night"]}
FEATURES: dict[str, Any] = {"images": [PNG]}

USAGE = {"prompt_tokens": 45, "completion_tokens": 3, "total_tokens": 48}
CHAT_ANSWER: dict[str, Any] = {
    "id": "chatcmpl-0f3a",
    "object": "chat.completion",
    "created": 1790000000,
    "model": MODEL_NAME,
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "a meadow"}, "finish_reason": "stop"}],
    "usage": USAGE,
    "blip2": {"prompt": "Question: What is in the picture? Answer:", "seed": 0, "confidence": 0.93},
}
COMPLETION_ANSWER: dict[str, Any] = {
    "id": "cmpl-0f3a",
    "object": "text_completion",
    "created": 1790000000,
    "model": MODEL_NAME,
    "choices": [{"index": 0, "text": "a meadow", "finish_reason": "stop", "logprobs": None}],
    "usage": USAGE,
}
EMBEDDING_ANSWER: dict[str, Any] = {
    "object": "list",
    "model": "blip2/pocket",
    "data": [{"object": "embedding", "index": 0, "embedding": [0.12, -0.3]}],
    "usage": {"prompt_tokens": 4, "total_tokens": 4},
}
MODEL: dict[str, Any] = {
    "id": MODEL_NAME,
    "object": "model",
    "created": 1790000000,
    "owned_by": "blip2-studio",
    "blip2": {"loaded": True, "family": "opt", "dtype": "float32"},
}
MODELS_ANSWER: dict[str, Any] = {"object": "list", "data": [MODEL]}
CAPTION_LINE: dict[str, Any] = {
    "index": 0,
    "total": 1,
    "name": "",
    "model": MODEL_NAME,
    "captions": [{"text": "a meadow", "score": -0.2, "confidence": 0.93, "itm": None, "finish_reason": "stop"}],
    "error": None,
}
MATCH_ANSWER: dict[str, Any] = {
    "object": "match",
    "model": "blip2/pocket",
    "texts": ["a meadow", "a city at night"],
    "itm": [[0.97, 0.02]],
    "itc": [[0.41, 0.12]],
}
FEATURES_ANSWER: dict[str, Any] = {
    "object": "features",
    "model": "blip2/pocket",
    "mode": "image",
    "features": {"image_embeds": {"shape": [1, 32, 768], "data": [[[0.1]]]}},
}


def _error(about: str, message: str, kind: str, param: str | None, code: str) -> dict[str, Any]:
    value = {"error": {"message": message, "type": kind, "param": param, "code": code}}
    return {"description": about, "content": {"application/json": {"example": value}}}


BAD = "invalid_request_error"
ERRORS: dict[int | str, dict[str, Any]] = {
    400: _error("A field is wrong", "There is no picture; send one.", BAD, "messages", "no_picture"),
    401: _error("No key, or one not known", "Send an API key.", "authentication_error", None, "invalid_api_key"),
    404: _error("No such model or route", "The model 'x' is not served here.", BAD, "model", "model_not_found"),
    413: _error("Larger than allowed", "The picture is larger than 20 MB.", BAD, "image", "too_large"),
    415: _error("Neither JSON nor a form, or no picture", "Send JSON.", BAD, None, "unsupported_type"),
    422: _error("A picture that cannot be read", "The picture is damaged.", BAD, "image", "bad_image"),
    429: _error("Too many requests; see Retry-After", "Try again in 3 seconds.", "rate_limit_error", None, "busy"),
    500: _error("A fault of the server", "The server failed to answer.", "server_error", None, "failed"),
    503: _error(
        "Loading or stopping; see Retry-After", "The models are being loaded.", "server_error", None, "loading"
    ),
    504: _error(
        "Out of time before the first word", "The time limit was reached.", "server_error", "timeout", "timeout"
    ),
}


def answers(example: dict[str, Any], kind: str = "application/json") -> dict[int | str, dict[str, Any]]:
    """The description of a route's good response, with an example."""
    content: dict[str, Any] = {"schema": {"type": "object"}, "example": example}
    return {200: {"description": "Done", "content": {kind: content}}}


def json_or_form(model: type[BaseModel], files: str = "images") -> dict[str, Any]:
    """The description of a body that is JSON, or a form whose field `files` holds uploads."""
    schema = model.model_json_schema()
    form = {**schema, "properties": dict(schema["properties"])}
    form.pop("examples", None)
    form["properties"][files] = {"type": "array", "items": {"type": "string", "format": "binary"}}
    content = {"application/json": {"schema": schema}, "multipart/form-data": {"schema": form}}
    return {"requestBody": {"required": True, "content": content}}
