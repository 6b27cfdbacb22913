"""What a visitor can do in the caption tab: caption a picture, or many; stop, go on, try again what failed.

Values in, values out, and no gradio. What goes wrong with a picture is in its row; the rest is raised as a sentence.
"""

import hashlib
import io
import json
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image

from blip2.backends.base import Backend
from blip2.captioning import Captioned, Captioner, Halt, in_order
from blip2.errors import BadImage, BadInput, BadSetting
from blip2.gathering import Found, Gathered
from blip2.labels import named
from blip2.ui.caption_sheet import Counts, Sheet
from blip2.ui.visit import Seen
from blip2.values import Decoding, ModelInfo, Picture

KNOBS = (
    "model", "captions", "method", "prompt", "min_new_tokens", "max_new_tokens", "num_beams", "length_penalty",
    "repetition_penalty", "temperature", "top_p", "seed", "matcher",
)  # fmt: skip
BEAT = 0.4  # seconds between two looks at whether anyone still wants the captions
THUMBNAIL = 96  # pixels; shown at half of it
NO_PICTURE = "There is no picture yet; add one first."
RUNNING = "These pictures are being captioned already; wait, or stop first."
ALL_DONE = (
    "All of these pictures have their captions already; change a setting, or clear the results, to make new ones."
)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is: what the sheet counts, how many lines this run made, and the seconds it took so far."""

    counts: Counts
    made: int = 0
    seconds: float = 0.0

    @property
    def rate(self) -> float:
        """Pictures a second in this run."""
        return self.made / self.seconds if self.seconds > 0 else 0.0


@dataclass(frozen=True, slots=True)
class Made:
    """A picture's new line; `made` is None where the sheet has it already."""

    name: str
    key: str = ""
    made: Captioned | None = None
    thumbnail: bytes = b""


class CaptionActions:
    """Captions over a backend: `writers` make them, `matchers` can rank them; the default is the first."""

    def __init__(
        self, backend: Backend, deadline: float | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.backend = backend
        known = backend.models()
        self.writers: list[ModelInfo] = [info for info in known if info.family != "itm"]
        self.matchers: list[ModelInfo] = [info for info in known if info.family == "itm"]
        self._deadline = deadline
        self._clock = clock

    def captioner(self, knobs: Sequence[Any], visitor: str = "") -> Captioner:
        """The captioner that the values of `KNOBS` ask for. Raises `BadSetting` with the one that is wrong."""
        told = dict(zip(KNOBS, knobs, strict=True))
        numbers = {name: _number(name, told[name]) for name in KNOBS[4:12]}
        count, seed = _number("captions", told["captions"]), numbers.pop("seed")
        if not isinstance(count, int) or not 1 <= count <= 16:
            raise BadSetting(f"{told['captions']!r} captions were asked for; ask for 1 to 16.")
        if not isinstance(seed, int):
            raise BadSetting(f"The seed is {told['seed']!r}; it must be a whole number.")
        method = str(told["method"])
        if method == "beam":
            beams = numbers["num_beams"]
            numbers |= {"num_return": count, "num_beams": max(beams, count) if isinstance(beams, int) else beams}
        return Captioner(
            self.backend,
            str(told["model"] or ""),
            str(told["prompt"] or "").strip() or None,
            Decoding.from_json({"method": method, **numbers}),
            str(told["matcher"] or ""),
            seed,
            self._deadline,
            count,
            visitor,
        )

    def one(
        self, seen: Seen, knobs: Sequence[Any], visitor: str = "", halt: Halt | None = None
    ) -> Generator[Captioned | None, None, None]:
        """The captions of the picture in the frame; None for as long as there is nothing. Closing it, or
        setting `halt`, gives up.

        Raises what is wrong with the picture, the settings or the model.
        """
        if seen is None:
            raise BadImage(NO_PICTURE)
        if isinstance(seen, BadImage):
            raise seen
        captioner, halt = self.captioner(knobs, visitor), halt or Halt(self.backend)
        yield None
        with closing(in_order(lambda _: captioner.caption(seen, seen.name, halt), [0], halt, 1, BEAT)) as rows:
            yield from rows

    def many(
        self, sheet: Sheet, found: Gathered, knobs: Sequence[Any], visitor: str = "", again: bool = False
    ) -> Generator[Progress, None, None]:
        """Caption the pictures that have no such caption yet, or with `again` those that failed. Closing it gives up.

        Raises `BadInput` where there is nothing to do, and what is wrong with the settings or the model.
        """
        captioner, halt = self.captioner(knobs, visitor), Halt(self.backend)
        work = _Work(captioner, sheet, halt)
        if not sheet.begin((each.name for each in found), halt):
            raise BadInput(RUNNING)
        try:
            failed = sheet.failed()
            wanted = [each for each in found if each.name in failed] if again else found.files
            begun = shown = self._clock()
            made = 0
            yield Progress(sheet.counts())
            with closing(in_order(work, wanted, halt, beat=BEAT)) as rows:
                for row in rows:
                    if row is not None and row.made is not None:
                        sheet.put(row.name, row.key, row.made, row.thumbnail)
                        made += 1
                    now = self._clock()
                    if row is None or made <= 1 or now - shown >= BEAT:
                        shown = now
                        yield Progress(sheet.counts(), made, now - begun)
            if not made and not sheet.counts().left:
                raise BadInput(ALL_DONE)
            yield Progress(sheet.counts(), made, self._clock() - begun)
        finally:
            halt.set()
            sheet.end()


@dataclass(frozen=True)
class _Work:
    """Makes the line of one file, in a thread of its own."""

    captioner: Captioner
    sheet: Sheet
    halt: Halt

    def __call__(self, found: Found) -> Made:
        self.halt.check()
        key = self._key(found)
        if key and self.sheet.kept(found.name, key):
            return Made(found.name)
        try:
            picture = found.open()
        except BadImage as error:
            return Made(found.name, key, Captioned(found.name, error=str(error)))
        try:
            made = self.captioner.patiently(picture, found.name, self.halt)
        except BadInput as error:
            made = Captioned(found.name, picture.digest, error=str(error))
        return Made(found.name, key, made, thumbnail(picture))

    def _key(self, found: Found) -> str:
        """The digest of the file's bytes and of the settings; nothing for a file that cannot be read."""
        try:
            with Path(found.file).open("rb") as file:
                digest = hashlib.file_digest(file, "sha256")
        except OSError:
            return ""
        each = self.captioner
        settings = [each.model, each.prompt, each.decoding.to_json(), each.draws, each.seed, each.matcher]
        digest.update(json.dumps(settings).encode())
        return digest.hexdigest()


def thumbnail(picture: Picture) -> bytes:
    """A small JPEG of the picture."""
    small = picture.image.resize(_fitted(picture.size), Image.Resampling.BILINEAR, reducing_gap=2.0)
    out = io.BytesIO()
    small.save(out, "JPEG", quality=65)
    return out.getvalue()


def _fitted(size: tuple[int, int]) -> tuple[int, int]:
    scale = min(THUMBNAIL / max(size), 1.0)
    return max(round(size[0] * scale), 1), max(round(size[1] * scale), 1)


def _number(name: str, value: object) -> Any:
    """A page gives 5.0 for 5, and None for an emptied field."""
    if value is None:
        raise BadSetting(f"The setting {named(name)} is empty; give it a number.")
    return int(value) if isinstance(value, float) and value.is_integer() else value


def failure(sentence: str) -> dict[str, Any]:
    """The answer to a program whose picture could not be captioned."""
    return Captioned("", error=sentence).to_json()
