"""What a visitor can do in the match tab: compare pictures with texts, classify, see where words matched, get features.

Values in, values out, and no gradio. A picture that cannot be opened is a row of its own with its reason; whatever else
goes wrong is raised as a sentence.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from blip2 import matching
from blip2.backends.base import Backend
from blip2.errors import BadImage, BadInput, UnknownModel
from blip2.features import extract
from blip2.gathering import Found, Gathered
from blip2.matching import Label
from blip2.pocket.matching_words import strange_words
from blip2.ui.caption_actions import thumbnail
from blip2.ui.studio import Studio
from blip2.ui.visit import Seen
from blip2.values import Attention, EmbedMode, Features, Match, ModelInfo, Picture

MOST_PICTURES, MOST_TEXTS = 200, 100
MOST_FEATURES = 64  # pictures, and texts, whose features are made at once
LONGEST = 1000  # characters of one text
NO_PICTURE = "There is no picture yet; add one first."
NO_MODEL = (
    "No matching model is served here; start one with --models blip2/pocket, or load one in the tab Models where the "
    "administrator allows it."
)


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """Pictures compared with texts: a row of `made` for each of `names`. `total` pictures were asked for.

    `failed` are those that could not be opened, with the reason; `foreign` of the names are no scenes of a pocket
    model's; `strange` are words that it has never seen.
    """

    model: str
    texts: tuple[str, ...]
    total: int
    names: tuple[str, ...] = ()
    made: Match = field(default_factory=lambda: Match(np.zeros((0, 0), np.float32), np.zeros((0, 0), np.float32)))
    thumbnails: tuple[bytes, ...] = ()
    failed: tuple[tuple[str, str], ...] = ()
    foreign: int = 0
    strange: tuple[str, ...] = ()

    @property
    def done(self) -> int:
        """Pictures that are through."""
        return len(self.names) + len(self.failed)

    def to_json(self) -> dict[str, object]:
        return {
            "model": self.model,
            "pictures": list(self.names),
            "texts": list(self.texts),
            "itm": self.made.itm.astype(float).round(6).tolist(),
            "itc": self.made.itc.astype(float).round(6).tolist(),
            "failed": [{"picture": name, "error": why} for name, why in self.failed],
            "error": "",
        }


@dataclass(frozen=True, slots=True, eq=False)
class Classes:
    """Labels of one picture, the likeliest first."""

    model: str
    picture: str
    found: tuple[Label, ...]
    is_foreign: bool = False
    strange: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Where:
    """Where the words of a text matched a picture."""

    picture: Picture
    text: str
    attention: Attention
    is_foreign: bool = False
    strange: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Extracted:
    """Features, the names of the pictures and the texts they are of, and the pictures that could not be opened."""

    made: Features
    pictures: tuple[str, ...]
    texts: tuple[str, ...]
    failed: tuple[tuple[str, str], ...] = ()


class MatchActions:
    """Matching over a studio's backend."""

    def __init__(self, studio: Studio) -> None:
        self.backend: Backend = studio.backend
        self._foreign = studio.is_foreign

    @property
    def models(self) -> list[ModelInfo]:
        """The matching models served now."""
        return [info for info in self.backend.models() if info.family == "itm"]

    def model(self, named: str | None) -> ModelInfo:
        """The model of that name, or the first where none is named. Raises `UnknownModel` with what to do."""
        known = {info.name: info for info in self.models}
        if not known:
            raise UnknownModel(NO_MODEL)
        if named and named not in known:
            raise UnknownModel(f"The model {named!r} is not served for matching; choose one of {', '.join(known)}.")
        return known[named] if named else next(iter(known.values()))

    def table(self, pictures: Sequence[Found | Picture], texts: str, named: str | None) -> Iterator[Table]:
        """Compare a few pictures at a time; each table holds all that is done so far. Closing it gives up."""
        info, lines = self.model(named), texts_of(texts)
        if not pictures:
            raise BadInput(NO_PICTURE)
        if len(pictures) > MOST_PICTURES:
            raise BadInput(
                f"{len(pictures):,} pictures were given; at most {MOST_PICTURES} are compared at a time on this page. "
                "The command python -m blip2 match takes more."
            )
        empty = np.zeros((0, len(lines)), np.float32)
        table = Table(info.name, lines, len(pictures), made=Match(empty, empty), strange=self._strange(info, lines))
        yield table
        size = matching.slice_size(len(lines))
        for start in range(0, len(pictures), size):
            table = self._grown(table, info, pictures[start : start + size])
            yield table

    def _grown(self, table: Table, info: ModelInfo, part: Sequence[Found | Picture]) -> Table:
        opened, broken = _opened(part)
        failed = (*table.failed, *broken)
        if not opened:
            return replace(table, failed=failed)
        pictures = [picture for _, picture in opened]
        made = matching.match(self.backend, info.name, pictures, table.texts)
        return replace(
            table,
            names=(*table.names, *(name for name, _ in opened)),
            made=Match(np.concatenate([table.made.itm, made.itm]), np.concatenate([table.made.itc, made.itc])),
            thumbnails=(*table.thumbnails, *map(thumbnail, pictures)),
            failed=failed,
            foreign=table.foreign + sum(self._doubt(info, picture) for picture in pictures),
        )

    def one(self, seen: Seen, texts: str, named: str | None) -> Iterator[Table]:
        """Compare the picture in the frame with each text."""
        yield from self.table([present(seen)], texts, named)

    def classify(self, seen: Seen, labels: str, template: str, named: str | None) -> Classes:
        """Which of the labels, a line or comma each, the picture shows."""
        info, picture = self.model(named), present(seen)
        names = labels_of(labels)
        if len(template) > LONGEST:
            raise BadInput(f"The sentence has {len(template):,} characters; at most {LONGEST:,} are taken.")
        found = matching.classify(self.backend, info.name, picture, names, template.strip() or matching.TEMPLATE)
        strange = self._strange(info, [each.text for each in found])
        return Classes(info.name, picture.name or "picture", tuple(found), self._doubt(info, picture), strange)

    def where(self, seen: Seen, text: str, named: str | None) -> Where:
        """Where the text, and each of its words, matched the picture."""
        info, picture = self.model(named), present(seen)
        if not text.strip():
            raise BadInput("There is no text yet; write a sentence about the picture, such as: a dog on a beach.")
        if len(text) > LONGEST:
            raise BadInput(f"The text has {len(text):,} characters; at most {LONGEST:,} are taken.")
        found = self.backend.attend(info.name, picture, text.strip())
        return Where(picture, text.strip(), found, self._doubt(info, picture), self._strange(info, [text]))

    def features(self, found: Gathered, texts: str, mode: EmbedMode, named: str | None) -> Extracted:
        """Features of the kind `mode`. A picture that cannot be opened is left out, unless it is one of a pair."""
        info = self.model(named)
        lines = texts_of(texts) if texts.strip() and mode != "image" else ()
        files = found.files if mode != "text" else ()
        for count, what in ((len(files), "pictures"), (len(lines), "texts")):
            if count > MOST_FEATURES:
                raise BadInput(
                    f"{count:,} {what} were given; features of at most {MOST_FEATURES} are made at a time here. "
                    "The command python -m blip2 features takes more."
                )
        opened, failed = _opened(files)
        if failed and (mode == "multimodal" or not opened):
            raise BadImage(failed[0][1])
        made = extract(self.backend, info.name, [picture for _, picture in opened], lines, mode)
        return Extracted(made, tuple(name for name, _ in opened), lines, failed)

    def _doubt(self, info: ModelInfo, picture: Picture) -> bool:
        return info.pocket and self._foreign(picture)

    def _strange(self, info: ModelInfo, texts: Sequence[str]) -> tuple[str, ...]:
        return tuple(strange_words(" ".join(texts))) if info.pocket else ()


def present(seen: Seen) -> Picture:
    """The picture in the frame. Raises `BadImage` where there is none."""
    if seen is None:
        raise BadImage(NO_PICTURE)
    if isinstance(seen, BadImage):
        raise seen
    return seen


def _opened(part: Sequence[Found | Picture]) -> tuple[list[tuple[str, Picture]], tuple[tuple[str, str], ...]]:
    """The pictures that can be opened, by name, and the names of the others with the reason."""
    opened: list[tuple[str, Picture]] = []
    failed: list[tuple[str, str]] = []
    for each in part:
        try:
            opened.append((each.name or "picture", each if isinstance(each, Picture) else each.open()))
        except BadImage as error:
            failed.append((each.name, str(error)))
    return opened, tuple(failed)


def texts_of(written: str) -> tuple[str, ...]:
    """A text a line, each once. Raises `BadInput` for none, for too many, and for one that is too long."""
    return _checked([line.strip() for line in (written or "").splitlines()], "text", "a line each")


def labels_of(written: str) -> tuple[str, ...]:
    """A label a line or comma, each once. Raises `BadInput` as `texts_of` does."""
    return _checked([part.strip() for part in re.split(r"[\n,]", written or "")], "label", "a line or a comma each")


def _checked(found: Sequence[str], what: str, how: str) -> tuple[str, ...]:
    kept = tuple(dict.fromkeys(each for each in found if each))
    if not kept:
        raise BadInput(f"There is no {what} yet; write at least one, {how}.")
    if len(kept) > MOST_TEXTS:
        raise BadInput(f"{len(kept):,} {what}s were given; at most {MOST_TEXTS} are compared at a time on this page.")
    longest = max(map(len, kept))
    if longest > LONGEST:
        raise BadInput(f"A {what} has {longest:,} characters; at most {LONGEST:,} are taken.")
    return kept
