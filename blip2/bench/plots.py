"""The figures as PNG: latency by workload, latency and throughput by visitors, share of the memory-speed floor."""

import re
from pathlib import Path
from typing import Any

from blip2.errors import BadSetting

COLOURS = {"ours": "#216c69", "best": "#b45309", "naive": "#94a3b8"}
STYLES = {"beam5": "-", "greedy": "--"}


def draw(report: dict[str, Any], folder: Path) -> list[Path]:
    """Write the plots that the report has figures for. Raises `BadSetting` where matplotlib is not installed."""
    try:
        import matplotlib
    except ImportError as error:
        raise BadSetting("Plots need matplotlib; install it with: pip install 'blip2-studio[bench]'.") from error

    matplotlib.use("agg")
    import matplotlib.pyplot as plt

    folder.mkdir(parents=True, exist_ok=True)
    rows: dict[str, dict[str, Any]] = report["rows"]
    alone = {name: row for name, row in rows.items() if not name.startswith(("visitors", "open_loop"))}
    latency = {name: {p: s["p50"] for p, s in row["seconds"].items()} for name, row in alone.items() if row["seconds"]}
    floors = {k: v for k, v in report["machine"].items() if isinstance(v, dict)}
    floor = {k: {"ours": v["share_of_floor"]} for k, v in floors.items() if v.get("share_of_floor")}
    made = []
    for title, unit, bars in (
        ("latency", "seconds, median", latency),
        ("floor", "share of the speed that memory allows, one visitor", floor),
    ):
        if bars:
            made.append(folder / f"{title}.png")
            _bars(plt, bars, unit, made[-1])
    for title, unit, of in (
        ("load_latency", "seconds a turn, median (95th percentile dotted)", "seconds"),
        ("load_throughput", "turns a second", "rate"),
    ):
        lines = by_visitors(rows, of)
        if lines:
            made.append(folder / f"{title}.png")
            _lines(plt, lines, unit, made[-1])
    return made


def by_visitors(rows: dict[str, dict[str, Any]], of: str) -> dict[str, dict[tuple[str, str, str], dict[int, float]]]:
    """By model: for each (peer, search, percentile or nothing) the figure by the number of visitors."""
    found: dict[str, dict[tuple[str, str, str], dict[int, float]]] = {}
    for name, row in rows.items():
        kind = re.fullmatch(r"visitors(\d+)_(\w+)@(.+)", name)
        if kind is None:
            continue
        count, search, model = int(kind[1]), kind[2], kind[3]
        for peer, value in row[of].items():
            parts = {p: value[p] for p in ("p50", "p95")} if isinstance(value, dict) else {"": value}
            for part, figure in parts.items():
                found.setdefault(model, {}).setdefault((peer, search, part), {})[count] = figure
    return found


def _bars(plt: Any, bars: dict[str, dict[str, float]], unit: str, path: Path) -> None:
    figure, axes = plt.subplots(figsize=(8, 0.6 + 0.55 * len(bars)), layout="constrained")
    for i, values in enumerate(bars.values()):
        for j, (peer, value) in enumerate(values.items()):
            place = i + (j - (len(values) - 1) / 2) * 0.27
            axes.barh(place, value, height=0.25, color=COLOURS[peer], label=peer if i == 0 else None)
            axes.text(value, place, f" {value:.2g}", va="center", fontsize=7)
    axes.set_yticks(range(len(bars)), list(bars), fontsize=8)
    axes.invert_yaxis()
    axes.set_xlabel(unit)
    _finish(plt, figure, [axes], path)


def _lines(plt: Any, models: dict[str, dict[tuple[str, str, str], dict[int, float]]], unit: str, path: Path) -> None:
    figure, grid = plt.subplots(1, len(models), figsize=(5 * len(models), 3.6), layout="constrained", squeeze=False)
    for axes, (model, lines) in zip(grid[0], models.items(), strict=True):
        for (peer, search, part), points in lines.items():
            xs, ys = zip(*sorted(points.items()), strict=True)
            style = ":" if part == "p95" else STYLES.get(search, "-")
            label = None if part == "p95" else f"{peer}, {search}"
            axes.plot(xs, ys, style, marker="o", markersize=4, color=COLOURS[peer], label=label)
        axes.set_title(model, fontsize=9)
        axes.set_xlabel("visitors at once")
        axes.set_ylabel(unit, fontsize=8)
        axes.set_xscale("log", base=2)
        axes.set_ylim(bottom=0)
    _finish(plt, figure, grid[0], path)


def _finish(plt: Any, figure: Any, grid: Any, path: Path) -> None:
    for axes in grid:
        axes.spines[["top", "right"]].set_visible(False)
        axes.legend(frameon=False, fontsize=8)
    figure.savefig(path, dpi=144)
    plt.close(figure)
