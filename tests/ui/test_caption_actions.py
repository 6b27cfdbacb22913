"""Captions as a visitor asks for them: one picture, an album, cancel, resume, retry; above a scripted backend."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from blip2.backends.scripted import ScriptedBackend
from blip2.errors import BadImage, BadInput, BadSetting, Blip2Error, UnknownModel
from blip2.gathering import Gathered, gathered
from blip2.images import open_picture
from blip2.ui.caption_actions import ALL_DONE, KNOBS, RUNNING, CaptionActions, Progress, thumbnail
from blip2.ui.caption_sheet import Sheet
from blip2.values import Chunk, Picture, Request

KNOWN: dict[str, Any] = {
    "model": "scripted/opt", "captions": 1, "method": "beam", "prompt": "", "min_new_tokens": 0.0,
    "max_new_tokens": 30, "num_beams": 5, "length_penalty": 1, "repetition_penalty": 1.0, "temperature": 1,
    "top_p": 0.9, "seed": 0, "matcher": "",
}  # fmt: skip


def knobs(**changes: Any) -> list[Any]:
    told = KNOWN | changes
    return [told[name] for name in KNOBS]


class Recording(ScriptedBackend):
    """Remembers every request."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.asked: list[Request] = []

    def generate(self, request: Request) -> Iterator[Chunk]:
        self.asked.append(request)
        yield from super().generate(request)


@pytest.fixture
def album(tmp_path: Path) -> Gathered:
    """Five pictures, the third of them broken."""
    paths = [tmp_path / f"{name}.png" for name in "abcde"]
    for shade, path in enumerate(paths):
        Image.new("RGB", (40, 30), (shade * 40, 9, 9)).save(path)
    paths[2].write_bytes(b"no picture")
    return gathered(paths)


def run(actions: CaptionActions, sheet: Sheet, album: Gathered, again: bool = False, **changes: Any) -> list[Progress]:
    return list(actions.many(sheet, album, knobs(**changes), "v", again))


def test_one_picture_has_its_captions_ranked_where_a_matcher_is_chosen(album: Gathered) -> None:
    backend = Recording(default="a ball")
    actions = CaptionActions(backend, deadline=9.0)
    picture = album.files[0].open()
    *_, made = actions.one(picture, knobs(captions=6, matcher="scripted/itm", prompt=" this is "), "v")
    assert made is not None
    assert len(made.captions) == len(made.itm) == 6
    (request,) = backend.asked
    assert (request.decoding.num_beams, request.prompt, request.deadline, request.visitor) == (6, "this is", 9.0, "v")
    *_, plain = actions.one(picture, knobs())
    assert plain is not None
    assert plain.itm == ()


def test_drawn_captions_differ_by_seed(album: Gathered) -> None:
    backend = Recording(default="a ball")
    *_, made = CaptionActions(backend).one(album.files[0].open(), knobs(method="nucleus", captions=3, seed=4.0))
    assert made is not None
    assert [request.seed for request in backend.asked] == [4, 5, 6]
    assert {request.decoding.num_return for request in backend.asked} == {1}


@pytest.mark.parametrize(
    ("seen", "changes", "error", "part"),
    [
        (None, {}, BadImage, "no picture yet"),
        (BadImage("It is broken."), {}, BadImage, "It is broken"),
        ("picture", {"captions": 99}, BadSetting, "1 to 16"),
        ("picture", {"num_beams": None}, BadSetting, r"“Beams” \(num_beams\) is empty"),
        ("picture", {"seed": 1.5}, BadSetting, "whole number"),
        ("picture", {"min_new_tokens": 40}, BadSetting, "must not exceed"),
        ("picture", {"method": "guess"}, BadSetting, "guess"),
        ("picture", {"model": "none"}, UnknownModel, "none"),
        ("picture", {"model": None}, UnknownModel, "choose one of"),
    ],
)
def test_mistakes_are_sentences(album: Gathered, seen: Any, changes: dict[str, Any], error: type, part: str) -> None:
    with pytest.raises(error, match=part):
        list(
            CaptionActions(ScriptedBackend()).one(
                album.files[0].open() if seen == "picture" else seen, knobs(**changes)
            )
        )


def test_an_album_gives_a_row_for_each_picture_the_broken_one_too(album: Gathered) -> None:
    sheet = Sheet()
    steps = run(CaptionActions(ScriptedBackend(default="a ball")), sheet, album)
    assert steps[0].made == 0
    assert (steps[-1].counts.done, steps[-1].counts.failed, steps[-1].made) == (4, 1, 5)
    assert [(line.name, line.text, bool(line.made.error)) for line in sheet.lines()] == [
        (f"{name}.png", "" if name == "c" else "a ball", name == "c") for name in "abcde"
    ]
    assert sheet.thumbnail(sheet.lines()[0]).startswith(b"\xff\xd8")
    assert not sheet.running


def test_going_on_skips_what_is_there_and_retries_what_failed(album: Gathered) -> None:
    backend = Recording(default="a ball")
    actions, sheet = CaptionActions(backend), Sheet()
    run(actions, sheet, album)
    asked = len(backend.asked)
    Image.new("RGB", (9, 9)).save(album.files[2].file)
    assert run(actions, sheet, album, again=True)[-1].counts.failed == 0
    assert len(backend.asked) == asked + 1
    with pytest.raises(BadInput, match="captions already"):
        run(actions, sheet, album)
    assert ALL_DONE
    Image.new("RGB", (9, 9), "red").save(album.files[0].file)
    assert run(actions, sheet, album)[-1].made == 1, "a picture that changed is captioned anew"
    assert run(actions, sheet, album, prompt="this is")[-1].made == 5, "other settings make new captions"
    sheet.edit(1, "mine")
    assert run(actions, sheet, album)[-1].made == 4
    assert sheet.lines()[1].text == "mine"


class Gated(ScriptedBackend):
    """Answers requests about the pictures `free` at once; the others wait until they are cancelled."""

    def __init__(self, free: str) -> None:
        super().__init__(default="a ball")
        self.free = free
        self.gone = threading.Event()

    def generate(self, request: Request) -> Iterator[Chunk]:
        if Path(request.picture.name).stem not in self.free:
            self.gone.wait()
        yield from super().generate(request)

    def cancel(self, request_id: str) -> None:
        self.gone.set()
        super().cancel(request_id)


def test_cancelling_keeps_what_is_done(album: Gathered) -> None:
    backend = Gated("ab")
    actions, sheet = CaptionActions(backend), Sheet()
    steps = actions.many(sheet, album, knobs())
    for step in steps:
        if step.counts.done == 2:
            sheet.stop()
    assert sheet.counts().done == 2
    assert not sheet.running
    backend.free = "abde"
    assert run(actions, sheet, album)[-1].counts.done == 4


def test_closing_the_run_gives_up_the_requests(album: Gathered) -> None:
    backend = Gated("")
    sheet = Sheet()
    steps = CaptionActions(backend).many(sheet, album, knobs())
    next(steps)
    next(steps)
    with pytest.raises(BadInput, match="being captioned already"):
        run(CaptionActions(backend), sheet, album)
    assert RUNNING
    steps.close()
    assert backend.gone.is_set()
    assert not sheet.running


def test_what_concerns_the_model_ends_the_run(album: Gathered) -> None:
    sheet = Sheet()
    with pytest.raises(Blip2Error, match="none"):
        run(CaptionActions(ScriptedBackend()), sheet, album, model="none")
    assert not sheet.running


def test_rate_and_time_come_from_this_run(album: Gathered) -> None:
    ticks = iter(range(0, 1000, 2))
    actions = CaptionActions(ScriptedBackend(default="a ball"), clock=lambda: float(next(ticks)))
    last = run(actions, Sheet(), album)[-1]
    assert last.seconds > 0
    assert last.rate == pytest.approx(last.made / last.seconds)


@pytest.mark.parametrize("size", [(4000, 10), (10, 4000), (3, 2), (300, 200)])
def test_thumbnails_are_small_and_keep_their_shape(size: tuple[int, int], tmp_path: Path) -> None:
    Image.new("RGB", size).save(tmp_path / "x.png")
    picture: Picture = open_picture(tmp_path / "x.png")
    (tmp_path / "t.jpg").write_bytes(thumbnail(picture))
    with Image.open(tmp_path / "t.jpg") as small:
        assert max(small.size) <= 96
        assert min(small.size) >= 1
