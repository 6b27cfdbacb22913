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


@pytest.mark.parametrize("key", ["opt", "t5"])
def test_answers(made: dict[str, Any], key: str) -> None:
    assert made[key]["all"] >= 0.9
    assert made[key]["unseen_wordings"] >= 0.8
    assert made[key]["unknowable"] >= 0.8


@pytest.mark.parametrize("key", ["opt", "t5"])
def test_follow_ups_need_the_history_and_have_it(made: dict[str, Any], key: str) -> None:
    assert made[key]["history"] >= 0.85
    assert made[key]["history_withheld"] <= made[key]["history"] / 2


@pytest.mark.parametrize("key", ["opt", "t5"])
def test_long_conversations_hold(made: dict[str, Any], key: str) -> None:
    turns = made[key]["by_turn"]
    assert len(turns) == 8
    assert sum(turns) / 8 >= 0.88
    assert min(turns) >= 0.75


@pytest.mark.parametrize("key", ["opt", "t5"])
def test_captions(made: dict[str, Any], key: str) -> None:
    assert made[key]["captions"] >= 0.8


def test_matching(made: dict[str, Any]) -> None:
    assert made["itm"]["hard_negatives"] >= 0.87
    assert made["itc"]["r1_of_100"] >= 0.9


@pytest.mark.parametrize("example", [pytest.param(example, id=example.path.stem) for example in load_examples()])
@pytest.mark.parametrize("key", ["opt", "t5"])
def test_the_examples_questions_are_answered_right(backend: Backend, example: Example, key: str) -> None:
    candidate, past = Candidate(backend, report.MODELS[key]), []
    for question in example.questions:
        past.append((question, candidate.reply(open_picture(example.path), question, past)))
    assert tuple(given for _, given in past) == example.answers
