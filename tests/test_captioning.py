"""Captions of one picture and of many files: in order, with errors as rows, and few pictures held at a time."""

import threading
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest
from PIL import Image

from blip2 import captioning
from blip2.backends.base import Backend
from blip2.backends.scripted import ScriptedBackend
from blip2.captioning import AT_ONCE, Captioned, Captioner, Halt, find_pictures, in_order
from blip2.errors import BadInput, Blip2Error, Busy, Halted, UnknownModel
from blip2.images import open_picture
from blip2.values import Chunk, Decoding, Finish, ModelInfo, Request

MODELS = [
    ModelInfo("m", "M", "opt", "m", default_prompt="a photo of"),
    ModelInfo("itm", "Matching", "itm", "itm"),
]


def backend() -> ScriptedBackend:
    return ScriptedBackend({"a photo of": "a red ball", "this is": "this is it"}, models=MODELS)


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    """Three pictures and, third, a file that is none."""
    paths = [tmp_path / f"{name}.png" for name in "abcd"]
    for shade, path in enumerate(paths):
        Image.new("RGB", (9, 7), (shade * 40, 9, 9)).save(path)
    paths[2].write_bytes(b"no picture")
    return paths


def test_the_models_own_prompt_or_the_one_given(files: list[Path]) -> None:
    picture = open_picture(files[0])
    assert Captioner(backend(), "m").caption(picture).text == "a red ball"
    assert Captioner(backend(), "m", prompt="this is").caption(picture).text == "this is it"


def test_several_captions_ranked_by_a_matching_model(files: list[Path]) -> None:
    made = Captioner(backend(), "m", decoding=Decoding(num_return=3), matcher="itm").caption(open_picture(files[0]))
    assert len(made.captions) == len(made.itm) == 3
    assert list(made.itm) == sorted(made.itm, reverse=True)
    assert made.to_json()["captions"][0]["itm"] == made.itm[0]


def test_files_come_in_order_and_one_that_is_no_picture_fails_alone(files: list[Path]) -> None:
    rows = list(Captioner(backend(), "m").caption_files(files))
    assert [row.source for row in rows] == [str(path) for path in files]
    assert [bool(row.error) for row in rows] == [False, False, True, False]
    assert "not a picture" in rows[2].error
    assert rows[2].to_json()["error"] == rows[2].error
    assert len({row.digest for row in rows}) == 4


def test_few_files_are_opened_ahead_of_the_reader(files: list[Path]) -> None:
    taken = []

    def endless():
        while True:
            taken.append(1)
            yield files[0]

    rows = Captioner(backend(), "m").caption_files(endless())
    for _ in range(5):
        next(rows)
    assert len(taken) <= 5 + AT_ONCE
    rows.close()
    assert not [t for t in threading.enumerate() if t.name.startswith("caption")]


def test_what_concerns_the_model_is_raised(files: list[Path]) -> None:
    with pytest.raises(UnknownModel):
        list(Captioner(backend(), "none").caption_files(files))


def test_folders_are_searched_and_missing_paths_named(files: list[Path], tmp_path: Path) -> None:
    deeper = tmp_path / "deeper"
    deeper.mkdir()
    Image.new("RGB", (5, 5)).save(deeper / "z.JPG", "JPEG")
    (deeper / "notes.txt").write_text("x")
    assert [path.name for path in find_pictures([tmp_path])] == ["a.png", "b.png", "c.png", "d.png", "z.JPG"]
    assert list(find_pictures([deeper / "notes.txt"])) == [deeper / "notes.txt"]
    with pytest.raises(BadInput, match="nowhere"):
        list(find_pictures([tmp_path / "nowhere"]))


def test_drawn_captions_have_consecutive_seeds_and_equal_ones_count_once(files: list[Path]) -> None:
    asked: list[Request] = []

    class Drawing(ScriptedBackend):
        def generate(self, request: Request) -> Iterator[Chunk]:
            asked.append(request)
            yield from ScriptedBackend(default=f"caption {request.seed // 2}", models=MODELS).generate(request)

    drawn = Captioner(
        Drawing(models=MODELS), "m", decoding=Decoding("nucleus"), draws=4, seed=2, matcher="itm", visitor="v"
    ).caption(open_picture(files[0]))
    assert {each.text for each in drawn.captions} == {"caption 1", "caption 2"}
    assert list(drawn.itm) == sorted(drawn.itm, reverse=True)
    assert [(request.seed, request.visitor) for request in asked] == [(2, "v"), (3, "v"), (4, "v"), (5, "v")]


class Stuck(ScriptedBackend):
    """Requests run until they are cancelled."""

    def __init__(self) -> None:
        super().__init__(models=MODELS)
        self.begun = threading.Semaphore(0)
        self.free = threading.Event()

    def generate(self, request: Request) -> Iterator[Chunk]:
        self.begun.release()
        self.free.wait()
        yield Chunk(request.id, "x", Finish.CANCELLED)

    def cancel(self, request_id: str) -> None:
        self.free.set()


Rows = Generator[Captioned | None, None, None]


def begun(backend: Backend, file: Path, beat: float | None = None) -> tuple[Halt, Rows]:
    """The captioning of one file, and the halt that it minds."""
    halt, captioner = Halt(backend), Captioner(backend, "m")
    return halt, in_order(lambda path: captioner.caption(open_picture(path), "", halt), [file], halt, beat=beat)


def test_closing_gives_up_what_is_under_way(files: list[Path]) -> None:
    backend = Stuck()
    halt, rows = begun(backend, files[0], beat=0.01)
    assert next(rows) is None
    backend.begun.acquire()
    rows.close()
    assert backend.free.is_set()
    with pytest.raises(Halted):
        halt.check()


def test_halting_from_elsewhere_ends_the_rows(files: list[Path]) -> None:
    backend = Stuck()
    halt, rows = begun(backend, files[0])
    stopper = threading.Thread(target=lambda: (backend.begun.acquire(), halt.set()))
    stopper.start()
    assert list(rows) == []
    stopper.join()


class Deaf(Stuck):
    """Knows a request only after the first wish to cancel it, as a backend may that is still taking it in."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = 0

    def cancel(self, request_id: str) -> None:
        self.asked += 1
        if self.asked > 1:
            super().cancel(request_id)


def test_a_halt_that_came_before_the_backend_knew_the_request_is_not_lost(files: list[Path]) -> None:
    backend = Deaf()
    halt, rows = begun(backend, files[0], beat=0.01)
    assert next(rows) is None
    backend.begun.acquire()
    halt.set()
    assert set(rows) <= {None}


def test_a_full_queue_is_waited_for(files: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(captioning, "PAUSE", 0.0)
    answers: list[str | Blip2Error] = [Busy("full"), Busy("full"), "a red ball"]
    full = ScriptedBackend(lambda prompt: raised(answers.pop(0)), models=MODELS)
    assert [row.text for row in Captioner(full, "m").caption_files(files[:1])] == ["a red ball"]


def raised(answer: str | Blip2Error) -> str:
    if isinstance(answer, Blip2Error):
        raise answer
    return answer
