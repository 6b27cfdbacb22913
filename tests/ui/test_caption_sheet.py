"""The sheet of captions: lines in the pictures' order, edits, retries, and thumbnails that go with it."""

import copy
import gc

import pytest

from blip2.backends.scripted import ScriptedBackend
from blip2.captioning import Captioned, Halt
from blip2.errors import Halted
from blip2.ui.caption_sheet import RECENT, Sheet
from blip2.values import Candidate, Token


def halt() -> Halt:
    return Halt(ScriptedBackend())


def made(name: str, text: str = "a ball") -> Captioned:
    return Captioned(name, "d", (Candidate(text, (Token("a", -1.0),), ids=(1,)), Candidate("other")))


@pytest.fixture
def sheet() -> Sheet:
    """Three pictures, the second of them broken, the last not done yet."""
    sheet = Sheet()
    assert sheet.begin("abc", halt())
    sheet.put("b", "k", Captioned("b", error="It is broken."))
    sheet.put("a", "k", made("a"), b"jpeg of a")
    return sheet


def test_lines_are_in_the_pictures_order_and_counted(sheet: Sheet) -> None:
    assert [line.name for line in sheet.lines()] == ["a", "b"]
    assert [line.name for line in sheet.recent()] == ["a", "b"]
    counts = sheet.counts()
    assert (counts.total, counts.done, counts.failed, counts.left) == (3, 1, 1, 1)
    assert sheet.failed() == {"b"}
    assert sheet.lines()[0].made.captions[0].tokens == ()
    sheet.put("b", "k", made("b"))
    assert (sheet.counts().done, sheet.counts().failed) == (2, 0)


def test_a_caption_is_kept_for_its_content_and_settings_or_because_it_was_edited(sheet: Sheet) -> None:
    assert sheet.kept("a", "k")
    assert not sheet.kept("a", "other settings")
    assert not sheet.kept("b", "k")
    assert not sheet.kept("c", "k")
    assert sheet.edit(0, "mine")
    assert sheet.kept("a", "other settings")
    assert sheet.lines()[0].to_json()["caption"] == "mine"
    assert sheet.lines()[0].to_json()["edited"] is True
    assert sheet.edit(0, "a ball")
    assert sheet.lines()[0].edited is None


@pytest.mark.parametrize("at", [-1, 1, 2, 3, 99])
def test_what_has_no_caption_cannot_be_edited(sheet: Sheet, at: int) -> None:
    assert not sheet.edit(at, "x")


def test_one_run_at_a_time_and_a_new_album_forgets_the_old(sheet: Sheet) -> None:
    assert not sheet.begin("xyz", halt())
    mine = halt()
    sheet.end()
    assert sheet.begin("ax", mine)
    assert [line.name for line in sheet.lines()] == ["a"]
    assert sheet.failed() == frozenset()
    sheet.stop()
    with pytest.raises(Halted):
        mine.check()


def test_what_is_cleared_stays_so_whatever_the_run_still_brings(sheet: Sheet) -> None:
    sheet.clear()
    sheet.put("c", "k", made("c"))
    assert (sheet.lines(), sheet.recent(), sheet.counts().total, sheet.counts().done) == ([], [], 0, 0)


def test_thumbnails_lie_in_a_file_that_goes_with_the_sheet(sheet: Sheet) -> None:
    line, broken = sheet.lines()
    assert sheet.thumbnail(line) == b"jpeg of a"
    assert sheet.thumbnail(broken) == b""
    assert copy.deepcopy(sheet) is sheet
    assert sheet.shelf.path.is_dir()


def test_the_folder_is_removed_with_the_last_reference() -> None:
    sheet = Sheet()
    folder = sheet.shelf.path
    del sheet
    gc.collect()
    assert not folder.exists()


def test_pages_of_lines_know_the_numbers_of_their_pictures() -> None:
    sheet = Sheet()
    names = [f"{at:03}" for at in range(300)]
    sheet.begin(names, halt())
    for name in names[1:]:
        sheet.put(name, "k", made(name))
    assert [at for at, _ in sheet.numbered(0, 3)] == [1, 2, 3]
    assert [line.name for _, line in sheet.numbered(298, 200)] == ["299"]
    assert len(sheet.recent()) == RECENT
