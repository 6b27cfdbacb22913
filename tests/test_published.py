from pathlib import Path

import pytest

from blip2 import published, zoo


def test_every_answer_names_a_row_of_the_zoo_in_a_dtype_that_is_safe_for_it() -> None:
    for answer in published.ANSWERS:
        assert answer.dtype in zoo.find(answer.model).memory
    assert {answer.model for answer in published.ANSWERS} >= {
        "blip2_opt/pretrain_opt2.7b",
        "blip2_t5/pretrain_flant5xxl",
    }
    ids = [entry.id for entry in (*published.ANSWERS, *published.SCORES)]
    assert len(ids) == len(set(ids))


def test_caption_rows_are_asked_with_their_own_prompt() -> None:
    for answer in published.ANSWERS:
        row = zoo.find(answer.model)
        if row.prompt:
            assert answer.prompt == row.prompt


@pytest.mark.parametrize(
    ("given", "agrees"),
    [("singapore", True), (" Singapore ", True), ("marina bay, singapore", False), ("", False)],
)
def test_an_exact_answer_must_be_the_whole_answer(given: str, agrees: bool) -> None:
    answer = next(a for a in published.answers_of("blip2_t5/pretrain_flant5xxl") if a.id == "L7")
    assert answer.agrees(given) is agrees


def test_a_loose_answer_need_only_contain_the_word() -> None:
    answer = next(a for a in published.ANSWERS if not a.exact)
    assert answer.agrees("it is in Singapore.")
    assert not answer.agrees("it is in san diego")


def test_a_picture_is_found_by_name_and_refused_by_hash(tmp_path: Path) -> None:
    assert published.MERLION.find((tmp_path,)) is None
    (tmp_path / "merlion.png").write_bytes(b"another picture")
    assert published.MERLION.find((tmp_path / "none", tmp_path)) == tmp_path / "merlion.png"
    assert not published.MERLION.is_it("0" * 64)
    assert published.MERLION.is_it("f1f3b6a5" + "0" * 49 + "8951431")
    assert published.CATS.is_it("0" * 64)
