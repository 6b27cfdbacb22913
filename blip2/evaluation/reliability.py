"""A finished run's reliability for a terminal, and the threshold that fulfils a wish."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from blip2.errors import BadSetting
from blip2.evaluation.calibration import Point, choose


def of(report: Mapping[str, Any], accuracy: float | None = None, coverage: float | None = None) -> dict[str, Any]:
    """The calibration of a report, with `threshold` for the wish (None: no threshold fulfils it, or none was made).

    Raises `BadSetting` for a share outside [0, 1].
    """
    for name, value in (("accuracy", accuracy), ("coverage", coverage)):
        if value is not None and not 0 <= value <= 1:
            raise BadSetting(f"The {name} is {value:g}; it must lie between 0 and 1.")
    made = dict(report["calibration"])
    wished = accuracy is not None or coverage is not None
    found = choose([Point(**point) for point in made["curve"]], accuracy, coverage) if wished else None
    return made | {"wish": {"accuracy": accuracy, "coverage": coverage}, "threshold": asdict(found) if found else None}


def card(made: Mapping[str, Any]) -> str:
    """The reliability diagram as a table, and the threshold in words."""
    lines = [
        f"confidence in {made['of']}, {made['n']} values:",
        f"{made['confidence']:.3f} on average, accuracy {made['accuracy']:.3f}",
        f"expected calibration error {made['ece']:.3f}, largest gap {made['mce']:.3f}, Brier score {made['brier']:.3f}",
        "",
        f"{'confidence':>13} {'n':>7} {'mean':>6} {'right':>6}",
    ]
    for each in made["bins"]:
        spread = f"{each['low']:.2f} - {each['high']:.2f}"
        bar = "█" * round(20 * each["accuracy"])
        lines.append(f"{spread:>13} {each['n']:7d} {each['confidence']:6.3f} {each['accuracy']:6.3f} {bar}")
    wish, found = made["wish"], made["threshold"]
    if found:
        lines += [
            "",
            f"From a confidence of {found['threshold']:.4f} on, {found['coverage']:.1%} are answered, "
            f"with an accuracy of {found['accuracy']:.3f}.",
        ]
    elif any(value is not None for value in wish.values()):
        lines += ["", "No threshold fulfils that wish."]
    return "\n".join(lines)
