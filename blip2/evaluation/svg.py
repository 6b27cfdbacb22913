"""Plots as inline SVG: they need no library or network, take the page's colours, and say in words what they show."""

from collections.abc import Sequence
from html import escape

from blip2.evaluation.calibration import Bin, Point

SIDE, LEFT, TOP = 260, 48, 14  # of the plotting area, and its margins


def reliability(bins: Sequence[Bin]) -> str:
    """Accuracy against confidence: a bar a bin, the diagonal is perfect; bars are fainter where few answers are."""
    most = max((each.n for each in bins), default=1)
    parts = [_line(0, 0, 1, 1, "ideal")]
    for each in bins:
        x, y = _x(each.low), _y(each.accuracy)
        width, height = SIDE * (each.high - each.low) - 1, SIDE * each.accuracy
        tip = f"{each.n} answers, confidence {each.confidence:.2f}, accuracy {each.accuracy:.2f}"
        opacity = 0.35 + 0.65 * (each.n / most) ** 0.5
        bar = f'<rect class="bar" x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}"'
        parts.append(f'{bar} opacity="{opacity:.2f}"><title>{tip}</title></rect>')
        parts.append(f'<circle class="dot" cx="{_x(each.confidence):.1f}" cy="{y:.1f}" r="2.5"/>')
    return _plot("Reliability: accuracy against confidence", "confidence", "accuracy", parts)


def coverage(curve: Sequence[Point]) -> str:
    """Accuracy of the answers given, against the share of questions answered, from the surest on."""
    ordered = sorted(curve, key=lambda point: point.coverage)
    points = " ".join(f"{_x(point.coverage):.1f},{_y(point.accuracy):.1f}" for point in ordered)
    return _plot(
        "Accuracy against coverage", "share answered", "accuracy", [f'<polyline class="curve" points="{points}"/>']
    )


def bars(rows: Sequence[tuple[str, float, str]], most: float | None = None) -> str:
    """Horizontal bars of (label, value, what is written at the end)."""
    top = most or max((value for _, value, _ in rows), default=1.0) or 1.0
    step, wide, names = 24, 300, 170
    parts = []
    for at, (label, value, text) in enumerate(rows):
        y = at * step
        width = max(0.0, wide * value / top)
        parts.append(f'<text x="{names - 8}" y="{y + 16}" text-anchor="end">{escape(_short(label, 26))}</text>')
        parts.append(f'<rect class="bar" x="{names}" y="{y + 5}" width="{width:.1f}" height="14" rx="2"/>')
        parts.append(f'<text x="{names + width + 6:.1f}" y="{y + 16}">{escape(text)}</text>')
    height = step * len(rows) + 6
    box = f"0 0 {names + wide + 110} {height}"
    return f'<svg class="plot wide" viewBox="{box}" role="img" aria-label="Bars">{"".join(parts)}</svg>'


def _plot(title: str, across: str, up: str, parts: Sequence[str]) -> str:
    """Axes from 0 to 1 with the parts inside."""
    grid = []
    for tick in (0.0, 0.25, 0.5, 0.75, 1.0):
        grid.append(f'<line class="grid" x1="{LEFT}" x2="{LEFT + SIDE}" y1="{_y(tick):.1f}" y2="{_y(tick):.1f}"/>')
        grid.append(f'<text x="{LEFT - 6}" y="{_y(tick) + 4:.1f}" text-anchor="end">{tick:g}</text>')
        grid.append(f'<text x="{_x(tick):.1f}" y="{TOP + SIDE + 16}" text-anchor="middle">{tick:g}</text>')
    middle = TOP + SIDE / 2
    words = (
        f'<text x="{LEFT + SIDE / 2}" y="{TOP + SIDE + 34}" text-anchor="middle">{across}</text>'
        f'<text x="12" y="{middle}" text-anchor="middle" transform="rotate(-90 12 {middle})">{up}</text>'
    )
    box = f"0 0 {LEFT + SIDE + 14} {TOP + SIDE + 40}"
    body = "".join((*grid, *parts, words))
    return f'<svg class="plot" viewBox="{box}" role="img" aria-label="{escape(title)}">{body}</svg>'


def _line(x1: float, y1: float, x2: float, y2: float, kind: str) -> str:
    return f'<line class="{kind}" x1="{_x(x1)}" y1="{_y(y1)}" x2="{_x(x2)}" y2="{_y(y2)}"/>'


def _x(value: float) -> float:
    return LEFT + SIDE * value


def _y(value: float) -> float:
    return TOP + SIDE * (1 - value)


def _short(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"
