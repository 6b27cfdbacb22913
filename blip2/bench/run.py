"""Run the workloads and print a card for people, then one line of JSON: `python -m blip2 bench --quick`.

`ratios` says for each workload how many times faster the engine is than `naive` (the usual app) and `best` (stock
transformers at its best); `correct` is true only if every workload's answers were the same for all peers.
"""

import json
import platform
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from blip2.bench import matching, pictures, shapes, workloads
from blip2.bench.peers import Ours
from blip2.bench.workloads import Row, percentiles
from blip2.loading import LoadedModel


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is run: repetitions, answer length, visitors and their turns, captions, texts, pictures.

    `few` bounds what the naive peer does.
    """

    repeats: int = 3
    tokens: int = 12
    visitors: tuple[int, ...] = (1, 4, 16, 64)
    turns: int = 4
    captions: int = 48
    texts: int = 100
    pictures: int = 1000
    few: int = 8
    greedy_visitors: bool = True


QUICK = Plan(
    repeats=1, tokens=8, visitors=(16,), turns=2, captions=8, texts=100, pictures=16, few=2, greedy_visitors=False
)
Say = Callable[[str], None]


def run(
    names: Sequence[str], plan: Plan, device: str = "cpu", dtype: str = "float32", say: Say = print
) -> dict[str, Any]:
    """All workloads on each shape or model named. Returns the report that the last line prints."""
    rows: dict[str, list[Row]] = {}
    speed = bandwidth(device)
    facts: dict[str, Any] = {"read_gb_per_second": round(speed / 1e9, 1)}
    for name in names:
        say(f"\n{name} ({dtype}, {device})")
        loaded = shapes.make(name, getattr(torch, dtype), device)
        # On a CPU the engine lays the weights out anew; the others keep stock ones. A GPU need not hold them twice.
        stock = shapes.make(name, getattr(torch, dtype), device) if device == "cpu" else loaded
        if loaded.info.family == "itm":
            rows[name] = _matching(loaded, stock, plan)
        else:
            rows[name] = _talking(loaded, stock, plan, speed, facts)
        for row in rows[name]:
            say(card(row))
        del loaded, stock
    every = {f"{row.workload}@{name}": ratios(row) for name, each in rows.items() for row in each if ratios(row)}
    worst: dict[str, dict[str, float]] = {}  # by workload: the least of the models
    for key, value in every.items():
        least = worst.setdefault(key.split("@")[0], dict(value))
        for peer, ratio in value.items():
            least[peer] = min(least.get(peer, ratio), ratio)
    return {
        "correct": all(row.correct for each in rows.values() for row in each),
        "ratios": worst | every,
        "rows": {f"{row.workload}@{n}": figures(row) for n, each in rows.items() for row in each},
        "machine": {
            "processor": platform.processor() or platform.machine(),
            "threads": torch.get_num_threads(),
            "torch": torch.__version__,
            "device": torch.cuda.get_device_name() if device.startswith("cuda") else "cpu",
            "peak_memory_gb": round(peak(device) / 1e9, 2),
            **facts,
        },
    }


def _talking(loaded: LoadedModel, stock: LoadedModel, plan: Plan, speed: float, facts: dict[str, Any]) -> list[Row]:
    floor = shapes.lm_bytes(stock) / speed
    peers, close = workloads.make_peers(loaded, stock)
    try:
        rows = [row for beams in (1, 5) for row in workloads.single(peers, beams, plan.tokens, plan.repeats)]
        for count in plan.visitors:
            for beams in (1, 5) if plan.greedy_visitors else (5,):
                rows.append(workloads.visitors(peers, count, plan.turns, beams, plan.tokens, plan.few))
        rows.append(workloads.captions(peers, plan.captions, 5, plan.tokens, plan.few))
        capacity = next(row.rate["ours"] for row in reversed(rows) if row.workload.startswith("visitors"))
        ours = peers[0]
        assert isinstance(ours, Ours)
        rows.append(workloads.open_loop(ours, capacity / 2, 4 * plan.few, 5, plan.tokens))
        step = statistics.median(next(r for r in rows if r.workload == "followup_greedy").notes["inter_token"])
        prefixes, images = ours.engine.prefixes, ours.engine.images
        facts[loaded.info.name] = {
            "step_ms": round(1000 * step, 2),
            "floor_ms": round(1000 * floor, 2),
            "share_of_floor": round(floor / step, 2) if step else None,
            "prompt_tokens_reused": round(prefixes.reused / max(1, prefixes.reused + prefixes.read), 2),
            "pictures_reused": round(images.hits / max(1, images.hits + images.misses), 2),
        }
        return rows
    finally:
        close()


def _matching(loaded: LoadedModel, stock: LoadedModel, plan: Plan) -> list[Row]:
    return [
        matching.itm(loaded, stock, plan.texts, plan.few),
        matching.index(loaded, stock, plan.pictures, plan.few),
        pictures.large(loaded.info.image_size, plan.repeats),
    ]


def first_answer(picture: Path) -> float:
    """Seconds from starting Python to the bundled model's first answer, imports included."""
    begun = time.perf_counter()
    command = [sys.executable, "-m", "blip2", "ask", str(picture), "what is in the picture?", "--json"]
    subprocess.run(command, check=True, capture_output=True)
    return time.perf_counter() - begun


def bandwidth(device: str, size: int = 256 << 20) -> float:
    """Bytes a second that a plain sum over memory reads: what a decoding step cannot beat."""
    block = torch.ones(size // 4, device=device)
    best = float("inf")
    for _ in range(4):
        begun = time.perf_counter()
        float(block.sum())
        best = min(best, time.perf_counter() - begun)
    return size / best


def peak(device: str) -> int:
    """The most memory used so far, in bytes: of the GPU, or of this process."""
    if device.startswith("cuda"):
        return torch.cuda.max_memory_allocated()
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def ratios(row: Row) -> dict[str, float]:
    """Ours over each peer."""
    found = {peer: row.ratio(peer) for peer in ("naive", "best")}
    return {peer: round(ratio, 2) for peer, ratio in found.items() if ratio is not None}


def figures(row: Row) -> dict[str, Any]:
    """A row for machines: percentiles in seconds, rates a second, ratios, correctness."""
    seconds = {peer: {k: round(v, 4) for k, v in percentiles(s).items()} for peer, s in row.seconds.items()}
    notes = {k: round(statistics.median(v), 4) if isinstance(v, list) else v for k, v in row.notes.items()}
    rate = {peer: round(value, 3) for peer, value in row.rate.items()}
    return {"correct": row.correct, "seconds": seconds, "rate": rate, "ratios": ratios(row), **notes}


def card(row: Row) -> str:
    """A row for people."""
    parts = [f"  {row.workload:<24}"]
    for peer in ("ours", "best", "naive"):
        if peer in row.rate:
            parts.append(f"{peer} {row.rate[peer]:8.2f}/s")
        elif row.seconds.get(peer):
            parts.append(f"{peer} {1000 * statistics.median(row.seconds[peer]):8.0f} ms")
    parts += [f"{ratio:6.2f}x {peer}" for peer, ratio in ratios(row).items()]
    parts.append("same answers" if row.correct else "DIFFERENT ANSWERS")
    return "  ".join(parts)


def main(names: Sequence[str], quick: bool, device: str, dtype: str, out: Path | None) -> int:
    """Run, print the card and the JSON line, and leave plots in `out`. Exit code 1 if any answer differed."""
    chosen = list(names) or ["bench-opt", "bench-t5", "bench-itm"]
    report = run(chosen, QUICK if quick else Plan(), device, dtype, lambda line: print(line, flush=True))
    example = Path(__file__).parents[2] / "assets" / "examples" / "beach.jpg"
    if example.exists():
        report["first_answer_seconds"] = round(first_answer(example), 2)
        print(f"\nStart to first answer with the bundled model: {report['first_answer_seconds']} s")
    if out is not None:
        from blip2.bench.plots import draw

        for path in draw(report, out):
            print(f"Drew {path}")
    print(json.dumps(report))
    return 0 if report["correct"] else 1
