"""The committed scenes: complete, what their sheets say, and never of training."""

from PIL import Image

from blip2.pocket.captions import caption
from blip2.pocket.committed import FIRST, FOLDER, load_committed
from blip2.pocket.photos import is_photograph
from blip2.pocket.reading import read, shown
from blip2.pocket.world import BACKGROUNDS, EVAL_SEEDS, scene_at


def test_there_are_64_scenes_of_every_place_with_long_conversations() -> None:
    committed = load_committed()
    assert len(committed) == 64
    assert {each.scene.background for each, _ in committed} == {place.name for place in BACKGROUNDS}
    assert all(len(each.long) == 8 and each.pairs and each.talk for each, _ in committed)
    assert all(picture.size == (448, 448) for _, picture in committed)
    assert len({picture.digest for _, picture in committed}) == 64


def test_the_scenes_are_of_the_evaluation_seeds() -> None:
    drawn = {scene_at(seed) for seed in range(FIRST, FIRST + 400)}
    assert FIRST in EVAL_SEEDS
    assert {each.scene for each, _ in load_committed()} <= drawn


def test_true_sentences_fit_the_scene_and_false_ones_do_not() -> None:
    for each, _ in load_committed():
        assert read(caption(each.scene).text) == shown(each.scene)
        for pair in each.pairs:
            assert pair.true != pair.false
            if pair.kind != "relation":
                assert read(pair.true) == shown(each.scene) != read(pair.false)


def test_the_pictures_are_taken_for_scenes() -> None:
    refused = [picture.name for _, picture in load_committed() if is_photograph(picture)]
    assert not refused


def test_the_pictures_are_small_files() -> None:
    assert sum(file.stat().st_size for file in FOLDER.iterdir()) < 2_500_000
    assert Image.open(FOLDER / "00.jpg").format == "JPEG"
