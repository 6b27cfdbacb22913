"""What a visitor reads: messages, their facts, and text that can never become markup."""

import html
import re
from dataclasses import replace

import pytest

from blip2.chat import Conversation, Turn
from blip2.ui.chat_view import escape, messages, seconds, summary, turn_of
from blip2.values import Decoding, Finish, Usage

TURN = Turn(
    question="What is it?",
    answer="a dog",
    prompt="Question: What is it? Answer:",
    prompt_tokens=7,
    dropped=0,
    model="blip2_opt/pocket_opt",
    source="pocket_opt",
    revision="0123456789abcdef",
    dtype="float32",
    decoding=Decoding(),
    seed=3,
    mode="chat",
    finish=Finish.END,
    usage=Usage(32, 7, 2, 0.0, 0.05, 1.234),
    confidence=0.876,
)


def answer(turn: Turn, doubtful: tuple[str, ...] = ()) -> str:
    return messages(Conversation("m", turns=(turn,)), doubtful)[1]["content"]


def read(markup: str) -> str:
    """The text of markup, as a browser would show it."""
    return html.unescape(re.sub(r"</?[a-z][^>]*>", "", markup))


def test_two_messages_for_each_turn():
    shown = messages(Conversation("m", turns=(TURN, replace(TURN, question="Why?"))))
    assert [message["role"] for message in shown] == ["user", "assistant"] * 2
    assert shown[2]["content"] == "Why?"
    assert [turn_of(index) for index in range(4)] == [0, 0, 1, 1]


def test_the_facts_of_an_answer():
    text = answer(TURN)
    for fact in [
        "Question: What is it? Answer:",
        "7 of text, after 32 of the picture",
        "<dd>2</dd>",
        "after 50 ms",
        "after 1.23 s",
        "the model ended its answer",
        "87.6%",
        "blip2_opt/pocket_opt · 0123456789ab · float32",
        "beam search, 5 beams, up to 30 tokens",
    ]:
        assert fact in text
    assert "seed" not in text, "beam search draws nothing"
    assert "Left out" not in text


def test_dropped_turns_waiting_and_the_seed_are_told_where_they_matter():
    turn = replace(
        TURN,
        dropped=2,
        notice="The 2 oldest turns did not fit.",
        decoding=Decoding(method="nucleus", temperature=0.7),
        usage=replace(TURN.usage, queued=0.6),
    )
    text = answer(turn)
    assert "2 oldest turns" in text
    assert "0.60 s of it waiting" in text
    assert "nucleus sampling, temperature 0.7, top-p 0.9, up to 30 tokens, seed 3" in text
    assert text.index("The 2 oldest turns did not fit.") < text.index("<details")


@pytest.mark.parametrize(
    ("finish", "word"),
    [(Finish.CANCELLED, "stopped"), (Finish.LENGTH, "cut at the limit"), (Finish.DEADLINE, "out of time")],
)
def test_an_answer_cut_short_says_so_without_opening_its_facts(finish: Finish, word: str):
    headline = re.search("<summary>(.*?)</summary>", answer(replace(TURN, finish=finish)))
    assert headline
    assert word in headline[1]


def test_while_writing_there_are_dots_and_then_text_and_no_facts_yet():
    waiting = answer(replace(TURN, answer="", finish=None))
    assert 'class="thinking"' in waiting
    growing = answer(replace(TURN, answer="a do", finish=None))
    assert growing == '<span class="answer">a do</span>'
    assert "(no answer)" in answer(replace(TURN, answer=""))


@pytest.mark.parametrize(
    ("place", "said"), [(1, "Next in the queue"), (2, "One other is before you"), (4, "3 others are before you")]
)
def test_whoever_waits_reads_the_place_in_the_queue(place: int, said: str):
    shown = answer(replace(TURN, answer="", finish=None, waiting=place))
    assert said in read(shown)
    assert "thinking" in shown
    assert "before you" not in answer(replace(TURN, answer="", finish=None))


def test_caution_only_for_the_models_that_guess():
    assert "A guess" in answer(TURN, ("blip2_opt/pocket_opt",))
    assert "A guess" not in answer(TURN, ("blip2_t5/pocket_flant5",))


@pytest.mark.parametrize(
    "text",
    [
        "<b>bold</b>",
        "<img src=x onerror=alert(1)>",
        "</span></details><script>1</script>",
        "<!-- hidden -->",
        "a &amp; b &lt; c",
        "<image> &copy; &#60;",
    ],
)
def test_hostile_text_is_shown_as_text(text: str):
    shown = messages(Conversation("m", turns=(replace(TURN, question=text, answer=text, prompt=text, notice=text),)))
    assert not re.search(r"<[A-Za-z/!?]", shown[0]["content"])
    assert html.unescape(shown[0]["content"]) == text
    assert read(shown[1]["content"]).count(text) == 3


def test_plain_text_is_left_as_typed():
    for text in ["a < b", "cats & dogs", "1 <2> 3", 'it\'s "so"']:
        assert escape(text) == text


def test_an_empty_raw_prompt_has_a_visible_message():
    assert messages(Conversation("m", turns=(replace(TURN, question=""),)))[0]["content"] == "(the empty prompt)"


def test_words_for_numbers():
    assert [seconds(value) for value in (0.0123, 0.5, 9.876, 75.2)] == ["12 ms", "0.50 s", "9.88 s", "75 s"]
    assert summary(Decoding(num_beams=1)) == "beam search, 1 beam, up to 30 tokens"
    assert summary(Decoding(method="greedy", max_new_tokens=7)) == "greedy, up to 7 tokens"
