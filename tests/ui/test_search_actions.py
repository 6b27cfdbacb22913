"""Indexes and searches as a visitor asks for them, above a scripted backend: build, stop, extend, save, open."""

import copy
from collections.abc import Sequence
from pathlib import Path

import pytest
from PIL import Image

from blip2.backends.scripted import MODELS, ScriptedBackend
from blip2.errors import BadImage, BadInput
from blip2.gathering import Gathered, gathered
from blip2.images import open_picture
from blip2.indexes import open_index
from blip2.ui.search_actions import Held, Progress, SearchActions, how_many, last, rows_of, scenes
from blip2.ui.search_view import facts, progress_bar, results


def album(tmp_path: Path, names: Sequence[str]) -> Gathered:
    for at, name in enumerate(names):
        Image.new("RGB", (40, 30), (at * 20, 10 * len(name), 200)).save(tmp_path / name)
    return gathered([tmp_path / name for name in names])


@pytest.fixture
def actions(tmp_path: Path) -> SearchActions:
    return SearchActions(ScriptedBackend(), tmp_path / "data" / "indexes", manage=True)


@pytest.fixture
def held(actions: SearchActions, tmp_path: Path) -> Held:
    return build(actions, Held(), album(tmp_path, [f"{at:02}.png" for at in range(10)]))[-1].held or Held()


def build(actions: SearchActions, held: Held, found: Gathered, extend: bool = False) -> list[Progress]:
    return list(actions.build(held, found, extend=extend))


def test_an_album_becomes_an_index_that_is_searched(actions: SearchActions, held: Held) -> None:
    assert len(held.opened()) == 10
    found = last(actions.words(held, "two dogs", 4, rerank=True))
    rows = rows_of(held, found)
    assert [row["rank"] for row in rows] == [1, 2, 3, 4]
    assert all(isinstance(row["itm"], float) for row in rows)
    like = actions.picture(held, open_picture(held.files["03.png"]), 3)
    assert rows_of(held, like, likeness=True)[0]["name"] == "03.png"
    assert actions.more(held, like.hits[0].at, 2).hits[0].at == like.hits[1].at


def test_the_file_says_nothing_of_where_pictures_are(held: Held, tmp_path: Path) -> None:
    assert held.opened().rows[0].name == "00.png"
    assert str(tmp_path).encode() not in held.opened().path.read_bytes()


def test_stopped_it_keeps_what_is_done_and_goes_on(actions: SearchActions, tmp_path: Path) -> None:
    found = album(tmp_path, [f"{at:02}.png" for at in range(20)])
    steps, held = actions.build(Held(), found), Held()
    for step in steps:
        held = step.held or held
        if step.counts.done == 8:
            held.stop.set()
    assert len(held.opened()) == 8
    again = build(actions, held, found, extend=True)[-1]
    assert (again.counts.kept, again.counts.new) == (8, 12)
    assert again.held is not None
    assert len(again.held.opened()) == 20


def test_leaving_ends_the_work(actions: SearchActions, tmp_path: Path) -> None:
    steps = actions.build(Held(), album(tmp_path, ["a.png", "b.png"]))
    next(steps)
    steps.close()
    assert list(steps) == []


def test_the_album_goes_with_the_visitor(actions: SearchActions, tmp_path: Path) -> None:
    held = build(actions, Held(), album(tmp_path, ["a.png"]))[-1].held
    assert held is not None
    assert copy.deepcopy(held) is held
    path = held.opened().path
    assert path.is_file()
    del held
    assert not path.exists()


def test_an_index_is_kept_listed_and_opened(actions: SearchActions, held: Held, tmp_path: Path) -> None:
    assert actions.saved() == []
    assert "album one" in actions.save(held, " album one ")
    assert actions.saved() == ["album one"]
    again = actions.open_saved("album one")
    assert rows_of(again, last(actions.words(again, "a dog", 3, True)))
    sent = actions.open(actions.download(held))
    assert not sent.files
    assert len(sent.opened()) == 10


def test_an_index_of_ones_own_machine_is_downloaded_without_its_places(actions: SearchActions, tmp_path: Path) -> None:
    from blip2.indexing import Indexer

    found = album(tmp_path, ["a.png"])
    indexer = Indexer(actions.backend, "scripted/itm")
    assert list(indexer.add(found, 1))[-1].new == 1
    (tmp_path / "data" / "indexes").mkdir(parents=True)
    indexer.save(tmp_path / "data" / "indexes" / "mine.index")
    held = actions.open_saved("mine")
    assert held.picture(held.opened().rows[0]) is not None
    out = actions.download(held)
    assert str(tmp_path).encode() not in out.read_bytes()
    assert len(open_index(out)) == 1


def test_mistakes_are_sentences(actions: SearchActions, held: Held, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="nothing to search"):
        last(actions.words(Held(), "a dog", 3, True))
    with pytest.raises(BadImage, match="no picture"):
        actions.picture(held, None, 3)
    with pytest.raises(BadInput, match="no saved index"):
        actions.open_saved("../../etc")
    with pytest.raises(BadInput, match="cannot be used"):
        actions.save(held, "../up")
    with pytest.raises(BadInput, match="1,001 letters"):
        last(actions.words(held, "a" * 1001, 3, True))
    (tmp_path / "x.index").write_bytes(b"nothing")
    with pytest.raises(BadInput, match="no index"):
        actions.open(tmp_path / "x.index")
    with pytest.raises(BadInput, match="not allowed"):
        SearchActions(ScriptedBackend(), tmp_path).save(held, "a")
    without = SearchActions(ScriptedBackend(models=MODELS[:2]), tmp_path)
    with pytest.raises(BadInput, match="No matching model"):
        build(without, Held(), album(tmp_path, ["a.png"]))
    with pytest.raises(BadInput, match="not offered here"):
        last(without.words(held, "a dog", 3, True))


@pytest.mark.parametrize("count", [None, "", "many", True, 2.5])
def test_a_number_of_results_that_is_none_is_a_sentence(count: object) -> None:
    with pytest.raises(BadInput, match="give a whole number from 1 to 60"):
        how_many(count)
    assert how_many(12.0) == 12


def test_names_are_shown_harmless_and_never_above_the_album(actions: SearchActions, tmp_path: Path) -> None:
    found = album(tmp_path, ['<img src=x onerror="1">.png'])
    (tmp_path / "<b>.jpg").write_bytes(b"no picture")
    found = gathered([*found.sent, tmp_path / "<b>.jpg"])
    step = build(actions, Held(), found)[-1]
    assert step.held is not None
    shown = results(step.held, last(actions.words(step.held, "<i>dog", 3, True)), "<i>dog")
    for markup in (shown, facts(step.held)):
        assert "<img src=x" not in markup
        assert "<b>.jpg" not in markup
        assert "<i>dog" not in markup
    assert "1 could not be read" in progress_bar(step, False)
    assert step.held.title("/srv/private/a.jpg") == "a.jpg"


def test_the_example_scenes_are_there() -> None:
    assert len(scenes()) == 76
