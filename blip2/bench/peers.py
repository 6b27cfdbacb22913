"""What the engine is measured against: stock transformers, as demos use it and as well as it can be used.

`Naive` is the usual app: `Blip2ForConditionalGeneration.generate` for each turn, one at a time, the picture
preprocessed and encoded every time. `Stock` is its best form: the picture's features kept, `language_model.generate` on
embeddings, waiting requests put into one padded batch. `Ours` is the engine. All give the new tokens of each turn.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import Any, Protocol

import torch
from PIL import Image
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence
from transformers import BlipImageProcessorPil

from blip2.engine.engine import Engine
from blip2.images import picture_from, preprocess
from blip2.loading import LoadedModel
from blip2.values import Decoding, Request


@dataclass(frozen=True, slots=True, eq=False)
class Ask:
    """One turn: an opened upload, its prompt, how to answer."""

    image: Image.Image
    prompt: str
    decoding: Decoding


@dataclass(frozen=True, slots=True)
class Reply:
    """The new tokens, and when the first and all of them were there (seconds after asking)."""

    ids: tuple[int, ...]
    first: float
    total: float


class Peer(Protocol):
    """A way to answer turns. `together` says whether it gains from being asked several at once."""

    name: str
    together: bool

    def ask(self, asks: Sequence[Ask]) -> list[Reply]: ...


def settings_of(loaded: LoadedModel, decoding: Decoding) -> dict[str, Any]:
    """`generate`'s arguments for a decoding."""
    return {
        "max_new_tokens": decoding.max_new_tokens,
        "min_new_tokens": decoding.min_new_tokens,
        "num_beams": decoding.width,
        "length_penalty": decoding.length_penalty,
        "do_sample": False,
        "eos_token_id": loaded.end_ids[0],
        "pad_token_id": 1 if loaded.info.family == "opt" else 0,
    }


class Naive:
    """One turn at a time, everything done anew."""

    name, together = "naive", False

    def __init__(self, loaded: LoadedModel) -> None:
        self.loaded = loaded
        size = loaded.info.image_size
        self.processor = BlipImageProcessorPil(size={"height": size, "width": size})
        self.image_id = loaded.model.language_model.config.vocab_size - 1

    @torch.inference_mode()
    def ask(self, asks: Sequence[Ask]) -> list[Reply]:
        return [self._one(ask) for ask in asks]

    def _one(self, ask: Ask) -> Reply:
        begun = perf_counter()
        model, info = self.loaded.model, self.loaded.info
        pixels = self.processor(ask.image.convert("RGB"), return_tensors="pt").pixel_values.to(self.loaded.device)
        ids = [self.image_id] * info.image_tokens + self.loaded.tokenizer(ask.prompt).input_ids
        model.config.image_token_index = self.image_id
        given = torch.tensor([ids], device=self.loaded.device)
        out = model.generate(
            pixel_values=pixels,
            input_ids=given,
            attention_mask=torch.ones_like(given),
            **settings_of(self.loaded, ask.decoding),
        )[0].tolist()
        took = perf_counter() - begun
        new = out[1:] if info.family == "t5" else out[len(ids) :]
        return Reply(tuple(new), took, took)


class Stock:
    """Pictures kept encoded, waiting turns in one padded batch."""

    name, together = "best", True

    def __init__(self, loaded: LoadedModel) -> None:
        self.loaded = loaded
        # By identity; the picture is held too, lest another one gets its id once it is gone.
        self.seen: dict[int, tuple[Image.Image, Tensor]] = {}

    @torch.inference_mode()
    def ask(self, asks: Sequence[Ask]) -> list[Reply]:
        begun = perf_counter()
        model, info = self.loaded.model, self.loaded.info
        new = {id(ask.image): ask.image for ask in asks if id(ask.image) not in self.seen}
        if new:
            pixels = torch.stack([preprocess(image, info.image_size) for image in new.values()])
            features = model.get_image_features(pixels.to(self.loaded.device)).pooler_output
            self.seen |= {key: (new[key], row) for key, row in zip(new, features, strict=True)}
        embedding = model.language_model.get_input_embeddings()
        rows = []
        for ask in asks:
            words = embedding(torch.tensor(self.loaded.tokenizer(ask.prompt).input_ids, device=self.loaded.device))
            rows.append(torch.cat([self.seen[id(ask.image)][1].to(words), words]))
        side = "left" if info.family == "opt" else "right"
        ones = [torch.ones(len(row), dtype=torch.long, device=self.loaded.device) for row in rows]
        out = model.language_model.generate(
            inputs_embeds=pad_sequence(rows, batch_first=True, padding_side=side),
            attention_mask=pad_sequence(ones, batch_first=True, padding_side=side),
            **settings_of(self.loaded, asks[0].decoding),
        ).tolist()
        took = perf_counter() - begun
        return [Reply(tuple(ids[1:] if info.family == "t5" else ids), took, took) for ids in out]


class Ours:
    """The engine, asked as its callers ask it: one stream a turn."""

    name, together = "ours", True

    def __init__(self, loaded: LoadedModel) -> None:
        self.engine = Engine(loaded)
        self.loaded = loaded

    def ask(self, asks: Sequence[Ask]) -> list[Reply]:
        begun = perf_counter()
        streams = [self.submit(ask) for ask in asks]
        return [finished(stream, begun) for stream in streams]

    def submit(self, ask: Ask) -> Iterator[Any]:
        picture = picture_from(ask.image)
        return self.engine.submit(Request(self.loaded.info.name, picture, ask.prompt, ask.decoding))

    def close(self) -> None:
        self.engine.close()


def finished(stream: Iterator[Any], begun: float) -> Reply:
    """Read a stream to its end. The first token's time is the engine's own: text may be shown later."""
    *_, last = stream
    return Reply(last.candidates[0].ids, last.usage.first_token, perf_counter() - begun)
