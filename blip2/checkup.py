"""Known answers, step by step: what a model that is loaded says where it is known what it should say.

Published answers where their pictures are at hand, and committed scenes for the bundled models. `doctor` asks a model
that it loads itself, the page one that is serving. It knows no page.
"""

import hashlib
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import Context, copy_context
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from blip2 import published, zoo
from blip2.backends.base import Backend, answer
from blip2.errors import Blip2Error
from blip2.images import open_picture, picture_from
from blip2.values import ModelInfo, Picture, Request

PICTURES = zoo.ROOT / "assets" / "pictures"  # where published pictures are looked for besides the folders given
SCENES = 8  # committed scenes a bundled model is asked about
ENOUGH = 0.8  # of their questions right; a fault costs far more, and the accuracy report has exact figures on many more
AT_ONCE = 8  # questions


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a check-up is, from 0 to 1, what is done next, and all that was found, as `doctor` reports it."""

    share: float
    doing: str
    found: dict[str, Any]


def running(backend: Backend, model: str, scenes: int = SCENES) -> Iterator[Progress]:
    """Check a model that a backend serves. The last progress has the share 1; closing it stops asking.

    Nothing is raised: what goes wrong is in `error`, as in `doctor.report`.
    """
    found: dict[str, Any] = {"model": model, "ok": False, "error": ""}
    yield Progress(0.0, "Reading what was checked when it was loaded", found)
    try:
        info = backend.describe(model)
        now = backend.stats().models[model]
        found["loaded"] = {key: value for key, value in asdict(info).items() if key != "name"} | {"note": now.note}
        found["self_check"] = list(now.checks)
        for share, doing in answers(backend, info, found, (PICTURES,), scenes):
            yield Progress(share, doing, found)
        found["ok"] = good(found)
    except Blip2Error as error:
        found["error"] = str(error)
    except KeyError:
        found["error"] = f"The model {model} was unloaded meanwhile; load it to check it."
    yield Progress(1.0, "", found)


def answers(
    backend: Backend, info: ModelInfo, found: dict[str, Any], folders: Sequence[Path], scenes: int = SCENES
) -> Iterator[tuple[float, str]]:
    """Put `published` and `scenes` into `found`; yields the share done and what is next."""
    found["published"], found["scenes"] = [], None
    entries: list[published.Answer | published.Score]
    entries = [*published.answers_of(info.name), *published.scores_of(info.name)]
    total = len(entries) + (scenes if info.pocket else 0)
    for done, entry in enumerate(entries):
        yield done / total, f"Asking for the published answer {entry.id}"
        found["published"].append(_compared(backend, info.name, entry, folders))
    if info.pocket:
        yield from _scenes(backend, info, found, scenes, total)


def good(found: dict[str, Any]) -> bool:
    """Whether no answer was other than known, and enough about scenes were right."""
    wrong = [row for row in found["published"] if row["agrees"] is False]
    scenes = found["scenes"]
    return not wrong and (scenes is None or (scenes["right"] or 0.0) >= ENOUGH)


def _compared(
    backend: Backend, model: str, entry: published.Answer | published.Score, folders: Sequence[Path]
) -> dict[str, Any]:
    """One published answer or score with what was given here, or why it was not asked."""
    row: dict[str, Any]
    if isinstance(entry, published.Answer):
        row = entry.to_json()
    else:
        said = f"ITM {entry.itm}, ITC {entry.itc}"
        row = {
            "id": entry.id,
            "prompt": entry.text,
            "text": said,
            "source": entry.source,
            "picture": entry.picture.file,
        }
    row |= {"given": "", "agrees": None, "skipped": ""}
    picture = _known(entry.picture, folders)
    if not isinstance(picture, Picture):
        row["skipped"] = picture
    elif isinstance(entry, published.Answer):
        row["given"] = answer(backend, Request(model, picture, entry.prompt, entry.decoding)).text
        row["agrees"] = entry.agrees(row["given"])
    else:
        match = backend.match(model, [picture], [entry.text])
        itm, itc = float(match.itm[0, 0]), float(match.itc[0, 0])
        pairs = ((entry.itm, itm), (entry.itc, itc))
        row["given"] = f"ITM {itm:.4f}, ITC {itc:.4f}"
        row["agrees"] = all(abs(want - got) <= entry.tolerance for want, got in pairs if want is not None)
    return row


def _known(picture: published.KnownPicture, folders: Sequence[Path]) -> Picture | str:
    """The published picture as its source treats it, or why it cannot be used."""
    path = picture.find(tuple(folders))
    if path is None:
        return f"{picture.file} is not at hand; get it from {picture.where} and name its folder with --pictures."
    if not picture.is_it(hashlib.sha256(path.read_bytes()).hexdigest()):
        return f"{path} is another picture than {picture.where}."
    if not picture.drop_alpha:
        return open_picture(path)
    from PIL import Image

    with Image.open(path) as image:
        return picture_from(image.convert("RGB"), path.name)


def _scenes(
    backend: Backend, info: ModelInfo, found: dict[str, Any], count: int, total: int
) -> Iterator[tuple[float, str]]:
    """The share of right answers about committed scenes, which no bundled model was trained on, scene by scene."""
    from blip2.pocket.committed import load_committed
    from blip2.pocket.examiner import Candidate, examine
    from blip2.pocket.matching_exam import Matching

    asked = load_committed(count)
    matching, candidate = Matching(backend, info.name), Candidate(backend, info.name)
    with ThreadPoolExecutor(AT_ONCE, initializer=_as_there, initargs=(copy_context(),)) as pool:
        for done, scene in enumerate(asked):
            yield (total - count + done) / total, f"Asking about scene {done + 1} of {len(asked)}"
            if info.family == "itm":
                matching.add([scene])
            else:
                examine([candidate], [scene], pool)
    if info.family == "itm":
        right, of = matching.figures()["itm"]["hard_negatives"], "pairs of a scene and a sentence"
    else:
        right, of = candidate.paper.figures()["all"], "questions"
    found["scenes"] = {"scenes": len(asked), "right": right, "of": of}


def _as_there(context: Context) -> None:
    """Take over what another thread's context holds: whose request this is, which a host that lends GPUs asks for."""
    for variable, value in context.items():
        variable.set(value)
