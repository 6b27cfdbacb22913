"""Matches as a visitor asks for them, on a scripted backend: tables that grow, labels, words, features, sentences."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from blip2.backends.scripted import MODELS, ScriptedBackend
from blip2.errors import BadImage, BadInput, Blip2Error
from blip2.gathering import Found, gathered
from blip2.images import open_picture, picture_from
from blip2.settings import Settings
from blip2.ui.match_actions import LONGEST, MOST_FEATURES, MOST_PICTURES, MOST_TEXTS, MatchActions, labels_of, texts_of
from blip2.ui.studio import Studio
from blip2.values import Match, ModelInfo, Picture

POCKET = ModelInfo("pocket/itm", "Pocket matching", "itm", "pocket", pocket=True)


def actions(models: Sequence[ModelInfo] = MODELS, foreign: bool = False) -> MatchActions:
    return MatchActions(Studio(Settings(), ScriptedBackend(models=models), lambda picture: foreign))


def files(folder: Path, count: int, broken: int = 0) -> list[Found]:
    for at in range(count):
        Image.new("RGB", (8, 6), (at, 90, 120)).save(folder / f"{at:03}.png")
    for at in range(broken):
        (folder / f"broken{at}.png").write_bytes(b"no picture")
    return list(gathered(sorted(folder.iterdir())).files)


def test_a_table_grows_slice_by_slice_to_what_the_backend_says(tmp_path: Path) -> None:
    found = files(tmp_path, 19, broken=1)
    tables = list(actions().table(found, " a dog \n\na cat\na dog", None))
    assert [table.done for table in tables] == sorted({table.done for table in tables})
    assert len(tables) > 2
    assert tables[0].done == 0
    last = tables[-1]
    assert last.texts == ("a dog", "a cat")
    assert (last.done, last.total, len(last.names)) == (20, 20, 19)
    assert [name for name, _ in last.failed] == ["broken0.png"]
    expected = ScriptedBackend().match("scripted/itm", [open_picture(tmp_path / last.names[11])], last.texts)
    np.testing.assert_array_equal(last.made.itm[11], expected.itm[0])
    assert all(thumbnail.startswith(b"\xff\xd8") for thumbnail in last.thumbnails)
    told = last.to_json()
    assert told["pictures"] == list(last.names)
    assert np.shape(told["itc"]) == (19, 2)


def test_giving_up_a_table_asks_the_backend_for_no_more(tmp_path: Path) -> None:
    class Counting(ScriptedBackend):
        asked = 0

        def match(self, model: str, images: Sequence[Picture], texts: Sequence[str]) -> Match:
            self.asked += len(images)
            return super().match(model, images, texts)

    backend = Counting()
    steps = MatchActions(Studio(Settings(), backend, lambda picture: False)).table(files(tmp_path, 20), "a dog", None)
    for table in steps:
        if table.done:
            break
    steps.close()  # type: ignore[attr-defined]
    assert backend.asked == table.done < 20


def test_one_picture_labels_words_and_what_a_pocket_model_does_not_know() -> None:
    picture = picture_from(Image.new("RGB", (20, 10), "teal"))
    on = actions([POCKET], foreign=True)
    *_, table = on.one(picture, "a zeppelin over a dog\na cat", "pocket/itm")
    assert (table.foreign, table.strange, len(table.names)) == (1, ("zeppelin",), 1)
    classes = on.classify(picture, "dog, cat\ntractor beam,dog", "", "")
    assert sorted(each.name for each in classes.found) == ["cat", "dog", "tractor beam"]
    assert sum(each.share for each in classes.found) == pytest.approx(1)
    assert classes.is_foreign
    assert "beam" in classes.strange
    where = on.where(picture, "a dog", None)
    assert where.attention.words == ("", "a", "dog")
    calm = actions(foreign=True).where(picture, "a zeppelin", None)  # no pocket model: nothing to warn of
    assert (calm.is_foreign, calm.strange) == (False, ())


def test_features_of_pictures_texts_and_pairs(tmp_path: Path) -> None:
    found = gathered([each.file for each in files(tmp_path, 2)])
    both = actions().features(found, "a dog\na cat", "multimodal", None)
    assert (both.pictures, both.texts) == (("000.png", "001.png"), ("a dog", "a cat"))
    assert both.made.multimodal_embeds is not None
    assert both.made.multimodal_embeds.shape[0] == 2
    image = actions().features(found, "a dog\na cat", "image", None)
    assert image.made.image_embeds is not None
    assert image.texts == ()
    text = actions().features(found, "a dog", "text", None)
    assert text.made.text_embeds is not None
    assert text.pictures == ()
    with pytest.raises(BadInput, match="a text for each picture"):
        actions().features(found, "a dog", "multimodal", None)


def test_a_broken_picture_does_not_fail_the_features_of_the_others(tmp_path: Path) -> None:
    found = gathered([each.file for each in files(tmp_path, 2, broken=1)])
    made = actions().features(found, "", "image", None)
    assert made.pictures == ("000.png", "001.png")
    assert made.made.image_embeds is not None
    assert made.made.image_embeds.shape[0] == 2
    ((name, why),) = made.failed
    assert (name, "not a picture" in why) == ("broken0.png", True)
    with pytest.raises(BadImage, match=r"broken0\.png"):  # a pair that lost its picture would pair others wrongly
        actions().features(found, "a\nb\nc", "multimodal", None)
    alone = gathered([str(tmp_path / "broken0.png")])
    with pytest.raises(BadImage, match=r"broken0\.png"):
        actions().features(alone, "", "image", None)


def test_what_is_wrong_is_a_sentence(tmp_path: Path) -> None:
    picture = picture_from(Image.new("RGB", (9, 9)))
    on = actions()
    many = [Found(str(at), "nowhere.png") for at in range(MOST_PICTURES + 1)]
    crowd = gathered([f"{at}.png" for at in range(MOST_FEATURES + 1)])
    wrong = [
        (lambda: list(on.one(None, "a dog", None)), "no picture yet"),
        (lambda: list(on.one(BadImage("This is no picture."), "a dog", None)), "This is no picture"),
        (lambda: list(on.one(picture, " \n", None)), "no text yet"),
        (lambda: list(on.table([], "a dog", None)), "no picture yet"),
        (lambda: list(on.table(many, "a dog", None)), f"at most {MOST_PICTURES}"),
        (lambda: list(on.one(picture, "a dog", "blip2/none")), "choose one of scripted/itm"),
        (lambda: list(actions(MODELS[:2]).one(picture, "a dog", "")), "No matching model is served"),
        (lambda: on.classify(picture, "dog", "a photo", None), "no place for the label"),
        (lambda: on.classify(picture, "dog", "{}" + "a" * LONGEST, None), "at most 1,000"),
        (lambda: on.where(picture, " ", None), "no text yet"),
        (lambda: on.where(picture, "a" * (LONGEST + 1), None), "characters"),
        (lambda: on.features(crowd, "", "image", None), f"at most {MOST_FEATURES}"),
    ]
    for ask, sentence in wrong:
        with pytest.raises(Blip2Error, match=sentence):
            ask()


def test_texts_and_labels_are_taken_apart() -> None:
    assert texts_of("one, two\r\n three ") == ("one, two", "three")
    assert labels_of("dog,, cat\n dog") == ("dog", "cat")
    for wrong in ("\n".join(map(str, range(MOST_TEXTS + 1))), "x" * (LONGEST + 1), ""):
        with pytest.raises(BadInput):
            texts_of(wrong)
