"""The fields that requests for answers share, and how they become a `Decoding`. It knows no route.

OpenAI's fields keep their meaning: `temperature` 0 is greedy, above 0 it samples. Where a request says nothing of the
search, it is LAVIS's: five beams, 30 tokens.
"""

import difflib
import secrets
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from blip2.api.failures import Refusal
from blip2.values import RANGES, Decoding

SEEDS = 2**63
# Fields of OpenAI's that change nothing about an answer of ours, so that clients may send them.
HARMLESS = frozenset(
    {
        "metadata",
        "parallel_tool_calls",
        "prompt_cache_key",
        "prompt_cache_retention",
        "reasoning_effort",
        "safety_identifier",
        "service_tier",
        "store",
        "user",
        "verbosity",
    }
)
# Fields that would change it, with the values under which they would not.
NEUTRAL: dict[str, tuple[Any, ...]] = {
    "tools": ([],),
    "tool_choice": ("none", "auto"),
    "functions": ([],),
    "function_call": ("none", "auto"),
    "response_format": ({"type": "text"},),
    "modalities": (["text"],),
    "frequency_penalty": (0,),
    "presence_penalty": (0,),
    "logit_bias": ({},),
    "top_logprobs": (0,),
    "best_of": (1,),
    "suffix": ("",),
}


def without_surrogates(text: str) -> str:
    """`text` without half surrogates, which JSON can carry and no tokenizer takes."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "ignore")


Text = Annotated[str, AfterValidator(without_surrogates)]


class Fields(BaseModel):
    """A request's fields. Unknown ones are looked at by `check_extras`, so that the error can say what is meant."""

    model_config = ConfigDict(extra="allow")

    def check_extras(self) -> None:
        """Raises `Refusal` for a field that is unknown, or that asks for what BLIP-2 cannot do."""
        for name, value in (self.model_extra or {}).items():
            if name in HARMLESS or value is None or any(value == neutral for neutral in NEUTRAL.get(name, ())):
                continue
            if name in NEUTRAL:
                raise Refusal(400, f"BLIP-2 does not offer {name}; leave it out.", name, "unsupported_field")
            near = difflib.get_close_matches(name, type(self).model_fields, n=1)
            meant = f" Did you mean {near[0]}?" if near else " Leave it out."
            raise Refusal(400, f"The field {name!r} is unknown.{meant}", name, "unknown_field")


def _ranged(name: str, about: str) -> Any:
    low, high = RANGES[name]
    return Field(None, ge=low, le=high, description=about)


class AnswerFields(Fields):
    """How an answer is searched for; null or left out means the default."""

    model: Text | None = Field(
        None, description="A name from `GET /v1/models`; left out, the default model that writes."
    )
    n: int = Field(1, ge=1, le=16, description="Answers: the best of the beams, or as many samples.")
    max_tokens: int | None = _ranged("max_new_tokens", "Longest answer, in tokens (30).")
    min_tokens: int | None = _ranged("min_new_tokens", "Shortest answer, in tokens (0).")
    temperature: float | None = Field(
        None, ge=0, le=10, description="0 is greedy search, above 0 sampling; left out, beam search."
    )
    top_p: float | None = Field(None, gt=0, le=1, description="Sampling: share of probability drawn from (0.9).")
    top_k: int | None = _ranged("top_k", "Sampling: tokens drawn from; 0 is all (0).")
    num_beams: int | None = _ranged("num_beams", "Beam search's width (5); 1 is greedy search.")
    length_penalty: float | None = _ranged("length_penalty", "Beam search: above 0 favours long answers (1).")
    repetition_penalty: float | None = _ranged("repetition_penalty", "Above 1 avoids what was said already (1).")
    seed: int | None = Field(None, ge=0, lt=SEEDS, description="Makes sampling repeatable; drawn and told if left out.")
    stop: Text | list[Text] | None = Field(None, description="The answer ends before any of these strings, 16 at most.")
    stream: bool | None = Field(None, description="Send the answer as server-sent events while it is written.")
    stream_options: dict[str, Any] | None = Field(None, description="include_usage sends the usage in a last chunk.")
    timeout: float | None = Field(None, gt=0, le=3600, description="Seconds the answer may take, waiting included.")


def decoding(fields: AnswerFields) -> Decoding:
    """The search that the fields ask for.

    Raises `Refusal` where they contradict each other, `BadSetting` for a value out of range.
    """
    stops = [fields.stop] if isinstance(fields.stop, str) else fields.stop or []
    if len(stops) > 16 or not all(stops):
        raise Refusal(400, "The field stop takes at most 16 strings, none of them empty.", "stop", "bad_value")
    given: dict[str, Any] = {
        "max_new_tokens": fields.max_tokens,
        "min_new_tokens": fields.min_tokens,
        "repetition_penalty": fields.repetition_penalty,
    }
    search: dict[str, Any]
    if fields.num_beams is not None and fields.num_beams > 1:
        search = _beams(fields)
    elif samples(fields):
        search = {"method": "nucleus", "temperature": fields.temperature, "top_p": fields.top_p, "top_k": fields.top_k}
    elif fields.temperature == 0 or fields.num_beams == 1:
        search = {"method": "greedy"}
        if fields.n > 1:
            raise Refusal(400, "Greedy search gives one answer; for n of them use beams or a temperature.", "n")
    else:
        search = _beams(fields)
    values = {name: value for name, value in (given | search).items() if value is not None}
    if values.get("min_new_tokens", 0) > values.get("max_new_tokens", Decoding().max_new_tokens):
        raise Refusal(400, "The field min_tokens is greater than max_tokens; lower it.", "min_tokens", "bad_value")
    return Decoding(stop=tuple(stops), **values)


def samples(fields: AnswerFields) -> bool:
    """Whether the fields ask for sampling."""
    if fields.temperature == 0:
        return False
    return any(value is not None for value in (fields.temperature, fields.top_p, fields.top_k))


def _beams(fields: AnswerFields) -> dict[str, Any]:
    """Beam search. The neutral values that many clients always send (1 and 1) do not contradict it."""
    if fields.temperature not in (None, 0, 1) or fields.top_p not in (None, 1) or fields.top_k:
        raise Refusal(
            400,
            "The field num_beams asks for beam search, temperature, top_p or top_k for sampling; give one.",
            "num_beams",
        )
    beams = fields.num_beams if fields.num_beams is not None else max(Decoding().num_beams, fields.n)
    return {
        "method": "beam",
        "num_beams": beams,
        "length_penalty": fields.length_penalty,
        "num_return": fields.n,
    }


def seed_of(fields: AnswerFields) -> int:
    """The seed given, or one drawn: clients that want several answers ask several times."""
    if fields.seed is not None:
        return fields.seed
    return secrets.randbelow(2**31) if samples(fields) else 0


Encoding = Literal["float", "base64"]
