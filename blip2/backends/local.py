"""Engines in this process, loaded when first asked for; the least recently used unloaded when memory is short."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from blip2.engine.cache import ByteLRU
from blip2.engine.engine import Engine
from blip2.engine.matcher import Matcher
from blip2.errors import BadInput, UnknownModel, WillNotFit
from blip2.images import preprocess
from blip2.loading import LoadedModel, load
from blip2.values import Chunk, EmbedMode, Features, Match, ModelInfo, Picture, Request, Stats

POCKET = ("blip2_opt/pocket_opt", "blip2_t5/pocket_flant5", "blip2/pocket")
ENCODE = 16  # pictures encoded at once


class LocalBackend:
    """Serves `names` (zoo rows, folders or Hub ids), the first being the default.

    `any_model` lets requests name others; `dtype` and `device` are passed to loading; `cache_bytes` bounds the encoded
    pictures kept.
    """

    def __init__(
        self,
        names: Sequence[str] = POCKET,
        dtype: str = "auto",
        device: str = "auto",
        *,
        any_model: bool = False,
        cache_bytes: int = 256 << 20,
        max_rows: int = 64,
        max_waiting: int = 256,
        loader: Callable[[str, str, str], LoadedModel] = load,
    ) -> None:
        self.names = list(names)
        self.any_model = any_model
        self.images = ByteLRU(cache_bytes)
        self._make: dict[str, Any] = {"dtype": dtype, "device": device}
        self._limits: dict[str, Any] = {"max_rows": max_rows, "max_waiting": max_waiting}
        self._loader = loader
        self._loaded: OrderedDict[str, Engine | Matcher] = OrderedDict()
        self._loading = threading.RLock()
        self._matching: dict[str, threading.Lock] = {}
        self._owner: dict[str, Engine] = {}

    def models(self) -> list[ModelInfo]:
        return [self.describe(name) for name in self.names]

    def describe(self, model: str) -> ModelInfo:
        return self._get(model).loaded.info

    def note(self, model: str) -> str:
        """What `auto` picked for this model, and why."""
        return self._get(model).loaded.note

    def generate(self, request: Request) -> Iterator[Chunk]:
        engine = self._engine(request.model)
        self._owner[request.id] = engine
        try:
            yield from engine.submit(request)
        finally:
            self._owner.pop(request.id, None)

    def count_tokens(self, model: str, text: str) -> int:
        owner = self._get(model)
        if isinstance(owner, Engine):
            return len(owner.tokens(text))
        with self._matching[owner.info.name]:
            return int(owner.tokens([text], limit=None)[0].shape[1])

    def match(self, model: str, images: Sequence[Picture], texts: Sequence[str]) -> Match:
        matcher = self._matcher(model)
        with self._matching[matcher.info.name]:
            seen = self._vision(matcher, images)
            ids, mask = matcher.tokens(texts)
            vectors = matcher.project_text(matcher.texts(ids, mask))[:, 0]
            itm, itc = [], []
            for vision in seen:
                logits = matcher.itm_logits(vision.expand(len(ids), -1, -1), ids, mask)
                itm.append(logits.softmax(-1)[:, 1])
                itc.append(matcher.itc(matcher.project_image(matcher.queries(vision)), vectors)[0])
            return Match(as_array(torch.stack(itm)), as_array(torch.stack(itc)))

    def embed(self, model: str, images: Sequence[Picture], texts: Sequence[str], mode: EmbedMode) -> Features:
        matcher = self._matcher(model)
        if mode == "multimodal" and len(images) != len(texts):
            raise BadInput(
                f"Multimodal features need one text for each picture; got {len(images)} pictures, {len(texts)} texts."
            )
        with self._matching[matcher.info.name]:
            vision = torch.cat(self._vision(matcher, images)) if mode != "text" else torch.empty(0)
            if mode == "image":
                queries = matcher.queries(vision)
                projected = as_array(matcher.project_image(queries))
                return Features(image_embeds=as_array(queries), image_embeds_proj=projected)
            ids, mask = matcher.tokens(texts, limit=512)
            if mode == "text":
                states = matcher.texts(ids, mask)
                return Features(text_embeds=as_array(states), text_embeds_proj=as_array(matcher.project_text(states)))
            return Features(multimodal_embeds=as_array(matcher.multimodal(vision, ids, mask)))

    def matcher(self, model: str) -> Matcher:
        """The matching model itself, for work that the seam does not offer; use it from one thread at a time."""
        return self._matcher(model)

    def cancel(self, request_id: str) -> None:
        engine = self._owner.get(request_id)
        if engine is not None:
            engine.cancel(request_id)

    def stats(self) -> Stats:
        engines = {name: owner for name, owner in self._loaded.items() if isinstance(owner, Engine)}
        counts = {name: engine.scheduler.counts() for name, engine in engines.items()}
        return Stats(
            running={name: running for name, (running, _) in counts.items()},
            waiting={name: waiting for name, (_, waiting) in counts.items()},
            steps={name: engine.steps for name, engine in engines.items()},
            loaded=tuple(self._loaded),
            image_hits=self.images.hits,
            image_misses=self.images.misses,
        )

    def close(self) -> None:
        with self._loading:
            for name in list(self._loaded):
                self.unload(name)
            self.images.clear()

    def unload(self, name: str) -> None:
        """Free one model; requests it is serving end with a sentence."""
        with self._loading:
            owner = self._loaded.pop(name, None)
            if isinstance(owner, Engine):
                owner.close()
        if torch.cuda.is_available():
            torch.cuda.empty_cache()

    def _get(self, name: str) -> Engine | Matcher:
        with self._loading:
            if name in self._loaded:
                self._loaded.move_to_end(name)
                return self._loaded[name]
            if name not in self.names and not self.any_model:
                raise UnknownModel(f"The model {name!r} is not served here; choose one of {', '.join(self.names)}.")
            loaded = self._load(name)
            made = Matcher(loaded) if loaded.info.family == "itm" else Engine(loaded, self.images, **self._limits)
            self._loaded[name] = made
            self._matching.setdefault(loaded.info.name, threading.Lock())
            return made

    def _load(self, name: str) -> LoadedModel:
        """Load, unloading idle models, least recently used first, while it will not fit."""
        while True:
            try:
                return self._loader(name, self._make["dtype"], self._make["device"])
            except WillNotFit:
                idle = [n for n, owner in self._loaded.items() if not is_busy(owner)]
                if not idle:
                    raise
                self.unload(idle[0])

    def _engine(self, name: str) -> Engine:
        owner = self._get(name)
        if not isinstance(owner, Engine):
            raise UnknownModel(f"The model {name} matches pictures with texts; it cannot write answers.")
        return owner

    def _matcher(self, name: str) -> Matcher:
        owner = self._get(name)
        if not isinstance(owner, Matcher):
            raise UnknownModel(f"The model {name} writes answers; matching needs one such as blip2/pretrain.")
        return owner

    def _vision(self, matcher: Matcher, pictures: Sequence[Picture]) -> list[Tensor]:
        """Each picture through the image encoder, [1, patches + 1, D]: from the cache, new ones in batches."""
        info = matcher.info
        keys = [(picture.digest, info.name, info.dtype) for picture in pictures]
        found = {key: self.images.get(key) for key in dict.fromkeys(keys)}
        new = {key: pic for key, pic in zip(keys, pictures, strict=True) if found[key] is None}
        waiting = list(new.items())
        for at in range(0, len(waiting), ENCODE):
            part = waiting[at : at + ENCODE]
            pixels = torch.stack([preprocess(picture.image, info.image_size) for _, picture in part])
            for (key, _), vision in zip(part, matcher.vision(pixels), strict=True):
                found[key] = vision[None].clone()
                self.images.put(key, vision[None].clone())
        return [vision for key in keys if (vision := found[key]) is not None]


def is_busy(owner: Engine | Matcher) -> bool:
    """Whether someone is waiting for this model."""
    return isinstance(owner, Engine) and any(owner.scheduler.counts())


def as_array(tensor: Tensor) -> "np.ndarray[Any, Any]":
    return tensor.float().cpu().numpy()
