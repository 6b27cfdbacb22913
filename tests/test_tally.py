"""What votes say: intervals against their definition, rankings against an obvious slow search."""

import math

import pytest

from blip2.tally import Pair, Z, ranked, tally, wilson


@pytest.mark.parametrize(("wins", "decided"), [(0, 1), (1, 1), (1, 3), (8, 10), (50, 100), (999, 1000)])
def test_the_ends_of_an_interval_are_the_shares_that_just_fit(wins: int, decided: int):
    found = wilson(wins, decided)
    for end in (found.low, found.high):
        if end in (0.0, 1.0):
            continue
        assert abs(wins / decided - end) == pytest.approx(Z * math.sqrt(end * (1 - end) / decided), rel=1e-9)
    assert 0 <= found.low <= wins / decided <= found.high <= 1


def test_a_published_interval():
    # 8 of 10: 0.4902 to 0.9433 in the usual tables of the score interval
    assert wilson(8, 10).low == pytest.approx(0.49016, abs=1e-5)
    assert wilson(8, 10).high == pytest.approx(0.94332, abs=1e-5)


def test_without_decided_votes_everything_is_possible():
    pair = Pair("a", "b", ties=3, neither=2)
    assert pair.rate is None
    assert pair.interval.to_json() == [0.0, 1.0]
    assert (pair.votes, pair.decided) == (5, 0)
    assert pair.to_json()["first_win_rate_95"] is None


def test_ties_are_counted_but_move_no_rate():
    assert Pair("a", "b", 3, 1, ties=90).rate == Pair("a", "b", 3, 1).rate == 0.75
    assert Pair("a", "b", 3, 1, ties=90).interval == Pair("a", "b", 3, 1).interval


def test_two_models_need_no_ranking_and_the_larger_pair_comes_first():
    assert tally([Pair("a", "b", 9, 1)]).ranking == ()
    assert [pair.second for pair in tally([Pair("a", "b", 1), Pair("a", "c", 2)]).pairs] == ["c", "b"]


def likelihood(strengths: dict[str, float], pairs: list[Pair]) -> float:
    """Of the Bradley-Terry model, with half a win each way between all."""
    names = list(strengths)
    wins = {(one, other): 0.5 for one in names for other in names if one != other}
    for pair in pairs:
        wins[pair.first, pair.second] += pair.first_wins
        wins[pair.second, pair.first] += pair.second_wins
    return sum(
        n * (strengths[a] - math.log(math.exp(strengths[a]) + math.exp(strengths[b]))) for (a, b), n in wins.items()
    )


def climbed(pairs: list[Pair]) -> dict[str, float]:
    """The likeliest strengths (logarithms), found by trying small steps one after the other."""
    found = dict.fromkeys(sorted({name for pair in pairs for name in (pair.first, pair.second)}), 0.0)
    step = 1.0
    while step > 1e-7:
        tries = [{**found, name: found[name] + way * step} for name in found for way in (-1, 1)]
        best = max(tries, key=lambda each: likelihood(each, pairs))
        if likelihood(best, pairs) > likelihood(found, pairs):
            found = best
        else:
            step /= 2
    return found


def test_the_ranking_is_the_likeliest_one():
    pairs = [Pair("a", "b", 7, 3), Pair("b", "c", 6, 2, ties=4), Pair("a", "c", 0, 0, neither=2), Pair("c", "d", 5, 0)]
    logs = climbed(pairs)
    for standing in ranked(pairs):
        others = [name for name in logs if name != standing.name]
        expected = sum(1 / (1 + math.exp(logs[other] - logs[standing.name])) for other in others) / len(others)
        assert standing.strength == pytest.approx(expected, abs=1e-4)
    assert [standing.name for standing in ranked(pairs)] == ["a", "b", "c", "d"]


def test_a_win_against_a_strong_one_counts_for_more():
    pairs = [Pair("strong", "weak", 20, 1), Pair("good", "strong", 3, 3), Pair("fair", "weak", 3, 3)]
    assert [standing.name for standing in ranked(pairs)] == ["strong", "good", "fair", "weak"]
    good = next(standing for standing in ranked(pairs) if standing.name == "good")
    assert (good.wins, good.losses, good.rate) == (3, 3, 0.5)


def test_one_that_never_lost_has_a_finite_strength():
    (best, *_) = ranked([Pair("a", "b", 5, 0), Pair("a", "c", 5, 0)])
    assert best.name == "a"
    assert 0.5 < best.strength < 1
