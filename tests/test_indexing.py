"""Making and extending an index above a scripted backend: nothing is embedded twice, broken files are rows."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from blip2.backends.scripted import ScriptedBackend
from blip2.errors import BadInput
from blip2.gathering import Found
from blip2.images import open_picture
from blip2.indexes import Index, open_index
from blip2.indexing import SLICE, Indexer
from blip2.values import EmbedMode, Features, Picture

MODEL = "scripted/itm"


class Counting(ScriptedBackend):
    """Remembers the pictures it embedded, a list a call."""

    def __init__(self) -> None:
        super().__init__()
        self.embedded: list[list[str]] = []

    def embed(self, model: str, images: Sequence[Picture], texts: Sequence[str], mode: EmbedMode) -> Features:
        self.embedded.append([image.name for image in images])
        return super().embed(model, images, texts, mode)


@pytest.fixture
def album(tmp_path: Path) -> Path:
    folder = tmp_path / "album"
    folder.mkdir()
    for at in range(11):
        Image.new("RGB", (300 + at, 40), (at * 20, 90, 200)).save(folder / f"{at:02}.png")
    (folder / "bad.jpg").write_bytes(b"no picture")
    return folder


def files(album: Path) -> list[Found]:
    return [Found(path.name, str(path)) for path in sorted(album.iterdir())]


def index(backend: ScriptedBackend, found: list[Found], out: Path, before: Index | None = None, **more: bool) -> Index:
    indexer = Indexer(backend, MODEL, before, **more)
    for _ in indexer.add(found, len(found)):
        pass
    indexer.save(out)
    indexer.close()
    return open_index(out, trusted=True)


def names(index: Index) -> list[str]:
    return sorted(row.name for row in index.rows)


def test_pictures_are_embedded_in_slices_and_broken_files_are_rows(album: Path, tmp_path: Path) -> None:
    backend = Counting()
    indexer = Indexer(backend, MODEL)
    steps = list(indexer.add(files(album), 12))
    assert [(step.done, step.new, step.broken) for step in steps] == [(0, 0, 0), (8, 8, 0), (12, 11, 1)]
    assert [len(call) for call in backend.embedded] == [SLICE, 3]
    indexer.save(tmp_path / "a.index")
    made = open_index(tmp_path / "a.index", trusted=True)
    assert [row.name for row in made.rows] == [f"{at:02}.png" for at in range(11)]
    assert "not a picture" in made.broken[0].error
    one = backend.embed(MODEL, [open_picture(album / "07.png")], [], "image").image_embeds_proj
    assert one is not None
    np.testing.assert_allclose(made.features[7], one[0], atol=1e-3)
    thumbnail = open_picture(made.thumbnail(7))
    assert thumbnail.size == (224, 29)


def test_extending_reads_only_what_is_new_and_knows_moved_files(album: Path, tmp_path: Path) -> None:
    backend, out = Counting(), tmp_path / "a.index"
    first = index(backend, files(album), out)
    backend.embedded.clear()
    (album / "03.png").rename(album / "moved.png")
    Image.new("RGB", (9, 9), "red").save(album / "04.png")  # changed
    os.utime(album / "05.png", (1, 1))  # touched, not changed
    Image.new("RGB", (9, 9), "lime").save(album / "new.png")
    second = index(backend, files(album), out, first)
    assert [name for call in backend.embedded for name in call] == ["04.png", "new.png"]
    assert names(second) == sorted({*names(first), "moved.png", "new.png"} - {"03.png"})
    at, before = second.places["moved.png"], first.places["03.png"]
    np.testing.assert_array_equal(second.features[at], first.features[before])
    assert second.thumbnail(at) == first.thumbnail(before)
    assert len(second.broken) == 1


def test_what_is_not_named_again_stays_and_what_is_gone_can_be_pruned(album: Path, tmp_path: Path) -> None:
    backend, out = Counting(), tmp_path / "a.index"
    first = index(backend, files(album), out)
    (album / "00.png").unlink()
    some = [Found("01.png", str(album / "01.png"))]
    assert names(index(backend, some, out, first)) == names(first)
    pruned = index(backend, some, out, first, prune=True)
    assert names(pruned) == names(first)[1:]
    assert not pruned.broken


def test_leaving_early_keeps_what_is_done(album: Path, tmp_path: Path) -> None:
    indexer = Indexer(ScriptedBackend(), MODEL)
    steps = indexer.add(files(album), 12)
    next(steps), next(steps)
    assert isinstance(steps, Iterator)
    steps.close()  # type: ignore[attr-defined]
    indexer.save(tmp_path / "a.index")
    assert len(open_index(tmp_path / "a.index")) == 8
    again = Counting()
    assert len(index(again, files(album), tmp_path / "a.index", open_index(tmp_path / "a.index"))) == 11
    assert again.embedded == [["08.png", "09.png", "10.png"]]


def test_a_model_that_writes_and_an_index_of_another_model_are_refused(album: Path, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="matching model"):
        Indexer(ScriptedBackend(), "scripted/opt")
    made = index(ScriptedBackend(), files(album)[:1], tmp_path / "a.index")
    object.__setattr__(made.model, "revision", "2")
    with pytest.raises(BadInput, match=r"made with scripted/itm"):
        Indexer(ScriptedBackend(), MODEL, made)
