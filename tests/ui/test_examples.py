"""The example pictures of the page."""

from blip2.ui.examples import examples


def test_twelve_different_pictures_with_titles_and_questions():
    shown = examples()
    assert len({example.picture.digest for example in shown}) == len(shown) == 12
    for example in shown:
        assert len(example.title) > 10
        assert len(example.questions) >= 3
        assert all(question.endswith("?") for question in example.questions)
