"""The prompt is LAVIS's to the letter, fits the budget, and carries no token of control."""

from pathlib import Path

import pytest
from tokenizers import Tokenizer

from blip2.errors import BadPrompt
from blip2.prompts import build, defuse

MERLION = (("which city is this?", "singapore"), ("why?", "it has a statue of a merlion"))


def words(text: str) -> int:
    return len(text.split())


def text_of(question: str, past: tuple[tuple[str, str], ...] = ()) -> str:
    return build(question, past, count=words, budget=1000).text


def test_the_third_question_of_the_lavis_readme() -> None:
    prompt = build("where is the name merlion coming from?", MERLION, count=words, budget=1000)
    assert prompt.text == (
        "Question: which city is this? Answer: singapore. Question: why? Answer: it has a statue of a merlion. "
        "Question: where is the name merlion coming from? Answer:"
    )
    assert (prompt.tokens, prompt.dropped, prompt.notice) == (words(prompt.text), 0, "")


def test_first_question() -> None:
    assert text_of("which city is this?") == "Question: which city is this? Answer:"


def test_an_answer_with_its_own_full_stop_gets_no_second() -> None:
    assert "Answer: In the woods. Question: What for? Answer:" in text_of(
        "What for?", (("Where are they?", "In the woods."),)
    )


def test_only_a_full_stop_counts_as_one() -> None:
    assert "Answer: really?. Question:" in text_of("why?", (("is it?", "really?"),))


def test_white_space_is_folded_and_the_rest_kept_as_typed() -> None:
    assert text_of("  What's\n the   Café\tcolour?  ") == "Question: What's the Café colour? Answer:"


def test_past_turns_are_folded_too() -> None:
    assert text_of("b?", ((" a ?\n", " yes\n"),)) == "Question: a ? Answer: yes. Question: b? Answer:"


def test_turns_without_an_answer_are_passed_over() -> None:
    assert text_of("b?", (("a?", " "),)) == "Question: b? Answer:"


@pytest.mark.parametrize("blank", ["", "   ", "\n\t", "\u200b", "\x00\x07", "\u00a0"])
def test_an_empty_question_is_refused(blank: str) -> None:
    with pytest.raises(BadPrompt, match="empty"):
        text_of(blank)


def test_oldest_turns_go_whole_and_are_counted() -> None:
    past = tuple((f"q{i}?", f"a{i}") for i in range(5))  # four words a turn
    prompt = build("last?", past, count=words, budget=12)
    assert prompt.text == "Question: q3? Answer: a3. Question: q4? Answer: a4. Question: last? Answer:"
    assert (prompt.tokens, prompt.dropped) == (11, 3)
    assert prompt.notice == "The 3 oldest turns were left out: the model reads at most 12 tokens."


def test_one_dropped_turn_is_reported_in_the_singular() -> None:
    prompt = build("last?", (("q?", "a"), ("r?", "b")), count=words, budget=7)
    assert prompt.dropped == 1
    assert prompt.notice.startswith("The oldest turn was left out")


def test_a_prompt_of_exactly_the_budget_fits() -> None:
    prompt = build("last?", (("q?", "a"),), count=words, budget=7)
    assert (prompt.tokens, prompt.dropped, prompt.notice) == (7, 0, "")


def test_a_turn_too_long_takes_the_older_ones_with_it() -> None:
    past = (("q?", "short"), ("r?", "long " * 50))
    prompt = build("last?", past, count=words, budget=20)
    assert (prompt.text, prompt.dropped) == ("Question: last? Answer:", 2)


def test_a_question_over_the_budget_names_both_numbers() -> None:
    with pytest.raises(BadPrompt, match=r"takes 42 tokens .* at most 10"):
        build("why " * 40, MERLION, count=words, budget=10)


def test_work_is_bounded_by_the_budget() -> None:
    calls: list[str] = []

    def counting(text: str) -> int:
        calls.append(text)
        return words(text)

    build("last?", tuple((f"q{i}?", "a") for i in range(10_000)), count=counting, budget=40)
    assert len(calls) < 15


def test_raw_mode_sends_the_text_as_it_stands() -> None:
    prompt = build(" this  is a\ncartoon of ", MERLION, count=words, budget=100, mode="raw")
    assert (prompt.text, prompt.dropped) == (" this  is a\ncartoon of ", 0)


def test_raw_mode_takes_an_empty_prompt_and_minds_the_budget() -> None:
    assert build("", count=words, budget=5, mode="raw").text == ""
    with pytest.raises(BadPrompt, match="6 tokens"):
        build("a b c d e f", count=words, budget=5, mode="raw")


@pytest.mark.parametrize("token", ["</s>", "<s>", "<pad>", "<unk>", "<image>", "<mask>", "<extra_id_7>", "</S>"])
@pytest.mark.parametrize("mode", ["chat", "raw"])
def test_control_tokens_arrive_as_text_and_are_reported(token: str, mode: str) -> None:
    prompt = build(f"what is {token} here?", count=words, budget=100, mode="raw" if mode == "raw" else "chat")
    assert token not in prompt.text
    assert f"< {token[1:]}" in prompt.text
    assert "plain text" in prompt.notice


@pytest.mark.parametrize("disguised", ["＜/s＞", "<\u200b/s>", "<p\u00adad>", "＜image＞"])
def test_disguised_control_tokens_are_found(disguised: str) -> None:
    text, notice = defuse(f"what {disguised} x")
    assert "< " in text
    assert notice


@pytest.mark.parametrize("harmless", ["a < b", "<b>bold</b>", "x <sad> y", "1 <3", "👩‍🚀 <page>"])
def test_other_angle_brackets_stay_as_typed(harmless: str) -> None:
    assert defuse(harmless) == (harmless, "")


def test_control_tokens_in_past_turns_are_defused_without_a_new_notice() -> None:
    prompt = build("b?", (("a <image>?", "yes</s>"),), count=words, budget=100)
    assert prompt.text == "Question: a < image>? Answer: yes< /s>. Question: b? Answer:"
    assert prompt.notice == ""


def test_lone_surrogates_and_control_characters_are_left_out() -> None:
    assert text_of("what\ud800 is\x00 it?") == "Question: what is it? Answer:"


@pytest.mark.parametrize("token", ["</s>", "<pad>", "<unk>", "<image>"])
def test_no_control_id_is_left_for_a_tokenizer_that_looks_for_them(
    token: str, opt_folder: Path, t5_folder: Path
) -> None:
    prompt = build(f"what is {token} or a{token}b?", count=words, budget=100)
    for folder in (opt_folder, t5_folder):
        tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        control = tokenizer.token_to_id(token)
        assert control in tokenizer.encode(f"what is {token}", add_special_tokens=False).ids
        unknown = tokenizer.token_to_id("<unk>")  # T5's id for any character that it does not know
        assert control == unknown or control not in tokenizer.encode(prompt.text, add_special_tokens=False).ids
