"""What all votes say, as the page shows it."""

import re

import pytest

from blip2.tally import Pair, tally
from blip2.ui.compare_results import NONE, results, unusable, verdict

TITLES = {"opt": "Big OPT", "t5": "Big T5"}


def test_without_votes_it_says_how_they_come_about():
    assert results(tally([]), TITLES) == NONE


@pytest.mark.parametrize(
    ("pair", "said"),
    [
        (Pair("opt", "t5", ties=2), "No vote has decided"),
        (Pair("opt", "t5", 2, 1), "Big OPT won 67% of 3 decided votes (95% interval 21% to 94%): too close"),
        (Pair("opt", "t5", 2, 30), "Big T5 won 94% of 32 decided votes (95% interval 80% to 98%): it is ahead"),
        (Pair("opt", "t5", 1, 0), "of 1 decided vote (95"),
    ],
)
def test_the_verdict_is_careful(pair: Pair, said: str):
    assert said in verdict(pair, "Big OPT", "Big T5")


def test_counts_are_read_and_seen():
    shown = results(tally([Pair("opt", "t5", 3, 1, 2, 0, blind=4, visitors=2)]), TITLES)
    assert "6 votes by 2 visitors, 4 of them blind" in shown
    assert [int(count) for count in re.findall(r"<dd>(\d+)</dd>", shown)] == [3, 2, 0, 1]
    assert re.findall(r"flex-grow:(\d+)", shown) == ["3", "2", "1"], "no part for what nobody chose"
    assert "Win rate of Big OPT over Big T5: 75%" in shown
    dot = re.search(r'class="dot" cx="([\d.]+)"', shown)
    assert dot
    assert float(dot[1]) == 75.0, "a quarter from the left, where the first one always wins"
    assert "Ranking" not in shown


def test_three_models_are_ranked():
    shown = results(tally([Pair("opt", "t5", 5, 1), Pair("opt (method greedy)", "opt", 2, 0)]), TITLES)
    assert re.findall(r"<td>(\d)</td><th", shown) == ["1", "2", "3"]
    assert '<th scope="row">Big OPT (method greedy)</th>' in shown


def test_names_and_sentences_are_no_markup():
    shown = results(tally([Pair("<b>x</b>", "t5", 1)]), {})
    assert "<b>x" not in shown
    assert "<i>" not in unusable("The file <i>x</i> is damaged.")
