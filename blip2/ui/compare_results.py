"""What all votes say, as HTML: a bar of counts and an interval for each pair of models, and a ranking. Pure."""

from collections.abc import Mapping
from html import escape

from blip2.tally import Interval, Pair, Standing, Tally

NONE = (
    '<div class="empty"><h2>No votes yet</h2><p>Ask a question, compare the two answers and choose the better one; '
    "the counts for each pair of models stand here then.</p></div>"
)
METHOD = (
    "A win rate is a share of the decided votes; ties and “both wrong” are counted, but do not move it. The intervals "
    "are Wilson's, 95%, and take votes as independent of each other."
)
RANKED = (
    "Strength is the share of wins to expect against each other model, on average (Bradley-Terry): a win against a "
    "strong model counts for more."
)
Titles = Mapping[str, str]


def results(tally: Tally, titles: Titles) -> str:
    """All pairs, the one with most votes first; the ranking before them if there are more than two models."""
    if not tally.pairs:
        return NONE
    ranking = _ranking(tally.ranking, titles) if tally.ranking else ""
    pairs = "".join(_pair(pair, titles) for pair in tally.pairs)
    return f'<div class="results">{ranking}{pairs}<p class="method">{METHOD}</p></div>'


def unusable(sentence: str) -> str:
    """In place of the results: why there are none."""
    return f'<div class="results"><p class="failure" role="alert">{escape(sentence)}</p></div>'


def verdict(pair: Pair, first: str, second: str) -> str:
    """What the counts say, in a sentence."""
    rate, interval = pair.rate, pair.interval
    if rate is None:
        return "No vote has decided between them yet."
    ahead, share, ends = (first, rate, interval) if rate >= 0.5 else (second, 1 - rate, _turned(interval))
    found = f"{ahead} won {share:.0%} of {_votes(pair.decided, 'decided vote')} (95% interval {_ends(ends)})"
    if interval.low <= 0.5 <= interval.high:
        return f"{found}: too close, or too few votes, to say which is better."
    return f"{found}: it is ahead."


def _pair(pair: Pair, titles: Titles) -> str:
    first, second = _title(pair.first, titles), _title(pair.second, titles)
    about = f"{_votes(pair.votes)} by {_votes(pair.visitors, 'visitor')}, {pair.blind} of them blind"
    return (
        f'<section class="contest"><h3>{escape(first)} <i>and</i> {escape(second)}</h3><p class="about">{about}</p>'
        f"{_bar(pair)}{_table(pair, first, second)}{_whisker(pair, first, second)}"
        f"<p>{escape(verdict(pair, first, second))}</p></section>"
    )


def _bar(pair: Pair) -> str:
    """The counts as parts of one bar. The table under it says the same to those who cannot see it."""
    counts = (("first", pair.first_wins), ("tie", pair.ties), ("neither", pair.neither), ("second", pair.second_wins))
    parts = (f'<i class="{kind}" style="flex-grow:{count}">{count}</i>' for kind, count in counts if count)
    return f'<div class="bar" aria-hidden="true">{"".join(parts)}</div>'


def _table(pair: Pair, first: str, second: str) -> str:
    heads = (
        ("first", f"{first} better"),
        ("tie", "Equally good"),
        ("neither", "Both wrong"),
        ("second", f"{second} better"),
    )
    counts = (pair.first_wins, pair.ties, pair.neither, pair.second_wins)
    cells = "".join(
        f'<div><dt><i class="{kind}"></i>{escape(head)}</dt><dd>{count}</dd></div>'
        for (kind, head), count in zip(heads, counts, strict=True)
    )
    return f'<dl class="counts">{cells}</dl>'


def _whisker(pair: Pair, first: str, second: str) -> str:
    """The first one's win rate and interval on a line whose left end is 100%, as its part of the bar is left."""
    if pair.rate is None:
        return ""
    low, high = pair.interval.low, pair.interval.high
    label = f"Win rate of {first} over {second}: {pair.rate:.0%}, 95% interval {_ends(pair.interval)}"
    left, wide, dot = (1 - high) * 300, (high - low) * 300, (1 - pair.rate) * 300
    return (
        f'<svg class="whisker" viewBox="-8 0 316 24" role="img" aria-label="{escape(label)}">'
        '<line class="axis" x1="0" x2="300" y1="12" y2="12"/><line class="half" x1="150" x2="150" y1="3" y2="21"/>'
        f'<rect class="span" x="{left:.1f}" y="8" width="{wide:.1f}" height="8" rx="4"/>'
        f'<circle class="dot" cx="{dot:.1f}" cy="12" r="5"/></svg>'
        f'<p class="scale" aria-hidden="true"><span>{escape(first)} always better</span><span>even</span>'
        f"<span>{escape(second)} always better</span></p>"
    )


def _ranking(ranking: tuple[Standing, ...], titles: Titles) -> str:
    lines = "".join(
        f'<tr><td>{place}</td><th scope="row">{escape(_title(each.name, titles))}</th><td>{each.strength:.0%}</td>'
        f"<td>{each.wins}</td><td>{each.losses}</td><td>{each.ties}</td><td>{each.neither}</td><td>{_rate(each)}</td></tr>"
        for place, each in enumerate(ranking, 1)
    )
    heads = "".join(
        f'<th scope="col">{head}</th>'
        for head in ("", "Model", "Strength", "Won", "Lost", "Equal", "Both wrong", "Win rate (95%)")
    )
    return (
        f'<section class="contest"><h3>Ranking</h3><div class="wide" tabindex="0" role="region" aria-label="Ranking">'
        f"<table><thead><tr>{heads}</tr></thead><tbody>{lines}</tbody></table></div><p>{RANKED}</p></section>"
    )


def _rate(each: Standing) -> str:
    return "–" if each.rate is None else f"{each.rate:.0%} ({_ends(each.interval)})"


def _title(name: str, titles: Titles) -> str:
    """A contestant's title: its model's, with the settings behind it where they are part of the name."""
    if name in titles:
        return titles[name]
    model, space, settings = name.partition(" (")
    return f"{titles.get(model, model)}{space}{settings}"


def _votes(count: int, what: str = "vote") -> str:
    return f"{count} {what}{'s' if count != 1 else ''}"


def _turned(interval: Interval) -> Interval:
    return Interval(1 - interval.high, 1 - interval.low)


def _ends(interval: Interval) -> str:
    return f"{interval.low:.0%} to {interval.high:.0%}"
