"""Engines in this process, loaded when first asked for; the least recently used unloaded when memory is short."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from time import monotonic
from typing import Any

import numpy as np
import torch
from torch import Tensor

from blip2.backends.shelf import Shelf
from blip2.backends.shelved import Shelved
from blip2.engine.attention import look, look_at, query_map, word_maps, words_of
from blip2.engine.cache import ByteLRU
from blip2.engine.engine import Engine
from blip2.engine.matcher import MAX_TEXT, Matcher
from blip2.engine.warmup import warmed
from blip2.errors import BadInput, UnknownModel, WillNotFit
from blip2.images import preprocess
from blip2.loading import LoadedModel, load
from blip2.values import (
    Attention,
    Chunk,
    EmbedMode,
    Features,
    Match,
    ModelStats,
    Picture,
    Request,
    Stats,
)

Owner = Engine | Matcher
POCKET = ("blip2_opt/pocket_opt", "blip2_t5/pocket_flant5", "blip2/pocket")
ENCODE = 16  # pictures encoded at once
MAPS = 4 << 20  # bytes of maps kept


class LocalBackend(Shelved[Owner]):
    """Serves `names` (zoo rows, folders or Hub ids), the first being the default.

    `allow` may be loaded by hand besides; `any_model` lets requests name others; `dtype` and `device` are passed to
    loading; `cache_bytes` bounds the encoded pictures kept. With `warm_up` a model runs typical requests as soon
    as it is loaded, and tells it how far it is.
    """

    def __init__(
        self,
        names: Sequence[str] = POCKET,
        dtype: str = "auto",
        device: str = "auto",
        *,
        allow: Sequence[str] = (),
        any_model: bool = False,
        cache_bytes: int = 256 << 20,
        max_rows: int = 64,
        max_waiting: int = 256,
        warm_up: Callable[[str], object] | None = None,
        loader: Callable[[str, str, str], LoadedModel] = load,
    ) -> None:
        self.images = ByteLRU(cache_bytes)
        self._maps = ByteLRU(MAPS)
        limits = {"max_rows": max_rows, "max_waiting": max_waiting}

        def make(loaded: LoadedModel) -> Owner:
            if loaded.info.family == "itm":
                return Matcher(loaded)
            engine = Engine(loaded, self.images, **limits)
            return engine if warm_up is None else warmed(engine, warm_up)

        self.shelf = Shelf(names, allow, any_model, (dtype, device), loader, make)
        self._running: dict[str, Engine] = {}

    def generate(self, request: Request) -> Iterator[Chunk]:
        engine = self._engine(request.model)
        self._running[request.id] = engine
        try:
            yield from engine.submit(request)
        finally:
            self._running.pop(request.id, None)

    def count_tokens(self, model: str, text: str) -> int:
        owner = self.shelf.get(model)
        if isinstance(owner, Engine):
            return len(owner.tokens(text))
        with self.shelf.lock(owner):
            return int(owner.tokens([text], limit=None)[0].shape[1])

    def attend(self, model: str, picture: Picture, text: str = "") -> Attention:
        owner = self.shelf.get(model)
        info, text = owner.loaded.info, text.strip()
        if text and not isinstance(owner, Matcher):
            raise BadInput(f"{info.title} looks at the picture before it reads; words belong to a matching model.")
        with self.shelf.lock(owner):
            if not isinstance(owner, Matcher):
                return self._looked(owner, picture)
            (vision,) = self._vision(owner, [picture])
            if not text:
                return Attention(as_array(query_map(look(owner.model, vision)))[None], ("",))
            ids, words = words_of(owner.loaded.tokenizer, text, MAX_TEXT)
            maps = word_maps(look(owner.model, vision, ids), [places for _, places in words])
            return Attention(as_array(maps), ("", *(word for word, _ in words)))

    def _looked(self, engine: Engine, picture: Picture) -> Attention:
        """The map of a model that writes: the same for every question, so it is kept."""
        info = engine.loaded.info
        key = (picture.digest, info.name, info.dtype, "looked")
        found = self._maps.get(key)
        if found is None:
            try:
                found = query_map(look_at(engine.loaded.model, preprocess(picture.image, info.image_size))).cpu()
            except torch.OutOfMemoryError as error:
                raise WillNotFit(f"The memory does not suffice for a map of where {info.title} looked.") from error
            self._maps.put(key, found)
        return Attention(as_array(found)[None], ("",))

    def match(self, model: str, images: Sequence[Picture], texts: Sequence[str]) -> Match:
        matcher = self._matcher(model)
        with self.shelf.lock(matcher):
            seen = self._vision(matcher, images)
            ids, mask = matcher.tokens(texts)
            vectors = matcher.project_text(matcher.texts(ids, mask))[:, 0]
            itm, itc = [], []
            for vision in seen:
                logits = matcher.itm_logits(vision, ids, mask)
                itm.append(logits.softmax(-1)[:, 1])
                itc.append(matcher.itc(matcher.project_image(matcher.queries(vision)), vectors)[0])
            return Match(as_array(torch.stack(itm)), as_array(torch.stack(itc)))

    def embed(self, model: str, images: Sequence[Picture], texts: Sequence[str], mode: EmbedMode) -> Features:
        matcher = self._matcher(model)
        if mode == "multimodal" and len(images) != len(texts):
            raise BadInput(
                f"Multimodal features need one text for each picture; got {len(images)} pictures, {len(texts)} texts."
            )
        with self.shelf.lock(matcher):
            vision = torch.cat(self._vision(matcher, images)) if mode != "text" else torch.empty(0)
            if mode == "image":
                queries = matcher.queries(vision)
                projected = as_array(matcher.project_image(queries))
                return Features(image_embeds=as_array(queries), image_embeds_proj=projected)
            ids, mask = matcher.tokens(texts, limit=matcher.longest)
            if mode == "text":
                states = matcher.texts(ids, mask)
                return Features(text_embeds=as_array(states), text_embeds_proj=as_array(matcher.project_text(states)))
            return Features(multimodal_embeds=as_array(matcher.multimodal(vision, ids, mask)))

    def matcher(self, model: str) -> Matcher:
        """The matching model itself, for work that the seam does not offer; use it from one thread at a time."""
        return self._matcher(model)

    def cancel(self, request_id: str) -> None:
        engine = self._running.get(request_id)
        if engine is not None:
            engine.cancel(request_id)

    def stats(self) -> Stats:
        owners = self.shelf.loaded()
        counts = {name: owner.scheduler.counts() for name, owner in owners.items() if isinstance(owner, Engine)}
        return Stats(
            running={name: running for name, (running, _) in counts.items()},
            waiting={name: waiting for name, (_, waiting) in counts.items()},
            steps={name: owner.steps for name, owner in owners.items() if isinstance(owner, Engine)},
            loaded=tuple(owners),
            image_hits=self.images.hits,
            image_misses=self.images.misses,
            image_bytes=self.images.bytes,
            models={name: standing(owner, self.shelf.since.get(name)) for name, owner in owners.items()},
            loading=self.shelf.loading,
            **memory(),
        )

    def close(self) -> None:
        for name in self.shelf.loaded():
            self.shelf.put_away(name)
        self.images.clear()

    def _engine(self, name: str) -> Engine:
        owner = self.shelf.get(name)
        if not isinstance(owner, Engine):
            raise UnknownModel(f"The model {name} matches pictures with texts; it cannot write answers.")
        return owner

    def _matcher(self, name: str) -> Matcher:
        owner = self.shelf.get(name)
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


def standing(owner: Owner, since: float | None) -> ModelStats:
    """One loaded model now; `since` on the monotonic clock."""
    info = owner.loaded.info
    age = monotonic() - since if since is not None else 0.0
    made = ModelStats(info.title, info.family, info.device, info.dtype, info.memory_bytes, since=age)
    made = replace(made, note=owner.loaded.note, checks=owner.loaded.checks)
    if isinstance(owner, Matcher):
        return made
    read, reused = owner.prefixes.read, owner.prefixes.reused
    return replace(made, tokens=owner.pace.tokens, pace=owner.pace.rate(), prompt_reused=reused, prompt_read=read)


def memory() -> dict[str, int]:
    """Bytes of this process, and allocated and in all on the GPUs."""
    import psutil

    found = {"rss_bytes": int(psutil.Process().memory_info().rss)}
    if torch.cuda.is_available():
        gpus = range(torch.cuda.device_count())
        found["gpu_allocated"] = sum(torch.cuda.memory_allocated(gpu) for gpu in gpus)
        found["gpu_total"] = sum(torch.cuda.get_device_properties(gpu).total_memory for gpu in gpus)
    return found


def as_array(tensor: Tensor) -> "np.ndarray[Any, Any]":
    return tensor.float().cpu().numpy()
