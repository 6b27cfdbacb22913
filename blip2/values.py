"""Frozen values that cross layers. They know no torch, no model and no user interface."""

import uuid
from dataclasses import asdict, dataclass, field, fields, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Literal, Self

from blip2.errors import BadSetting
from blip2.labels import named
from blip2.stats import Fit as Fit
from blip2.stats import ModelStats as ModelStats
from blip2.stats import Stats as Stats

if TYPE_CHECKING:
    import numpy as np
    from PIL import Image

Method = Literal["beam", "greedy", "nucleus"]
METHODS: tuple[Method, ...] = ("beam", "greedy", "nucleus")
EmbedMode = Literal["image", "text", "multimodal"]

RANGES: dict[str, tuple[float, float]] = {
    "num_beams": (1, 16),
    "max_new_tokens": (1, 512),
    "min_new_tokens": (0, 512),
    "length_penalty": (-5.0, 5.0),
    "repetition_penalty": (0.1, 10.0),
    "temperature": (0.01, 10.0),
    "top_p": (0.01, 1.0),
    "top_k": (0, 1000),
    "num_return": (1, 16),
}


@dataclass(frozen=True, slots=True)
class Decoding:
    """How an answer is searched for. The defaults are LAVIS's: beam search, 5 beams, at most 30 new tokens.

    `num_beams`, `length_penalty` and `num_return` (> 1) belong to beam search; `temperature`, `top_p` and `top_k`
    (0 = off) to nucleus sampling, which is plain (one row). `beam_sample` draws the beams' candidates instead of taking
    the best ones, as LAVIS does when asked for nucleus sampling. Raises `BadSetting` for a value out of range.
    """

    method: Method = "beam"
    num_beams: int = 5
    max_new_tokens: int = 30
    min_new_tokens: int = 0
    length_penalty: float = 1.0
    repetition_penalty: float = 1.0
    temperature: float = 1.0
    top_p: float = 0.9
    top_k: int = 0
    num_return: int = 1
    stop: tuple[str, ...] = ()
    beam_sample: bool = False

    def __post_init__(self) -> None:
        if self.method not in METHODS:
            raise BadSetting(f"The decoding method {self.method!r} is unknown; choose beam, greedy or nucleus.")
        for name, (low, high) in RANGES.items():
            value = getattr(self, name)
            whole = isinstance(low, int)
            if isinstance(value, bool) or not isinstance(value, int if whole else int | float):
                kind = "a whole number" if whole else "a number"
                raise BadSetting(f"The setting {named(name)} must be {kind}, not {value!r}.")
            if not low <= value <= high:
                raise BadSetting(f"The setting {named(name)} is {value}; it must lie between {low:g} and {high:g}.")
        if self.min_new_tokens > self.max_new_tokens:
            raise BadSetting(
                f"The setting {named('min_new_tokens')} is {self.min_new_tokens}; it must not exceed "
                f"{named('max_new_tokens')}, which is {self.max_new_tokens}."
            )
        if self.num_return > self.width:
            raise BadSetting(
                f"{self.num_return} answers were asked for, but this search gives at most {self.width}; use more beams."
            )

    @property
    def width(self) -> int:
        """Rows that the request occupies in a batch: its beams, or one."""
        return self.num_beams if self.method == "beam" else 1

    def to_json(self) -> dict[str, Any]:
        return asdict(self) | {"stop": list(self.stop)}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        unknown = set(data) - {f.name for f in fields(cls)}
        if unknown:
            raise BadSetting(f"Unknown decoding setting: {', '.join(sorted(unknown))}.")
        return cls(**(data | {"stop": tuple(data.get("stop", ()))}))


@dataclass(frozen=True, slots=True)
class Picture:
    """An opened picture: upright RGB pixels, free of transparency, and the SHA-256 of those pixels."""

    image: "Image.Image" = field(repr=False, compare=False)
    digest: str
    name: str = ""

    @property
    def size(self) -> tuple[int, int]:
        return self.image.size


@dataclass(frozen=True, slots=True)
class Request:
    """One generation. `prompt` is what the language model reads after the picture's tokens, to the letter.

    `deadline` is a number of seconds from submission; `seed` makes sampling repeatable; `visitor` is for fairness.
    Raises `BadSetting` for a seed of more than 64 bits.
    """

    model: str
    picture: Picture
    prompt: str = ""
    decoding: Decoding = Decoding()
    seed: int = 0
    deadline: float | None = None
    visitor: str = ""
    id: str = field(default_factory=lambda: uuid.uuid4().hex)

    def __post_init__(self) -> None:
        if not -(2**63) <= self.seed < 2**63:
            raise BadSetting(f"The seed is {self.seed:.3g}; it must be a whole number of at most 19 digits.")


class Finish(StrEnum):
    """Why an answer ended."""

    END = "end"  # the model ended it
    LENGTH = "length"  # max_new_tokens reached
    STOP = "stop"  # a stop string appeared
    CANCELLED = "cancelled"  # stopped by the visitor, or the visitor went away
    DEADLINE = "deadline"  # ran out of time


@dataclass(frozen=True, slots=True)
class Token:
    """A generated token: its text and its log-probability under the model's raw distribution (nats)."""

    text: str
    logprob: float


@dataclass(frozen=True, slots=True)
class Candidate:
    """A finished answer. `score` is the search's own (beam score; sum of log-probabilities otherwise).

    `confidence` is the geometric mean of the raw token probabilities, end token included where there is one, in [0, 1].
    """

    text: str
    tokens: tuple[Token, ...] = ()
    score: float = 0.0
    confidence: float = 0.0
    ids: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Usage:
    """What a request cost. Times are seconds since submission; `queued` until its prefill began."""

    image_tokens: int = 0
    prompt_tokens: int = 0
    new_tokens: int = 0
    queued: float = 0.0
    first_token: float = 0.0
    total: float = 0.0
    image_cached: bool = False


@dataclass(frozen=True, slots=True)
class Chunk:
    """A piece of a stream. `text` is the whole answer so far: while beams run, the best hypothesis, which may change.

    The last chunk has `finish` and `usage` set, and `candidates`, the best first (`candidates[0].text == text`). While
    a request has to wait, chunks without text say its place in the queue: `waiting`, 1 for the next, 0 once it runs.
    """

    request_id: str
    text: str
    finish: Finish | None = None
    usage: Usage = Usage()
    candidates: tuple[Candidate, ...] = ()
    waiting: int = 0

    @property
    def final(self) -> bool:
        return self.finish is not None


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """What a backend says of a model it serves; enough to repeat an answer (id, revision, dtype)."""

    name: str  # the name requests use, e.g. "blip2_opt/pocket_opt"
    title: str  # what a page shows
    family: Literal["opt", "t5", "itm"]
    source: str  # Hub id or folder name
    revision: str = ""
    dtype: str = "float32"
    device: str = "cpu"
    image_size: int = 224
    image_tokens: int = 32
    prompt_budget: int = 512  # tokens a prompt may have
    answer_budget: int = 512  # new tokens that fit beside a prompt of that length; more must come out of the prompt
    default_prompt: str = ""
    pocket: bool = False
    memory_bytes: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Match:
    """How well texts match pictures: `itm` probabilities and `itc` cosines, float32 [images, texts]."""

    itm: "np.ndarray[Any, Any]"
    itc: "np.ndarray[Any, Any]"


@dataclass(frozen=True, slots=True, eq=False)
class Features:
    """Q-Former features, float32; a field is None when the mode does not make it. Q queries, T text tokens.

    image_embeds [n, Q, D], image_embeds_proj [n, Q, P], text_embeds [n, T, D], text_embeds_proj [n, T, P],
    multimodal_embeds [n, Q, D].
    """

    image_embeds: "np.ndarray[Any, Any] | None" = None
    image_embeds_proj: "np.ndarray[Any, Any] | None" = None
    text_embeds: "np.ndarray[Any, Any] | None" = None
    text_embeds_proj: "np.ndarray[Any, Any] | None" = None
    multimodal_embeds: "np.ndarray[Any, Any] | None" = None


@dataclass(frozen=True, slots=True, eq=False)
class Attention:
    """Where a model's queries looked: `maps` float32 [rows, side, side] over the picture's patches, each row's sum 1.

    `words` names the rows: "" for the whole, alone or with one row for each word of a text behind it.
    """

    maps: "np.ndarray[Any, Any]"
    words: tuple[str, ...]


def with_decoding(decoding: Decoding, **changes: Any) -> Decoding:
    """`decoding` with some settings changed and checked again."""
    return replace(decoding, **changes)
