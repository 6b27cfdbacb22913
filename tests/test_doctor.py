import json
import shutil
from pathlib import Path

import pytest
from PIL import Image
from tiny import edit_json

from blip2 import doctor, published
from blip2.backends.base import answer
from blip2.backends.local import LocalBackend
from blip2.images import open_picture
from blip2.published import Answer, KnownPicture, Score
from blip2.values import Decoding, Request

GREEDY = Decoding(method="greedy", max_new_tokens=8)
SQUARES = KnownPicture("squares.png", "the tests")


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    image = Image.new("RGB", (64, 48), (200, 30, 30))
    image.paste((30, 30, 200), (20, 10, 40, 30))
    image.save(tmp_path / SQUARES.file)
    return tmp_path


def known(model: str, text: str) -> tuple[Answer, ...]:
    return (Answer("T1", model, SQUARES, "a photo of", text, GREEDY, "float32", "the tests"),)


def test_a_sound_model_is_reported_whole(opt_folder: Path) -> None:
    found = doctor.report(str(opt_folder))
    assert found["ok"] is True
    assert found["error"] == ""
    assert found["loaded"]["dtype"] == "float32"
    assert found["tokenizer"]["ids"][0] == 2
    assert len(found["self_check"]) >= 10
    assert found["published"] == []
    assert found["scenes"] is None
    assert json.loads(json.dumps(found)) == found
    text = doctor.render(found)
    assert text.endswith("All is well.")
    for piece in ("torch 2", "float32 on cpu", "passed: a line break is one token", "auto picked float32"):
        assert piece in text


def test_a_faulty_model_is_reported_with_its_sentence(opt_folder: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(opt_folder, tmp_path / "spoilt")
    edit_json(folder / "config.json", vision_config__layer_norm_eps=1e-5)
    found = doctor.report(str(folder))
    assert found["ok"] is False
    assert "layer_norm_eps is 1e-05" in found["error"]
    assert doctor.render(found).endswith(found["error"])
    assert doctor.report("no such model")["error"].startswith("There is no model 'no such model'")


def test_published_answers_are_compared_where_the_picture_is_at_hand(
    opt_folder: Path, pictures: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = str(opt_folder)
    backend = LocalBackend([name])
    given = answer(backend, Request(name, open_picture(pictures / SQUARES.file), "a photo of", GREEDY)).text
    backend.close()
    monkeypatch.setattr(published, "ANSWERS", known(name, given))
    found = doctor.report(name, pictures=pictures)
    assert (found["ok"], found["published"][0]["agrees"], found["published"][0]["given"]) == (True, True, given)

    monkeypatch.setattr(published, "ANSWERS", known(name, given + " and a dog"))
    found = doctor.report(name, pictures=pictures)
    assert (found["ok"], found["published"][0]["agrees"]) == (False, False)
    assert "NOT as published" in doctor.render(found)

    (pictures / SQUARES.file).unlink()
    found = doctor.report(name, pictures=pictures)
    assert (found["ok"], found["published"][0]["agrees"]) == (True, None)
    assert "squares.png is not at hand" in doctor.render(found)


def test_a_picture_of_the_right_name_and_another_content_is_not_compared(
    opt_folder: Path, pictures: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    picture = KnownPicture(SQUARES.file, "the tests", "0{64}")
    name = str(opt_folder)
    entry = Answer("T1", name, picture, "a photo of", "anything", GREEDY, "float32", "the tests")
    monkeypatch.setattr(published, "ANSWERS", (entry,))
    row = doctor.report(name, pictures=pictures)["published"][0]
    assert row["agrees"] is None
    assert "is another picture than" in row["skipped"]


def test_published_scores_are_compared(itm_folder: Path, pictures: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    name = str(itm_folder)
    backend = LocalBackend([name])
    match = backend.match(name, [open_picture(pictures / SQUARES.file)], ["a red ball"])
    backend.close()
    right = Score("S1", name, SQUARES, "a red ball", float(match.itm[0, 0]), float(match.itc[0, 0]), "float32", "tests")
    wrong = Score("S2", name, SQUARES, "a red ball", 1 - float(match.itm[0, 0]), None, "float32", "tests", 1e-4)
    monkeypatch.setattr(published, "SCORES", (right, wrong))
    assert [row["agrees"] for row in doctor.report(name, pictures=pictures)["published"]] == [True, False]
