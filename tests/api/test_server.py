"""The server alone: started by its command, stopped by SIGTERM, which finishes streams or ends them with an event."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from apiserver import MODELS, ask, soon

from blip2.api.server import Server, app, serve
from blip2.api.service import Service
from blip2.backends.scripted import ScriptedBackend
from blip2.errors import BadSetting
from blip2.settings import Settings
from blip2.values import Chunk, Request

ROOT = Path(__file__).resolve().parents[2]
URL = "/v1/chat/completions"


class Held(ScriptedBackend):
    """Writes on only once it is told to, or cancelled."""

    def __init__(self) -> None:
        super().__init__(default="a b c d e")
        self.go = threading.Event()

    def generate(self, request: Request) -> Iterator[Chunk]:
        for chunk in super().generate(request):
            yield chunk
            self.go.wait(30)

    def cancel(self, request_id: str) -> None:
        super().cancel(request_id)
        self.go.set()


@contextmanager
def running(backend: Held, drain: float) -> Iterator[tuple[Server, str]]:
    """A server that drains, on a thread."""
    service = Service(backend, Settings(models=MODELS, drain=drain))
    service.warm().join()
    config = uvicorn.Config(app(service), port=0, log_config=None, access_log=False, timeout_graceful_shutdown=5)
    server = Server(config, service)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    assert soon(lambda: server.started)
    yield server, f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    thread.join(30)
    assert not thread.is_alive()


def events(response: httpx.Response) -> Iterator[Any]:
    for line in response.iter_lines():
        if line.startswith("data: ") and line != "data: [DONE]":
            yield json.loads(line.removeprefix("data: "))


def test_a_stop_lets_streams_finish_and_takes_nothing_new() -> None:
    backend = Held()
    with running(backend, drain=60.0) as (server, address):
        with httpx.stream("POST", address + URL, json=ask(stream=True, temperature=0), timeout=60) as response:
            stream = events(response)
            assert next(stream)["choices"][0]["delta"]["role"] == "assistant"
            server.handle_exit(signal.SIGTERM, None)
            assert soon(lambda: httpx.get(f"{address}/readyz").json()["phase"] == "draining")
            refused = httpx.post(address + URL, json=ask())
            assert not server.should_exit
            backend.go.set()
            rest = list(stream)
        assert (refused.status_code, refused.json()["error"]["code"]) == (503, "stopping")
        assert "".join(each["choices"][0]["delta"].get("content", "") for each in rest) == "a b c d e"
        assert rest[-1]["choices"][0]["finish_reason"] == "stop"


def test_a_stop_ends_what_does_not_finish_in_time_with_an_event() -> None:
    with (
        running(Held(), drain=0.1) as (server, address),
        httpx.stream("POST", address + URL, json=ask(stream=True, temperature=0), timeout=60) as response,
    ):
        stream = events(response)
        next(stream)
        server.handle_exit(signal.SIGTERM, None)
        assert list(stream)[-1]["error"]["code"] == "stopping"


def test_the_command_serves_a_real_model_and_stops_on_sigterm(opt_folder: Path) -> None:
    command = [sys.executable, "-m", "blip2", "serve", "--no-ui", "--port", "0", "--models", str(opt_folder)]
    environment = {**os.environ, "BLIP2_DRAIN": "0.5", "BLIP2_LOG_JSON": "yes", "PYTHONUNBUFFERED": "1"}
    process = subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line.startswith("The API is ready: http://127.0.0.1:")
        address = line.split()[-1].removesuffix("/v1")
        assert soon(lambda: httpx.get(f"{address}/readyz", timeout=60).status_code == 200, 240)
        body = ask(stream=True, temperature=0, max_tokens=200, min_tokens=200)
        with httpx.stream("POST", address + URL, json=body, timeout=60) as response:
            stream = events(response)
            assert "choices" in next(stream)
            process.send_signal(signal.SIGTERM)
            last = list(stream)[-1]
        assert "error" in last or last["choices"][0]["finish_reason"] == "length"
        _, errors = process.communicate(timeout=60)
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 0
    assert "Traceback" not in errors
    logged = [json.loads(each) for each in errors.splitlines() if each.startswith("{")]
    assert [each["route"] for each in logged if "route" in each] == [URL]


def test_a_taken_port_is_a_sentence() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(BadSetting, match=f"port {port}.*--port"):
            serve(Settings(models=MODELS, port=port), ScriptedBackend())
