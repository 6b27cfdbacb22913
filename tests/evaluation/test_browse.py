"""Looking through finished runs."""

from pathlib import Path

import pytest

from blip2.backends.scripted import ScriptedBackend
from blip2.errors import BadImage, BadInput
from blip2.evaluation import browse
from blip2.evaluation.browse import Browser
from blip2.evaluation.run import Plan, run


@pytest.fixture
def browser(vqa_data: Path, tmp_path: Path) -> Browser:
    def answer(prompt: str) -> str:
        number = int(prompt.split()[-2].rstrip("?"))
        return f"it is {number}" if number % 2 == 0 else "no idea"

    run(Plan("vqav2", "scripted/opt", vqa_data, out=tmp_path / "runs" / "first"), ScriptedBackend(answer))
    return browse.open_run(tmp_path / "runs", "first")


def test_only_finished_runs_of_the_folder_are_there(browser: Browser, tmp_path: Path) -> None:
    (tmp_path / "runs" / "begun").mkdir()
    assert browse.runs(tmp_path / "runs") == ["first"]
    assert browse.runs(tmp_path / "nowhere") == []
    for name in ("begun", "../runs/first", "", str(tmp_path / "runs" / "first")):
        with pytest.raises(BadInput, match="no finished run"):
            browse.open_run(tmp_path / "runs", name)


def test_by_picture_question_and_error(browser: Browser) -> None:
    assert len(browser.find()) == 15
    assert [line.id for line in browser.find("really number 10?")] == ["110"]
    assert [line.id for line in browser.find(image="COCO_val2014_000000000002.jpg")] == ["103", "104", "105"]
    broken = browser.find(which="broken")
    assert [line.id for line in broken] == ["112", "113", "114"]
    assert "not a picture" in broken[0].said
    wrong = browser.find("idea", "wrong")
    assert [line.id for line in wrong] == ["101", "103", "105", "107", "109", "111"]
    assert {line.value for line in browser.find(which="right")} == {1.0}


def test_the_picture_is_opened_when_it_is_looked_at(browser: Browser) -> None:
    assert browser.picture("100").size == (40, 30)
    with pytest.raises(BadImage):
        browser.picture("113")
    with pytest.raises(BadInput, match="no longer"):
        browser.picture("7")


def test_a_run_whose_data_is_gone_is_still_listed(browser: Browser, vqa_data: Path) -> None:
    (vqa_data / "v2_mscoco_val2014_annotations.json").unlink()
    assert len(browser.find()) == 15
    with pytest.raises(BadInput, match="cannot be shown"):
        browser.picture("100")
