"""What is written when a run is complete: `report.json`, `predictions.jsonl` with scores, `report.html`."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from blip2.evaluation import figures, journal, run_folder
from blip2.evaluation.asking import sessions
from blip2.evaluation.calibration import calibrate
from blip2.evaluation.examples import Dataset
from blip2.evaluation.page import page
from blip2.evaluation.protocols import Protocol, differences
from blip2.evaluation.run_folder import About
from blip2.evaluation.scores import Scores

Rows = Mapping[str, Mapping[str, Any]]
FIRST = 20  # broken examples that are named


def write(
    folder: Path, about: About, protocol: Protocol, dataset: Dataset, rows: Rows, scores: Scores
) -> dict[str, Any]:
    """Write the three files of a finished run; returns what is in `report.json`."""
    made = build(about, protocol, dataset, rows, scores)
    ordered = [dict(rows[each.id]) | {"scores": scores.values[each.id]} for each in dataset.examples]
    journal.write_all(folder / journal.PREDICTIONS, ordered)
    journal.write_text(folder / run_folder.REPORT, json.dumps(made, indent=2, ensure_ascii=False) + "\n")
    journal.write_text(folder / run_folder.PAGE, page(made, dataset, rows, scores))
    return made


def build(about: About, protocol: Protocol, dataset: Dataset, rows: Rows, scores: Scores) -> dict[str, Any]:
    """The report as plain JSON values; figures in percent, times in seconds."""
    broken = [rows[each.id] for each in dataset.examples if "error" in rows[each.id]]
    seconds, count = sessions([dict(row) for row in rows.values()])
    sure = calibrate([one for one, _ in scores.sure], [right for _, right in scores.sure])
    return {
        "task": about.task,
        "dataset": dataset.name,
        "split": dataset.split,
        "n": len(dataset.examples),
        "limit": about.limit,
        "figures": {name: round(value, 6) for name, value in scores.figures.items()},
        "headline": scores.headline,
        "published": beside(about, scores.figures),
        "tables": scores.tables,
        "calibration": {"of": scores.sure_of, **sure.to_json()},
        "broken": {
            "n": len(broken),
            "first": [{name: row.get(name, "") for name in ("id", "image", "error")} for row in broken[:FIRST]],
        },
        "model": {
            "name": about.model,
            **{name: getattr(about, name) for name in ("title", "source", "revision", "dtype", "device", "image_size")},
        },
        "protocol": protocol.to_json(),
        "paper_and_lavis_differ": differences(protocol),
        "departures": departures(about, protocol, dataset),
        "notes": [*dataset.notes, *scores.notes],
        "seed": about.seed,
        "digest": about.digest,
        "seconds": round(seconds, 3),
        "examples_per_second": round(len(rows) / seconds, 4) if seconds else 0.0,
        "sessions": count,
        "shards": about.shards,
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
        "versions": about.versions,
    }


def beside(about: About, measured: Mapping[str, float]) -> list[dict[str, Any]]:
    """The published figures of this model on this task, each beside the one measured, if it was."""
    made = []
    for row in figures.of(about.model, about.task):
        own = measured.get(row.figure)
        made.append(
            {
                "figure": row.figure,
                "published": row.value,
                "measured": None if own is None else round(own, 2),
                "difference": None if own is None else round(own - row.value, 2),
                "protocol": row.protocol,
                "source": row.source,
                "note": row.note,
            }
        )
    return made


def departures(about: About, protocol: Protocol, dataset: Dataset) -> list[str]:
    """In what this run is not what its protocol asks for, one sentence each."""
    made = []
    if protocol.image_size and about.image_size != protocol.image_size:
        made.append(
            f"The protocol's pictures have {protocol.image_size} pixels a side; this model's {about.image_size}."
        )
    if about.limit is not None:
        made.append(f"Only the first {len(dataset.examples)} examples were asked.")
    if about.dtype in ("int8", "nf4"):
        made.append(f"The weights are in {about.dtype}; the published figures are of 16 or 32 bits.")
    return made


def card(made: Mapping[str, Any]) -> str:
    """The report in a few lines for a terminal."""
    model, protocol = made["model"], made["protocol"]
    lines = [
        f"{made['dataset']}, {made['split']}: {made['n']} examples",
        f"{model['name']} ({model['dtype']}, {model['device']}), protocol {protocol['name']}",
        "",
        *_figures(made),
    ]
    if made["calibration"]["n"]:
        lines.append(f"{'calibration error':22} {made['calibration']['ece']:7.3f}  of {made['calibration']['of']}")
    if made["broken"]["n"]:
        lines.append(
            f"{'broken':22} {made['broken']['n']:4d}     counted as wrong; {made['broken']['first'][0]['error']}"
        )
    rate = made["examples_per_second"]
    lines.append(f"{'examples a second':22} {rate:7.2f}  ({made['seconds']:.0f} s in {made['sessions']} sessions)")
    lines += [f"note: {text}" for text in (*made["departures"], *made["notes"])]
    return "\n".join(lines)


def _figures(made: Mapping[str, Any]) -> Sequence[str]:
    published: dict[str, str] = {}
    for row in made["published"]:
        if row["difference"] is not None and row["protocol"] == made["protocol"]["name"]:
            published.setdefault(row["figure"], f"  published {row['published']:g} ({row['difference']:+.2f})")
    return [f"{name:22} {value:7.2f}{published.get(name, '')}" for name, value in made["figures"].items()]
