"""The bundled checkpoints through the backend that serves them, on committed scenes that they were not trained on.

The floors lie under the figures of `assets/pocket/report.json`, which were measured on 2,000 scenes, by what chance
does to a few dozen.
"""

from collections.abc import Iterator
from typing import Any

import pytest

from blip2 import zoo
from blip2.backends.base import Backend
from blip2.backends.local import LocalBackend
from blip2.images import open_picture
from blip2.pocket import report
from blip2.pocket.committed import load_committed
from blip2.pocket.examiner import Candidate
from blip2.pocket.examples import Example, load_examples

SCENES = 32
FLOORS = [
    ("opt", "all", 0.9),
    ("opt", "history", 0.85),
    ("opt", "unseen_wordings", 0.85),
    ("opt", "unknowable", 0.85),
    ("opt", "captions", 0.85),
    ("t5", "all", 0.9),
    ("t5", "history", 0.85),
    ("t5", "unseen_wordings", 0.85),
    ("t5", "unknowable", 0.85),
    ("t5", "captions", 0.8),
]
ABSENT = [name for name in report.MODELS.values() if not (zoo.find(name).folder or zoo.ROOT / "none").is_dir()]
pytestmark = pytest.mark.skipif(
    bool(ABSENT), reason=f"BUNDLED WEIGHTS ARE MISSING: {', '.join(ABSENT)}; see `make pocket`"
)


@pytest.fixture(scope="module")
def backend() -> Iterator[Backend]:
    served = LocalBackend(list(report.MODELS.values()))
    yield served
    served.close()


@pytest.fixture(scope="module")
def made(backend: Backend) -> dict[str, Any]:
    return report.report(backend, load_committed(SCENES))


@pytest.mark.parametrize(("key", "figure", "floor"), FLOORS)
def test_answers(made: dict[str, Any], key: str, figure: str, floor: float) -> None:
    assert made[key][figure] >= floor


@pytest.mark.parametrize("key", ["opt", "t5"])
def test_follow_ups_need_the_history(made: dict[str, Any], key: str) -> None:
    assert made[key]["history_withheld"] <= made[key]["history"] / 2


@pytest.mark.parametrize(("key", "floor"), [("opt", 0.75), ("t5", 0.75)])
def test_long_conversations_hold(made: dict[str, Any], key: str, floor: float) -> None:
    turns = made[key]["by_turn"]
    assert len(turns) == 8
    assert min(turns) >= floor
    assert sum(turns) / 8 >= floor + 0.1


def test_matching(made: dict[str, Any]) -> None:
    assert made["itm"]["hard_negatives"] >= 0.95
    assert made["itc"]["r1_of_100"] >= 0.95


@pytest.mark.parametrize("example", [pytest.param(example, id=example.path.stem) for example in load_examples()])
def test_the_default_model_answers_the_examples_questions(backend: Backend, example: Example) -> None:
    assert answers(backend, "opt", example) == example.answers


def test_the_other_model_answers_most_of_them(backend: Backend) -> None:
    pairs = [pair for each in load_examples() for pair in zip(answers(backend, "t5", each), each.answers, strict=True)]
    assert sum(given == right for given, right in pairs) / len(pairs) >= 0.9


def answers(backend: Backend, key: str, example: Example) -> tuple[str, ...]:
    """What a model says to the example's questions, asked in order with its own answers as the history."""
    candidate, picture = Candidate(backend, report.MODELS[key]), open_picture(example.path)
    past: list[tuple[str, str]] = []
    for question in example.questions:
        past.append((question, candidate.reply(picture, question, past)))
    return tuple(given for _, given in past)
