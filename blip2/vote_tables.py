"""Votes and their tally as tables: text for a terminal, CSV for a spreadsheet."""

import json
from collections.abc import Iterable

from blip2.spreadsheets import csv_text
from blip2.tally import Interval, Tally
from blip2.votes import Side, Vote

PAIR_HEAD = (
    "first", "second", "votes", "first_wins", "second_wins", "ties", "both_wrong", "blind", "visitors",
    "first_win_rate", "low_95", "high_95",
)  # fmt: skip
VOTE_HEAD = ("id", "time", "visitor", "verdict", "blind", "swapped", "question", "picture")
SIDE_HEAD = (
    "model", "source", "revision", "dtype", "answer", "prompt", "mode", "decoding", "seed", "new_tokens", "seconds",
    "confidence",
)  # fmt: skip
NONE = "There are no votes yet."


def tally_csv(tally: Tally) -> str:
    """A line for each pair; rates are shares of the decided votes, with their 95% interval."""
    lines = []
    for pair in tally.pairs:
        rate = (f"{pair.rate:.4f}", *_ends(pair.interval)) if pair.rate is not None else ("", "", "")
        counts = (pair.votes, pair.first_wins, pair.second_wins, pair.ties, pair.neither, pair.blind, pair.visitors)
        lines.append((pair.first, pair.second, *counts, *rate))
    return csv_text(PAIR_HEAD, lines)


def votes_csv(votes: Iterable[Vote]) -> str:
    """A line for each vote, with all that is kept of it."""
    head = (*VOTE_HEAD, *(f"{side}_{name}" for side in ("left", "right") for name in SIDE_HEAD))
    return csv_text(
        head,
        ((*(getattr(vote, name) for name in VOTE_HEAD), *_side(vote.left), *_side(vote.right)) for vote in votes),
    )


def tally_text(tally: Tally) -> str:
    """The tally for a terminal."""
    if not tally.pairs:
        return NONE
    lines = [
        f"{tally.votes} vote{'s' if tally.votes != 1 else ''}; win rates over the decided ones, 95% Wilson intervals"
    ]
    for pair in tally.pairs:
        lines += [
            "",
            f"{pair.first}  against  {pair.second}",
            f"  votes {pair.votes} ({pair.blind} blind, {pair.visitors} visitor{'s' if pair.visitors != 1 else ''})",
            f"  {pair.first} won {pair.first_wins}, {pair.second} won {pair.second_wins}, "
            f"ties {pair.ties}, both wrong {pair.neither}",
            f"  win rate of {pair.first}: {_rate(pair.rate, pair.interval)}",
        ]
    if tally.ranking:
        lines += ["", "ranking (expected share of wins against each other model, Bradley-Terry)"]
    for place, standing in enumerate(tally.ranking, 1):
        counted = f"{standing.wins} won, {standing.losses} lost, {_rate(standing.rate, standing.interval)}"
        lines.append(f"  {place}. {standing.name}  {standing.strength:.0%}  ({counted})")
    return "\n".join(lines)


def _rate(rate: float | None, interval: Interval) -> str:
    if rate is None:
        return "none decided yet"
    return f"{rate:.0%} ({interval.low:.0%} to {interval.high:.0%})"


def _ends(interval: Interval) -> tuple[str, str]:
    return f"{interval.low:.4f}", f"{interval.high:.4f}"


def _side(side: Side) -> Iterable[object]:
    kept = side.to_json() | {"decoding": json.dumps(side.decoding.to_json())}
    return (kept[name] for name in SIDE_HEAD)
