"""Search: against an obvious slow form on made-up numbers, and on scenes with the bundled matching model."""

import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from blip2 import retrieval
from blip2.backends.local import LocalBackend
from blip2.backends.scripted import ScriptedBackend
from blip2.cli import search as command
from blip2.errors import BadInput
from blip2.gathering import Found
from blip2.images import open_picture
from blip2.indexes import Index, open_index
from blip2.indexing import Indexer
from blip2.pocket.captions import caption
from blip2.pocket.committed import FOLDER, load_committed

MODEL = "scripted/itm"


def built(backend: ScriptedBackend | LocalBackend, model: str, files: list[Found], out: Path) -> Index:
    indexer = Indexer(backend, model)
    for _ in indexer.add(files, len(files)):
        pass
    indexer.save(out)
    return open_index(out, trusted=True)


@pytest.fixture
def index(tmp_path: Path) -> Index:
    files = []
    for at in range(20):
        path = tmp_path / f"{at:02}.png"
        Image.new("RGB", (12, 10), (at * 12, 90, 200)).save(path)
        files.append(Found(path.name, str(path)))
    return built(ScriptedBackend(), MODEL, files, tmp_path / "a.index")


def test_the_rerank_adds_itm_to_itc_and_says_the_rank_before(index: Index) -> None:
    backend = ScriptedBackend()
    first, *between, last = retrieval.by_words(backend, MODEL, index, "Two dogs.", 5, pool=12)
    vector = backend.embed(MODEL, [], ["two dogs"], "text").text_embeds_proj
    assert vector is not None
    itc = [max(float(q @ vector[0, 0]) for q in one.astype(np.float32)) for one in index.features]
    by_itc = sorted(range(20), key=lambda at: -itc[at])
    assert [hit.at for hit in first.hits] == by_itc[:5]
    assert [(step.read, step.pool, step.final) for step in (first, *between, last)] == [
        (0, 12, False),
        (8, 12, False),
        (12, 12, True),
    ]
    score = {}
    for at in by_itc[:12]:
        itm = float(backend.match(MODEL, [open_picture(index.rows[at].file)], ["two dogs"]).itm[0, 0])
        score[at] = itc[at] + math.log(itm / (1 - itm))
    slow = sorted(score, key=lambda at: -score[at])[:5]
    assert [hit.at for hit in last.hits] == slow
    assert [hit.rank for hit in last.hits] == [1, 2, 3, 4, 5]
    assert [hit.before for hit in last.hits] == [by_itc.index(at) + 1 for at in slow]
    assert [hit.score for hit in last.hits] == pytest.approx([score[at] for at in slow], abs=1e-3)


def test_without_a_rerank_no_picture_is_read(index: Index) -> None:
    for row in index.rows:
        Path(row.file).unlink()
    (only,) = retrieval.by_words(ScriptedBackend(), MODEL, index, "two dogs", 4, rerank=False)
    assert (len(only.hits), only.final, only.hits[0].itm) == (4, True, None)


def test_a_picture_whose_file_is_gone_is_read_from_its_thumbnail(index: Index) -> None:
    for row in index.rows:
        Path(row.file).unlink()
    *_, last = retrieval.by_words(ScriptedBackend(), MODEL, index, "two dogs", 20)
    assert all(hit.itm is not None for hit in last.hits)


def test_by_picture_the_same_one_is_first_and_more_like_it_leaves_it_out(index: Index) -> None:
    picture = open_picture(index.rows[3].file)
    found = retrieval.by_picture(ScriptedBackend(), MODEL, index, picture, 6)
    assert found.hits[0].at == 3
    assert found.hits[0].score == pytest.approx(1, abs=1e-3)
    more = retrieval.more_like(index, 3, 5)
    assert [hit.at for hit in more.hits] == [hit.at for hit in found.hits[1:]]


def test_mistakes_are_sentences(index: Index) -> None:
    backend = ScriptedBackend()

    def words(text: str, k: int = 5, model: str = MODEL) -> Iterator[retrieval.Results]:
        return retrieval.by_words(backend, model, index, text, k)

    for steps, said in ((words(" .!"), "no words"), (words("a", 0), "1 to 1000"), (words("a", 5, "scripted/opt"), "")):
        if said:
            with pytest.raises(BadInput, match=said):
                next(steps)
    object.__setattr__(index.model, "source", "another")
    with pytest.raises(BadInput, match="made with"):
        next(words("a"))
    with pytest.raises(BadInput, match="no picture 20"):
        retrieval.more_like(index, 20)


def test_the_command_says_how_many_are_reranked() -> None:
    assert command.POOL == retrieval.POOL


def test_a_caption_finds_its_scene(tmp_path: Path) -> None:
    scenes = load_committed()
    files = [Found(picture.name, str(FOLDER / picture.name)) for _, picture in scenes]
    backend = LocalBackend(["blip2/pocket"], "float32", "cpu")
    try:
        index = built(backend, "blip2/pocket", files, tmp_path / "scenes.index")
        before, after = [], []
        for at, (sheet, _) in enumerate(scenes):
            if at % 4:
                continue
            first, *_, last = retrieval.by_words(backend, "blip2/pocket", index, caption(sheet.scene).text, 5, pool=8)
            before.append([hit.at for hit in first.hits].index(at) if at in [hit.at for hit in first.hits] else 9)
            after.append([hit.at for hit in last.hits].index(at) if at in [hit.at for hit in last.hits] else 9)
    finally:
        backend.close()
    assert np.mean(np.array(before) < 5) >= 0.9, before
    assert np.mean(np.array(after) < 1) >= 0.85, after
