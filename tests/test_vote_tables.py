"""Votes as tables: complete, and harmless in a spreadsheet."""

import csv
import io
import json
from dataclasses import replace

import pytest
from voting import OPT, a_vote

from blip2.tally import Pair, tally
from blip2.vote_tables import NONE, tally_csv, tally_text, votes_csv


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_the_counts_of_each_pair():
    (row,) = rows(tally_csv(tally([Pair("opt", "t5", 3, 1, 2, 1, 4, 2)])))
    assert (row["votes"], row["first_wins"], row["second_wins"]) == ("7", "3", "1")
    assert (row["ties"], row["both_wrong"], row["blind"], row["visitors"]) == ("2", "1", "4", "2")
    assert float(row["first_win_rate"]) == 0.75
    assert float(row["low_95"]) < 0.75 < float(row["high_95"])
    (empty,) = rows(tally_csv(tally([Pair("opt", "t5", ties=1)])))
    assert empty["first_win_rate"] == empty["low_95"] == ""


def test_a_vote_with_all_that_repeats_it():
    vote = a_vote("tie", blind=True, question='say "a, b"\nnow')
    (row,) = rows(votes_csv([vote]))
    assert (row["verdict"], row["blind"], row["swapped"]) == ("tie", "yes", "no")
    assert row["question"] == 'say "a, b"\nnow'
    assert (row["left_model"], row["left_answer"], row["right_answer"]) == ("opt", "a dog", "a cat")
    assert json.loads(row["left_decoding"]) == vote.left.decoding.to_json()
    assert row["right_revision"] == "r1"


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_no_cell_is_a_formula(text: str):
    (row,) = rows(votes_csv([a_vote(question=text, left=replace(OPT, answer=text))]))
    assert row["question"] == f"'{text}"
    assert row["left_answer"] == f"'{text}"
    (row,) = rows(tally_csv(tally([Pair(text, "t5", 1)])))
    assert row["first"] == f"'{text}"


def test_the_text_says_counts_rates_and_ranking():
    assert tally_text(tally([])) == NONE
    said = tally_text(tally([Pair("opt", "t5", 3, 1, visitors=1), Pair("big", "t5", 2, 0)]))
    assert said.startswith("6 votes; win rates over the decided ones")
    assert "win rate of opt: 75% (30% to 95%)" in said
    assert "1. big" in said
    assert "none decided yet" in tally_text(tally([Pair("opt", "t5", ties=1)]))
