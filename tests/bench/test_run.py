"""The benchmark on tiny shapes: every workload has its ratios beside its proof, and a wrong answer is noticed."""

import json
from pathlib import Path
from typing import Any

import pytest

from blip2.bench import plots, run, shapes, workloads
from blip2.bench.peers import Ask, Reply
from blip2.bench.run import Plan

PLAN = Plan(
    repeats=1, tokens=3, visitors=(1, 2), turns=2, captions=2, texts=3, pictures=3, few=2, greedy_visitors=False
)


@pytest.fixture(scope="module")
def report() -> dict[str, Any]:
    said: list[str] = []
    made = run.run(["tiny-opt", "tiny-t5", "tiny-itm"], PLAN, say=said.append)
    assert "same answers" in "\n".join(said)
    return made


def test_every_workload_has_ratios_beside_its_proof(report: dict[str, Any]) -> None:
    assert report["correct"] is True
    for workload in ("new_beam5", "followup_beam5", "followup_greedy", "visitors2_beam5", "captions2", "itm_1x3"):
        assert set(report["ratios"][workload]) == {"naive", "best"}
        assert all(ratio > 0 for ratio in report["ratios"][workload].values())
    assert report["ratios"]["picture_12mp"]["naive"] > 0
    assert all(row["correct"] is True for row in report["rows"].values())
    json.dumps(report)  # the last line is JSON


def test_a_ratio_is_the_least_of_the_models(report: dict[str, Any]) -> None:
    ratios = report["ratios"]
    for peer in ("naive", "best"):
        both = [ratios[f"followup_beam5@{name}"][peer] for name in ("tiny-opt", "tiny-t5")]
        assert ratios["followup_beam5"][peer] == min(both)


def test_what_a_step_costs_is_told_beside_the_floor(report: dict[str, Any]) -> None:
    facts = report["machine"]["tiny-opt"]
    assert facts["step_ms"] > 0
    assert facts["floor_ms"] > 0
    assert facts["prompt_tokens_reused"] > 0
    assert facts["pictures_reused"] > 0


def test_a_peer_that_writes_something_else_is_noticed() -> None:
    class Liar:
        name, together = "best", True

        def ask(self, asks: list[Ask]) -> list[Reply]:
            return [Reply((7,) * ask.decoding.max_new_tokens, 1.0, 1.0) for ask in asks]

    peers, close = workloads.make_peers(shapes.make("tiny-opt"), shapes.make("tiny-opt"))
    try:
        assert [row.correct for row in workloads.single([peers[0], Liar()], 1, 3, 1)] == [False, False]
        assert workloads.captions([peers[0], Liar()], 2, 1, 3, 1).correct is False
    finally:
        close()


def test_the_figures_are_drawn(report: dict[str, Any], tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    drawn = plots.draw(report, tmp_path)
    assert {path.name for path in drawn} == {"latency.png", "load_latency.png", "load_throughput.png", "floor.png"}
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in drawn)
