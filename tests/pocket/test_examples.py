"""The example scenes of the page: complete, of the world, and what their titles and answers say."""

from PIL import Image

from blip2.pocket.examples import load_examples
from blip2.pocket.kinds import KIND
from blip2.pocket.world import BACKGROUNDS, MOST_THINGS

EXAMPLES = load_examples()


def test_twelve_examples_show_every_place() -> None:
    assert len(EXAMPLES) == 12
    assert {example.scene.background for example in EXAMPLES} == {place.name for place in BACKGROUNDS}


def test_every_example_has_a_picture_and_questions_with_answers() -> None:
    for example in EXAMPLES:
        with Image.open(example.path) as picture:
            assert picture.size == (448, 448)
        assert len(example.questions) == len(example.answers) == 3
        assert all(example.questions)
        assert all(example.answers)


def test_scenes_keep_the_worlds_rules() -> None:
    for example in EXAMPLES:
        things = example.scene.things
        assert 1 <= len(things) <= MOST_THINGS
        assert len({thing.cell for thing in things}) == len(things)
        for thing in things:
            row = KIND[thing.kind]
            assert thing.colour in row.paints if row.paints else thing.colour == row.colour


def test_titles_name_what_is_there() -> None:
    for example in EXAMPLES:
        for thing in example.scene.things:
            assert thing.kind in example.title.lower() or KIND[thing.kind].plural in example.title.lower(), (
                example.title
            )
