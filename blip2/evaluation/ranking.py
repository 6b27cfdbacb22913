"""Retrieval in two stages, in bounded memory: ITC picks the best k both ways, ITM re-ranks them.

LAVIS keeps every picture's patches (19 GB for COCO's 5,000 at 364 pixels) and scores each direction by itself. Here the
first pass keeps only the projected queries and the cosines, on disk; the second encodes a few pictures at a time and
scores, once, each pair that either direction wants. A pair's logit is the same in both directions, so the figures are
LAVIS's (`blip2.py`, `compute_sim_matrix`). A picture that cannot be opened is ranked nowhere and counted.
"""

import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch

from blip2.backends.base import Backend
from blip2.backends.local import LocalBackend
from blip2.engine.matcher import Matcher
from blip2.errors import BadImage, ModelUnusable
from blip2.evaluation.examples import Example
from blip2.evaluation.journal import Journal, Row, replacing
from blip2.evaluation.progress import Progress
from blip2.evaluation.protocols import Protocol
from blip2.evaluation.ranking_rows import BY_IMAGE, BY_TEXT, Found, packed
from blip2.evaluation.recall import Array, best
from blip2.images import preprocess
from blip2.lavis.text import blip_caption

CHUNK = 64  # pictures whose first-pass features share a file
ENCODE = 16  # pictures encoded, and held, at once
TEXTS = 512  # texts projected, or compared, at once


class Ranker:
    """One matching model over all pictures and texts of a data set. `folder` holds what the first pass computes."""

    def __init__(
        self, matcher: Matcher, protocol: Protocol, examples: Sequence[Example], texts: Sequence[str], folder: Path
    ) -> None:
        self.matcher, self.examples, self.k, self.folder = matcher, examples, protocol.k_test, folder
        folder.mkdir(parents=True, exist_ok=True)
        self._ids, self._mask = matcher.tokens([blip_caption(text) for text in texts], limit=protocol.text_tokens)

    def first(self, progress: Progress) -> None:
        """The first pass: what is on disk already is not computed again."""
        for at in range(0, len(self.examples), CHUNK):
            self._chunk(at)
            for _ in self.examples[at : at + CHUNK]:
                progress.add()
        if not (self.folder / "texts.npy").is_file():
            _save(self.folder / "texts.npy", self._texts())
        if not (self.folder / "cosines.npy").is_file():
            self._cosines()

    def second(self, mine: Sequence[Example], journal: Journal, progress: Progress) -> None:
        """The second pass over `mine`: a row a picture, with all pairs that involve it."""
        cosines = np.load(self.folder / "cosines.npy", mmap_mode="r")  # [images, texts]
        wanting = _by_text(cosines, self.k)
        place = {example.id: at for at, example in enumerate(self.examples)}
        todo = [example for example in mine if example.id not in journal.rows]
        session, begun = round(time.time(), 3), time.monotonic()
        for batch, pixels in _opened(todo, self.matcher.info.image_size):
            seen = [one for one in pixels if isinstance(one, torch.Tensor)]
            encoded = iter(self.matcher.vision(torch.stack(seen)) if seen else ())
            for example, one in zip(batch, pixels, strict=True):
                row: Row = {"id": example.id, "image": example.image}
                if isinstance(one, BadImage):
                    row["error"] = str(one)
                else:
                    at = place[example.id]
                    row |= self._pairs(next(encoded)[None], np.asarray(cosines[at]), wanting[at])
                journal.append(row | {"session": session, "at": round(time.monotonic() - begun, 3)})
                progress.add(broken="error" in row)

    def _pairs(self, vision: torch.Tensor, cosines: Array, wanting: Array) -> Row:
        """The ITM logits of one picture [1, patches, D] with the texts that it wants or that want it."""
        own = best(cosines, self.k)
        texts = np.union1d(own, wanting)
        flags = BY_IMAGE * np.isin(texts, own) + BY_TEXT * np.isin(texts, wanting)
        at = torch.from_numpy(texts).to(self._ids.device)
        logits = self.matcher.itm_logits(vision, self._ids[at], self._mask[at])
        chance = as_array(logits.softmax(-1)[:, 1])
        return packed(Found(texts, flags, cosines[texts], as_array(logits[:, 1]), chance))

    def _chunk(self, at: int) -> None:
        """The projected queries of up to 64 pictures, [n, Q, P]; not-a-number for a picture that cannot be opened."""
        path = self.folder / f"images-{at:07d}.npy"
        if path.is_file():
            return
        made: list[Array | None] = []
        for _, pixels in _opened(self.examples[at : at + CHUNK], self.matcher.info.image_size):
            seen = [one for one in pixels if isinstance(one, torch.Tensor)]
            projected = iter(self._project(torch.stack(seen)) if seen else ())
            made += [next(projected) if isinstance(one, torch.Tensor) else None for one in pixels]
        shape = next((one.shape for one in made if one is not None), (1, 1))
        blank = np.full(shape, np.nan, np.float32)
        _save(path, np.stack([blank if one is None else one for one in made]))

    def _project(self, pixels: torch.Tensor) -> Array:
        """Pixels [n, 3, S, S] to projected queries [n, Q, P]."""
        queries = self.matcher.queries(self.matcher.vision(pixels))
        return as_array(self.matcher.project_image(queries))

    def _texts(self) -> Array:
        """The texts' vectors [texts, P]."""
        parts = []
        for at in range(0, len(self._ids), TEXTS):
            states = self.matcher.texts(self._ids[at : at + TEXTS], self._mask[at : at + TEXTS])
            parts.append(as_array(self.matcher.project_text(states)[:, 0]))
        return np.concatenate(parts)

    def _cosines(self) -> None:
        """All cosines [images, texts], to disk; a picture that cannot be opened gets -2, below any other."""
        texts = torch.from_numpy(np.load(self.folder / "texts.npy")).to(self.matcher.device)
        with replacing(self.folder / "cosines.npy") as temporary:
            shape = (len(self.examples), len(texts))
            out = np.lib.format.open_memmap(temporary, "w+", np.float32, shape)
            for at in range(0, len(self.examples), CHUNK):
                queries = np.load(self.folder / f"images-{at:07d}.npy")
                broken = np.isnan(queries).any((1, 2))
                if broken.all():
                    out[at : at + CHUNK] = -2.0
                    continue
                images = torch.from_numpy(np.nan_to_num(queries)).to(self.matcher.device)
                for start in range(0, len(texts), TEXTS):
                    found = as_array(self.matcher.itc(images, texts[start : start + TEXTS]))
                    found[broken] = -2.0
                    out[at : at + CHUNK, start : start + TEXTS] = found
            out.flush()
            del out


def matcher_of(backend: Backend, model: str) -> Matcher:
    """The matching model behind a backend of this process. Raises `ModelUnusable` for any other backend."""
    if not isinstance(backend, LocalBackend):
        raise ModelUnusable("Retrieval ranks with a model of its own process; run it with a local backend.")
    return backend.matcher(model)


def _by_text(cosines: Array, k: int) -> list[Array]:
    """For each picture, the texts that have it among their best `k`."""
    images: list[Array] = []
    texts: list[Array] = []
    for start in range(0, cosines.shape[1], TEXTS):
        block = np.asarray(cosines[:, start : start + TEXTS])
        for column in range(block.shape[1]):
            found = best(block[:, column], k)
            found = found[block[found, column] > -1.5]
            images.append(found.astype(np.int32))
            texts.append(np.full(len(found), start + column, np.int32))
    owner, wanted = np.concatenate(images), np.concatenate(texts)
    order = np.argsort(owner, kind="stable")
    return np.split(wanted[order], np.searchsorted(owner[order], np.arange(1, len(cosines))))


def _opened(examples: Sequence[Example], size: int) -> Iterator[tuple[list[Example], list[Any]]]:
    """Batches of examples with their pixels [3, S, S], or the error of a picture; the next batch opens meanwhile."""

    def one(example: Example) -> Any:
        try:
            return preprocess(example.picture().image, size)
        except BadImage as error:
            return error

    rest = iter(examples)
    with ThreadPoolExecutor(4, thread_name_prefix="opening") as pool:
        batch = list(islice(rest, ENCODE))
        pending = [pool.submit(one, example) for example in batch]
        while batch:
            following = list(islice(rest, ENCODE))
            ahead = [pool.submit(one, example) for example in following]
            yield batch, [future.result() for future in pending]
            batch, pending = following, ahead


def _save(path: Path, array: Array) -> None:
    with replacing(path) as temporary, temporary.open("wb") as file:
        np.save(file, array)


def as_array(tensor: torch.Tensor) -> Array:
    return tensor.float().cpu().numpy()
