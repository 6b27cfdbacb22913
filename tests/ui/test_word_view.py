"""An answer's words and how sure the model was of each."""

from math import log

import pytest

from blip2.ui.chat_view import escape
from blip2.ui.word_view import marked, words
from blip2.values import Token


def test_pieces_are_merged_into_words_and_their_probabilities_multiplied():
    tokens = (Token(" a", log(0.9)), Token(" water", log(0.5)), Token("melon", log(0.8)), Token("", log(0.99)))
    found = words("a watermelon", tokens)
    assert found is not None
    assert [text for text, _ in found] == ["a", " ", "watermelon"]
    assert [probability for _, probability in found] == pytest.approx([0.9, 1.0, 0.4])


def test_tokens_that_do_not_spell_the_answer_mark_nothing():
    assert words("a dog", (Token("a dog and", -0.1),)) is None
    assert words("", ()) is None
    assert marked("a < b & <b>", (), escape) == "a < b & &lt;b>"


def test_markup_holds_the_text_escaped_and_one_stop_for_the_keyboard():
    shown = marked("<b>x</b> dog", (Token("<b>x</b>", log(0.3)), Token(" dog", log(0.95))), escape)
    assert shown == (
        '<span class="word unsure" tabindex="0" title="&lt;b&gt;x&lt;/b&gt;: 30%">&lt;b>x&lt;/b></span> '
        '<span class="word sure" tabindex="-1" title="dog: 95%">dog</span>'
    )
