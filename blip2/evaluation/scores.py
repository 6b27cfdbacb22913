"""What scoring makes of a run: figures, tables and the value of each example. It knows no metric.

Values of an example are a number, or (sum, how many) where an example stands for several queries; a figure is 100 times
their mean.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from blip2.evaluation.examples import Example

Value = float | tuple[float, int]


@dataclass(frozen=True, slots=True)
class Scores:
    """`figures` in percent (CIDEr as papers print it), the one that counts, tables {title: {group: {column: value}}},
    each example's `values`, and pairs of (confidence, how right) for calibration."""

    figures: dict[str, float]
    headline: str
    tables: dict[str, dict[str, dict[str, float]]]
    values: dict[str, dict[str, Value]] = field(repr=False)
    sure: tuple[tuple[float, float], ...] = field(default=(), repr=False)
    sure_of: str = "the answer"
    notes: tuple[str, ...] = ()


def table(
    examples: Sequence[Example], values: Mapping[str, dict[str, Value]], group: Callable[[Example], str]
) -> dict[str, dict[str, float]]:
    """Figures of each group, the largest group first, with how many examples it has."""
    members: dict[str, dict[str, dict[str, Value]]] = {}
    for example in examples:
        members.setdefault(group(example) or "(none)", {})[example.id] = values[example.id]
    order = sorted(members, key=lambda name: (-len(members[name]), name))
    return {name: means(members[name]) | {"n": len(members[name])} for name in order}


def means(values: Mapping[str, Mapping[str, Value]]) -> dict[str, float]:
    """Each figure: 100 times the mean of its values."""
    sums: dict[str, float] = {}
    counts: dict[str, int] = {}
    for each in values.values():
        for name, value in each.items():
            total, n = value if isinstance(value, tuple) else (value, 1)
            sums[name] = sums.get(name, 0.0) + total
            counts[name] = counts.get(name, 0) + n
    return {name: 100 * sums[name] / counts[name] if counts[name] else 0.0 for name in sums}


def mean(value: Value) -> float:
    """A value as one number."""
    if isinstance(value, tuple):
        return value[0] / value[1] if value[1] else 0.0
    return value
