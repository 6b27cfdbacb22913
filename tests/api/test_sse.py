"""Streams of answers: pieces that add up, the usage at the end, errors early and late, and silence that is filled."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest
from apiserver import ask, events, listening, made, scripted
from starlette.testclient import TestClient

from blip2.backends.scripted import ScriptedBackend

URL = "/v1/chat/completions"


@pytest.mark.parametrize("fields", [{"temperature": 0}, {"temperature": 0.7, "seed": 3}, {}, {"num_beams": 3}])
def test_a_stream_adds_up_to_the_whole_answer(client: TestClient, fields: dict[str, Any]) -> None:
    whole = client.post(URL, json=ask(**fields)).json()
    parts = events(client.post(URL, json=ask(stream=True, **fields)).text)
    assert parts[0]["choices"][0]["delta"] == {"role": "assistant", "content": ""}
    text = "".join(each["choices"][0]["delta"].get("content", "") for each in parts)
    assert text == whole["choices"][0]["message"]["content"]
    assert parts[-1]["choices"][0]["finish_reason"] == "stop"
    assert parts[-1]["usage"] == whole["usage"]
    assert parts[-1]["blip2"]["seed"] == whole["blip2"]["seed"]


def test_greedy_answers_come_word_by_word(client_for: Callable[..., TestClient]) -> None:
    client = client_for(scripted(delay=0.1))
    parts = events(client.post(URL, json=ask(stream=True, temperature=0)).text)
    words = [each["choices"][0]["delta"]["content"] for each in parts[1:-1]]
    assert len(words) > 1
    assert "".join(words) == "a red ball on a beach"


def test_beams_show_drafts_to_those_who_ask(client_for: Callable[..., TestClient]) -> None:
    client = client_for(scripted(delay=0.1))
    parts = events(client.post(URL, json=ask(stream=True, stream_drafts=True)).text)
    drafts = [each["blip2"]["draft"] for each in parts[:-1] if "blip2" in each]
    assert any(0 < len(draft) < len("a red ball on a beach") for draft in drafts)
    assert all("content" not in each["choices"][0]["delta"] for each in parts if "draft" in each.get("blip2", {}))


def test_the_usage_has_a_chunk_of_its_own_where_asked(client: TestClient) -> None:
    options = {"include_usage": True}
    parts = events(client.post(URL, json=ask(stream=True, stream_options=options)).text)
    assert parts[-1]["choices"] == []
    assert parts[-1]["usage"]["completion_tokens"] == 6
    assert parts[-2]["choices"][0]["finish_reason"] == "stop"


def test_an_early_error_is_a_status(client: TestClient) -> None:
    early = client.post(URL, json=ask("why " * 600, stream=True))
    assert early.status_code == 400
    assert early.headers["content-type"] == "application/json"


def test_a_late_error_is_the_streams_last_event() -> None:
    backend = scripted(delay=1.0)
    with (
        listening(made(backend)) as address,
        httpx.stream("POST", address + URL, json=ask(stream=True, temperature=0), timeout=60) as response,
    ):
        pieces = response.iter_text()
        text = next(pieces)
        backend.close()
        text += "".join(pieces)
    assert response.status_code == 200
    assert events(text)[-1]["error"]["code"] == "closed"


def test_silence_is_filled_so_that_proxies_keep_the_connection(
    client_for: Callable[..., TestClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("blip2.api.sse.FIRST", 0.01)
    monkeypatch.setattr("blip2.api.sse.BEAT", 0.05)
    text = client_for(ScriptedBackend(default="a b", delay=0.3)).post(URL, json=ask(stream=True)).text
    assert text.startswith(": waiting\n\n")
    assert events(text)[-1]["choices"][0]["finish_reason"] == "stop"
