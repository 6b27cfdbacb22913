"""The benchmark's figures as PNG: latency by workload, throughput by visitors, share of the memory-speed floor."""

from pathlib import Path
from typing import Any

COLOURS = {"ours": "#216c69", "best": "#b45309", "naive": "#94a3b8"}


def draw(report: dict[str, Any], folder: Path) -> list[Path]:
    """Write the plots that the report has figures for; needs matplotlib (the `bench` extra)."""
    import matplotlib

    matplotlib.use("agg")
    import matplotlib.pyplot as plt

    folder.mkdir(parents=True, exist_ok=True)
    rows: dict[str, dict[str, Any]] = report["rows"]
    latency = {name: {p: s["p50"] for p, s in row["seconds"].items()} for name, row in rows.items() if row["seconds"]}
    throughput = {name: row["rate"] for name, row in rows.items() if name.startswith("visitors")}
    floors = {k: v for k, v in report["machine"].items() if isinstance(v, dict)}
    floor = {k: {"ours": v["share_of_floor"]} for k, v in floors.items() if v.get("share_of_floor")}
    made = []
    for title, unit, bars in (
        ("latency", "seconds a turn, median", latency),
        ("throughput", "turns a second", throughput),
        ("floor", "share of the speed that memory allows", floor),
    ):
        if bars:
            made.append(folder / f"{title}.png")
            _bars(plt, bars, unit, made[-1])
    return made


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
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, fontsize=8)
    figure.savefig(path, dpi=144)
    plt.close(figure)
