"""What votes between models say: counts for each pair, win rates with their uncertainty, and a ranking.

Ties and "both wrong" are counted, but a win rate is taken over the decided votes alone: the others say nothing about
which answer was better. Pure arithmetic; it knows no file, no page and no model.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

Z = 1.959963984540054  # of the normal distribution, two-sided 95%
ROUNDS = 10_000  # of the ranking's iteration, at most


@dataclass(frozen=True, slots=True)
class Interval:
    """A 95% interval of a share, both ends in [0, 1]."""

    low: float
    high: float

    def to_json(self) -> list[float]:
        return [self.low, self.high]


@dataclass(frozen=True, slots=True)
class Pair:
    """The votes between two contestants, whichever side each stood on. `blind` of them without knowing the names."""

    first: str
    second: str
    first_wins: int = 0
    second_wins: int = 0
    ties: int = 0
    neither: int = 0
    blind: int = 0
    visitors: int = 0

    @property
    def votes(self) -> int:
        return self.decided + self.ties + self.neither

    @property
    def decided(self) -> int:
        return self.first_wins + self.second_wins

    @property
    def rate(self) -> float | None:
        """The first one's share of the decided votes; None without any."""
        return self.first_wins / self.decided if self.decided else None

    @property
    def interval(self) -> Interval:
        return wilson(self.first_wins, self.decided)

    def to_json(self) -> dict[str, Any]:
        return {
            "first": self.first,
            "second": self.second,
            "votes": self.votes,
            "first_wins": self.first_wins,
            "second_wins": self.second_wins,
            "ties": self.ties,
            "both_wrong": self.neither,
            "blind": self.blind,
            "visitors": self.visitors,
            "first_win_rate": self.rate,
            "first_win_rate_95": self.interval.to_json() if self.decided else None,
        }


@dataclass(frozen=True, slots=True)
class Standing:
    """A contestant over all its pairs. `strength` is its expected share of wins against each other one, on average."""

    name: str
    wins: int
    losses: int
    ties: int
    neither: int
    strength: float

    @property
    def rate(self) -> float | None:
        decided = self.wins + self.losses
        return self.wins / decided if decided else None

    @property
    def interval(self) -> Interval:
        return wilson(self.wins, self.wins + self.losses)

    def to_json(self) -> dict[str, Any]:
        decided = self.wins + self.losses
        return {
            "name": self.name,
            "strength": self.strength,
            "wins": self.wins,
            "losses": self.losses,
            "ties": self.ties,
            "both_wrong": self.neither,
            "win_rate": self.rate,
            "win_rate_95": self.interval.to_json() if decided else None,
        }


@dataclass(frozen=True, slots=True)
class Tally:
    """All votes: pairs, the one with most votes first, and a ranking where there are more than two contestants."""

    pairs: tuple[Pair, ...] = ()
    ranking: tuple[Standing, ...] = ()

    @property
    def votes(self) -> int:
        return sum(pair.votes for pair in self.pairs)

    def to_json(self) -> dict[str, Any]:
        return {
            "votes": self.votes,
            "pairs": [pair.to_json() for pair in self.pairs],
            "ranking": [standing.to_json() for standing in self.ranking],
        }


def tally(pairs: Sequence[Pair]) -> Tally:
    """The pairs in order, with their ranking."""
    ordered = tuple(sorted(pairs, key=lambda pair: (-pair.votes, pair.first, pair.second)))
    return Tally(ordered, ranked(ordered))


def wilson(wins: int, decided: int) -> Interval:
    """The 95% score interval of a share of `wins` among `decided`; all of [0, 1] without any.

    Its ends are the shares p with |wins/decided - p| = z * sqrt(p (1 - p) / decided) (E. B. Wilson, "Probable
    inference, the law of succession, and statistical inference", JASA 22, 1927), good for small counts too. It takes
    the votes as independent, which several votes of one visitor are not quite.
    """
    if not decided:
        return Interval(0.0, 1.0)
    share, square = wins / decided, Z * Z / decided
    centre = share + square / 2
    reach = Z * math.sqrt((share * (1 - share) + square / 4) / decided)
    return Interval(max(0.0, (centre - reach) / (1 + square)), min(1.0, (centre + reach) / (1 + square)))


def ranked(pairs: Sequence[Pair]) -> tuple[Standing, ...]:
    """The contestants by strength, if there are more than two: a win against a strong one counts for more.

    Strengths are those of the Bradley-Terry model, found by the MM iteration of D. R. Hunter, "MM algorithms for
    generalized Bradley-Terry models", Annals of Statistics 32, 2004, equation 3, over the decided votes and half a win
    each way between every two contestants, which keeps the strength of one that never lost finite.
    """
    names = sorted({name for pair in pairs for name in (pair.first, pair.second)})
    if len(names) < 3:
        return ()
    wins = {(one, other): 0.5 for one in names for other in names if one != other}
    for pair in pairs:
        wins[pair.first, pair.second] += pair.first_wins
        wins[pair.second, pair.first] += pair.second_wins
    worth = _worth(names, wins)
    standings = [_standing(name, pairs, _expected(name, worth)) for name in names]
    return tuple(sorted(standings, key=lambda standing: (-standing.strength, standing.name)))


def _worth(names: Sequence[str], wins: dict[tuple[str, str], float]) -> dict[str, float]:
    """Positive numbers with mean 1: the chance that `one` beats `other` is worth[one] / (worth[one] + worth[other])."""
    total = {name: sum(wins[name, other] for other in names if other != name) for name in names}
    met = {frozenset(pair): wins[pair] + wins[pair[::-1]] for pair in combinations(names, 2)}
    worth = dict.fromkeys(names, 1.0)
    for _ in range(ROUNDS):
        raw = {
            name: total[name]
            / sum(met[frozenset((name, other))] / (worth[name] + worth[other]) for other in names if other != name)
            for name in names
        }
        scale = len(names) / sum(raw.values())
        after = {name: value * scale for name, value in raw.items()}
        moved = max(abs(after[name] - worth[name]) for name in names)
        worth = after
        if moved < 1e-12:
            break
    return worth


def _expected(name: str, worth: dict[str, float]) -> float:
    shares = [worth[name] / (worth[name] + value) for other, value in worth.items() if other != name]
    return sum(shares) / len(shares)


def _standing(name: str, pairs: Sequence[Pair], strength: float) -> Standing:
    as_first = [pair for pair in pairs if pair.first == name]
    as_second = [pair for pair in pairs if pair.second == name]
    both = [*as_first, *as_second]
    return Standing(
        name,
        wins=sum(pair.first_wins for pair in as_first) + sum(pair.second_wins for pair in as_second),
        losses=sum(pair.second_wins for pair in as_first) + sum(pair.first_wins for pair in as_second),
        ties=sum(pair.ties for pair in both),
        neither=sum(pair.neither for pair in both),
        strength=strength,
    )
