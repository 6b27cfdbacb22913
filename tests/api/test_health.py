"""Alive, ready, and what Prometheus reads."""

import threading
from collections.abc import Callable
from typing import Any

from apiserver import HERE, MODELS, ask, scripted
from prometheus_client.parser import text_string_to_metric_families
from starlette.testclient import TestClient

from blip2.api.server import app
from blip2.api.service import Service
from blip2.backends.scripted import ScriptedBackend
from blip2.errors import NotACheckpoint
from blip2.settings import Settings
from blip2.values import ModelInfo

URL = "/v1/chat/completions"


class Loading(ScriptedBackend):
    """Describes its models only once it is told to go on."""

    def __init__(self) -> None:
        super().__init__(default="x")
        self.go = threading.Event()

    def describe(self, model: str) -> ModelInfo:
        self.go.wait(10)
        return super().describe(model)


class Broken(ScriptedBackend):
    def describe(self, model: str) -> ModelInfo:
        if model == "scripted/t5":
            raise NotACheckpoint("The folder holds no checkpoint; give another.")
        return super().describe(model)

    def stats(self) -> Any:
        from dataclasses import replace

        return replace(super().stats(), loaded=("scripted/opt", "scripted/itm"))


def test_while_loading_it_is_alive_and_not_ready() -> None:
    backend = Loading()
    with TestClient(app(Service(backend, Settings(models=MODELS))), HERE) as client:
        assert client.get("/healthz").json() == {"status": "alive"}
        ready = client.get("/readyz")
        assert (ready.status_code, ready.json()["phase"]) == (503, "loading")
        answer = client.post(URL, json=ask())
        assert answer.status_code == 503
        assert answer.json()["error"]["code"] == "loading"
        assert int(answer.headers["retry-after"]) > 0
        assert client.get("/v1/models").status_code == 200
        backend.go.set()
        for _ in range(1000):
            if client.get("/readyz").status_code == 200:
                break
        assert client.post(URL, json=ask()).status_code == 200


def test_a_model_that_cannot_be_loaded_is_named(client_for: Callable[..., TestClient]) -> None:
    client = client_for(Broken())
    ready = client.get("/readyz")
    assert ready.status_code == 503
    assert "scripted/t5" in ready.json()["reasons"][0]
    listed = {each["id"]: each["blip2"] for each in client.get("/v1/models").json()["data"]}
    assert "no checkpoint" in listed["scripted/t5"]["error"]
    assert client.post(URL, json=ask()).status_code == 200
    assert client.post(URL, json=ask(model="scripted/t5")).status_code == 503


def test_the_models_are_listed_with_a_stroke_at_the_end_too(client: TestClient) -> None:
    assert client.get("/v1/models/").json() == client.get("/v1/models").json()


def test_while_draining_it_takes_nothing_new(service: Service, client: TestClient) -> None:
    service.drain(0)
    assert client.get("/healthz").status_code == 200
    assert client.get("/readyz").json()["reasons"] == ["the server is draining"]
    answer = client.post(URL, json=ask())
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "stopping")


def metrics(client: TestClient) -> dict[tuple[str, tuple[str, ...]], float]:
    families = text_string_to_metric_families(client.get("/metrics").text)
    return {
        (sample.name, tuple(sorted(sample.labels.values()))): sample.value
        for family in families
        for sample in family.samples
    }


def test_the_metrics_count_what_was_asked(client_for: Callable[..., TestClient]) -> None:
    client = client_for(scripted(delay=0.005))
    for _ in range(2):
        client.post(URL, json=ask(stream=True, temperature=0))
    client.post(URL, json=ask(model="no such model, made up by a client"))
    client.get("/v1/nowhere/made/up")
    seen = metrics(client)
    assert seen["blip2_requests_total", ("/v1/chat/completions", "ok", "scripted/opt")] == 2
    assert seen["blip2_requests_total", ("", "/v1/chat/completions", "client_error")] == 1
    assert seen["blip2_tokens_total", ("scripted/opt",)] == 12
    for name in ("first_token", "turn", "queued"):
        assert seen[f"blip2_{name}_seconds_count", ("scripted/opt",)] == 2
    assert seen["blip2_inter_token_seconds_count", ("scripted/opt",)] > 0
    assert seen["blip2_image_cache_hits_total", ()] == 1
    assert seen["blip2_queue_length", ("scripted/opt",)] == 0
    assert seen["blip2_batch_size", ("scripted/opt",)] == 0
    assert seen["process_resident_memory_bytes", ()] > 1e6
    assert not [key for key in seen if any("made" in label for label in key[1])]
