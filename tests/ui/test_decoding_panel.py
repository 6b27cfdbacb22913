"""The settings of an answer: from a page's values to a choice, and to the line of the folded panel."""

from blip2.chat import Conversation
from blip2.ui.chat_actions import chosen
from blip2.ui.decoding_panel import NAMES, START, choice, title
from blip2.values import Decoding

KNOBS = [*(getattr(START, name) for name in NAMES), 0, False]


def test_untouched_knobs_are_the_default_decoding():
    talk = chosen(Conversation(""), choice("m", KNOBS))
    assert (talk.decoding, talk.seed, talk.mode, talk.model) == (Decoding(), 0, "chat", "m")


def test_every_knob_reaches_the_decoding():
    knobs = ["nucleus", 2, 40, 3, -1.0, 1.5, 0.7, 0.8, 11, True]
    talk = chosen(Conversation(""), choice("m", knobs))
    assert talk.decoding == Decoding("nucleus", 2, 40, 3, -1.0, 1.5, 0.7, 0.8)
    assert (talk.seed, talk.mode) == (11, "raw")


def test_the_folded_line_tells_what_is_set_or_what_is_wrong():
    assert title(KNOBS) == "Settings · beam search, 5 beams, up to 30 tokens"
    nucleus = ["nucleus", *KNOBS[1:8], 9, True]
    assert (
        title(nucleus) == "Settings · nucleus sampling, temperature 1, top-p 0.9, up to 30 tokens, seed 9, raw prompt"
    )
    assert "must not exceed" in title(["greedy", 5, 5, 9, *KNOBS[4:]])
    assert "empty" in title(["beam", None, *KNOBS[2:]])
