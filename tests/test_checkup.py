"""Known answers of a model that is serving, step by step."""

from collections.abc import Generator, Iterator
from contextvars import ContextVar
from pathlib import Path

import pytest
from PIL import Image

from blip2 import checkup, published
from blip2.backends.local import LocalBackend
from blip2.backends.scripted import ScriptedBackend
from blip2.published import Answer, KnownPicture
from blip2.values import Chunk, Decoding, ModelInfo, Request

MODELS = tuple(ModelInfo(f"pocket/{kind}", f"Pocket {kind}", kind, "pocket", pocket=True) for kind in ("opt", "itm"))
PLAIN = ModelInfo("scripted/t5", "Scripted T5", "t5", "scripted")


def test_a_bundled_model_is_well_and_its_steps_lead_up_to_that() -> None:
    backend = LocalBackend(["blip2/pocket"], device="cpu")
    steps = list(checkup.running(backend, "blip2/pocket", scenes=3))
    backend.close()
    shares = [step.share for step in steps]
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    assert steps[-2].doing == "Asking about scene 3 of 3"
    found = steps[-1].found
    assert found["ok"] is True
    assert found["scenes"]["scenes"] == 3
    assert found["scenes"]["right"] > 0.8
    assert len(found["self_check"]) >= 5
    assert found["loaded"]["note"].startswith("auto picked")


@pytest.mark.parametrize("model", [info.name for info in MODELS])
def test_a_model_that_knows_nothing_is_not_well(model: str) -> None:
    *_, last = checkup.running(ScriptedBackend(default="a wrong answer", models=MODELS), model, scenes=2)
    assert last.found["ok"] is False
    assert last.found["error"] == ""
    assert last.found["scenes"]["right"] < 0.8


def test_a_model_without_known_answers_is_well() -> None:
    *_, last = checkup.running(ScriptedBackend(models=(PLAIN,)), PLAIN.name)
    assert (last.found["ok"], last.found["published"], last.found["scenes"]) == (True, [], None)


def test_published_answers_are_asked_for(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    Image.new("RGB", (8, 8), "red").save(tmp_path / "red.png")
    known = Answer("T1", PLAIN.name, KnownPicture("red.png", "here"), "what", "red", Decoding(), "float32", "here")
    gone = Answer("T2", PLAIN.name, KnownPicture("no.png", "there"), "what", "red", Decoding(), "float32", "here")
    monkeypatch.setattr(published, "ANSWERS", (known, gone))
    monkeypatch.setattr(checkup, "PICTURES", tmp_path)
    for said, agrees in (("red", True), ("blue", False)):
        steps = list(checkup.running(ScriptedBackend({"what": said}, models=(PLAIN,)), PLAIN.name))
        rows = steps[-1].found["published"]
        assert [row["agrees"] for row in rows] == [agrees, None]
        assert "no.png is not at hand" in rows[1]["skipped"]
        assert steps[-1].found["ok"] is agrees
        assert [step.doing for step in steps[1:3]] == [f"Asking for the published answer {id}" for id in ("T1", "T2")]


def test_closing_it_stops_asking() -> None:
    backend = ScriptedBackend(default="a dog", models=MODELS)
    steps = checkup.running(backend, "pocket/opt", scenes=4)
    while next(steps).doing != "Asking about scene 2 of 4":
        pass
    asked = backend.stats().steps["pocket/opt"]
    assert isinstance(steps, Generator)
    steps.close()
    assert backend.stats().steps["pocket/opt"] == asked > 0


def test_what_is_not_loaded_is_a_sentence() -> None:
    backend = ScriptedBackend(models=MODELS)
    backend.unload("pocket/itm")
    for name in ("pocket/itm", "no/such"):
        *_, last = checkup.running(backend, name)
        assert last.share == 1.0
        assert not last.found["ok"]
        assert name in last.found["error"]


def test_the_threads_that_ask_know_whose_request_it_is() -> None:
    whose: ContextVar[str] = ContextVar("whose")
    seen: list[str] = []

    class Asked(ScriptedBackend):
        def generate(self, request: Request) -> Iterator[Chunk]:
            seen.append(whose.get("nobody"))
            return super().generate(request)

    whose.set("ann")
    *_, last = checkup.running(Asked(default="a dog", models=MODELS), MODELS[0].name, scenes=1)
    assert last.found["error"] == ""
    assert set(seen) == {"ann"}
