"""Making an index of pictures: each is opened, embedded and made small, a few at a time, however many there are.

What an earlier index has is not embedded again: the same name, size and time of change, or the same bytes under another
name. A picture that cannot be read is a row with its reason. It knows the seam, no tensors and no page.
"""

import hashlib
import io
import os
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

from PIL import Image

from blip2.backends.base import Backend
from blip2.errors import BadImage, BadInput
from blip2.gathering import Found
from blip2.indexes import Index, IndexModel, IndexWriter, Row
from blip2.values import Picture

SLICE = 8  # pictures embedded at once
SLICE_PIXELS = 60_000_000  # and no more pixels than these
AHEAD = 4  # pictures opened meanwhile
THUMBNAIL = 224  # pixels of the longer side: what most models see, so that a re-rank can do with it
NOT_A_MATCHER = "The model {} writes answers; an index needs a matching model such as blip2/pocket."


@dataclass(frozen=True, slots=True)
class Counts:
    """How far the making of an index is. `done` of `total` files: `new`, `kept` from before, or `broken`."""

    total: int
    new: int = 0
    kept: int = 0
    broken: int = 0

    @property
    def done(self) -> int:
        return self.new + self.kept + self.broken


@dataclass(frozen=True, slots=True)
class _Opened:
    row: Row
    before: int | None = None  # its place in the earlier index
    picture: Picture | None = None
    thumbnail: bytes = b""


class Indexer:
    """Makes one index with one model. `before` is extended: what it has is kept, unless `prune` drops what is gone.

    Raises `BadInput` for a model that is no matching one, and for an earlier index of another model.
    """

    def __init__(self, backend: Backend, model: str, before: Index | None = None, prune: bool = False) -> None:
        info = backend.describe(model)
        if info.family != "itm":
            raise BadInput(NOT_A_MATCHER.format(model))
        if before is not None and not before.model.is_same(info):
            raise BadInput(
                f"The index {before.path.name!r} was made with {before.model.name}, not {model}; extend it with that "
                "model, or make a new one."
            )
        self.backend, self.model, self.before, self.prune = backend, model, before, prune
        self.writer = IndexWriter(IndexModel.of(info))
        self._names = before.places if before is not None else {}
        self._digests = {row.digest: at for at, row in enumerate(before.rows)} if before is not None else {}
        self._taken: set[int] = set()

    def add(self, files: Iterable[Found], total: int) -> Iterator[Counts]:
        """Take in the files, telling how far it is after each few. May be left at any time, and then saved."""
        counts = Counts(total)
        yield counts
        with ThreadPoolExecutor(AHEAD, "indexing") as pool:
            for part in self._slices(files, pool):
                counts = self._put(part, counts)
                yield counts

    def save(self, path: Path, given_away: bool = False) -> None:
        """Write what there is: what was added, then what the earlier index had besides."""
        if self.before is not None:
            taken = {row.name for row in self.writer.rows} | {row.name for row in self.writer.broken}
            for at, row in enumerate(self.before.rows):
                is_gone = bool(self.prune and not (row.file and os.path.isfile(row.file)))
                if at not in self._taken and row.name not in taken and not is_gone:
                    self._reuse(at, row)
            if not self.prune:
                self.writer.broken += [row for row in self.before.broken if row.name not in taken]
        self.writer.save(path, given_away)

    def close(self) -> None:
        """Drop what was collected."""
        self.writer.close()

    def _slices(self, files: Iterable[Found], pool: ThreadPoolExecutor) -> Iterator[list[_Opened]]:
        """The files opened, in order, a few at a time; the next ones open meanwhile."""
        left = iter(files)
        waiting: deque[Future[_Opened]] = deque(pool.submit(self._open, each) for each in islice(left, AHEAD))
        part: list[_Opened] = []
        pixels = 0
        try:
            while waiting:
                opened = waiting.popleft().result()
                waiting.extend(pool.submit(self._open, each) for each in islice(left, 1))
                part.append(opened)
                pixels += opened.picture.size[0] * opened.picture.size[1] if opened.picture else 0
                if len(part) == SLICE or pixels >= SLICE_PIXELS or not waiting:
                    yield part
                    part, pixels = [], 0
        finally:
            for future in waiting:
                future.cancel()

    def _open(self, found: Found) -> _Opened:
        row = Row(found.name, file=found.file)
        try:
            if found.problem:
                raise BadImage(found.problem)
            facts = os.stat(found.file)
            row = replace(row, size=facts.st_size, mtime=facts.st_mtime)
            known = self._names.get(found.name)
            if known is not None and self.before is not None:
                old = self.before.rows[known]
                if (old.size, old.mtime) == (row.size, row.mtime):
                    return _Opened(replace(row, digest=old.digest), known)
            with open(found.file, "rb") as file:
                row = replace(row, digest=hashlib.file_digest(file, "sha256").hexdigest())
            known = self._digests.get(row.digest)
            if known is not None:
                return _Opened(row, known)
            picture = found.open()
            return _Opened(row, picture=picture, thumbnail=thumbnail(picture))
        except BadImage as error:
            return _Opened(replace(row, error=str(error)))
        except OSError as error:
            why = error.strerror or "an error of the disk"
            return _Opened(replace(row, error=f"The file {found.name!r} cannot be read ({why}); check it."))

    def _put(self, part: list[_Opened], counts: Counts) -> Counts:
        new = [each for each in part if each.picture is not None]
        pictures = [each.picture for each in new if each.picture is not None]
        made = self.backend.embed(self.model, pictures, [], "image").image_embeds_proj if pictures else None
        at = 0
        for each in part:
            if each.row.error:
                self.writer.broken.append(each.row)
            elif each.before is not None:
                self._reuse(each.before, each.row)
            elif made is not None:
                self.writer.add(each.row, made[at], each.thumbnail)
                at += 1
        broken = sum(bool(each.row.error) for each in part)
        kept = len(part) - len(new) - broken
        return Counts(counts.total, counts.new + len(new), counts.kept + kept, counts.broken + broken)

    def _reuse(self, at: int, row: Row) -> None:
        assert self.before is not None
        self._taken.add(at)
        self.writer.add(row, self.before.features[at], self.before.thumbnail(at))


def thumbnail(picture: Picture) -> bytes:
    """A small JPEG of the picture."""
    small = picture.image.copy() if max(picture.size) <= THUMBNAIL else picture.image
    width, height = picture.size
    scale = min(THUMBNAIL / max(width, height), 1.0)
    fitted = (max(round(width * scale), 1), max(round(height * scale), 1))
    if fitted != picture.size:
        small = picture.image.resize(fitted, Image.Resampling.BICUBIC, reducing_gap=3.0)
    out = io.BytesIO()
    small.save(out, "JPEG", quality=80)
    return out.getvalue()
