"""What is offered to be asked next."""

import pytest
from chatting import asked, make

from blip2.ui.follow_ups import follow_ups


@pytest.mark.parametrize(
    ("question", "answer", "first"),
    [
        ("Which animal is it?", "a dog", "What does it eat?"),
        ("What is on the table?", "an apple", "Where is it?"),
        ("Is there a dog?", "yes", "Why?"),
        ("Why?", "because there is a dog", "What else is in the picture?"),
    ],
)
def test_what_is_offered_leans_on_the_answer(question: str, answer: str, first: str):
    turn = asked(make(lambda prompt: answer), question).conversation.turns[-1]
    assert follow_ups(turn)[0] == first


def test_no_answer_offers_nothing_to_lean_on():
    assert follow_ups(asked(make(lambda prompt: ""), "What is it?").conversation.turns[-1]) == ()
