"""The gate: ids, keys, rates, sizes and types, each told in OpenAI's shape."""

import json
import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from apiserver import ANSWERS, ask
from starlette.testclient import TestClient

from blip2.api.gate import outcome_of
from blip2.api.keys import make_key
from blip2.backends.scripted import ScriptedBackend
from blip2.values import Chunk, Request

URL = "/v1/chat/completions"


def test_every_response_has_an_id_and_a_sensible_one_is_kept(client: TestClient) -> None:
    mine = client.post(URL, json=ask(), headers={"x-request-id": "trace-1.2:3"})
    assert mine.headers["x-request-id"] == "trace-1.2:3"
    made = client.post(URL, json={}, headers={"x-request-id": "no good\x7f" * 40})
    assert len(made.headers["x-request-id"]) == 32
    assert client.get("/v1/nowhere").headers["x-request-id"]


def test_without_a_file_no_key_is_asked_for(client: TestClient) -> None:
    assert client.post(URL, json=ask()).status_code == 200


def test_a_key_opens_and_anything_else_does_not(client_for: Callable[..., TestClient], tmp_path: Path) -> None:
    key, line = make_key("ada")
    file = tmp_path / "keys"
    file.write_text(f"# who may\n\n{line}\n")
    client = client_for(api_keys_file=str(file))
    none = client.post(URL, json=ask())
    assert none.status_code == 401
    assert none.headers["www-authenticate"] == "Bearer"
    assert none.json()["error"]["code"] == "invalid_api_key"
    assert client.post(URL, json=ask(), headers={"authorization": f"Bearer {key}x"}).status_code == 401
    assert client.post(URL, json=ask(), headers={"authorization": f"Basic {key}"}).status_code == 401
    assert client.post(URL, json=ask(), headers={"authorization": f"Bearer {key}"}).status_code == 200
    assert client.get("/v1/openapi.json").status_code == 200
    assert client.get("/healthz").status_code == 200


def test_a_line_taken_out_shuts_its_key_out_at_once(client_for: Callable[..., TestClient], tmp_path: Path) -> None:
    (key, line), (_, other) = make_key("ada"), make_key("bob")
    file = tmp_path / "keys"
    file.write_text(f"{line}\n{other}\n")
    client = client_for(api_keys_file=str(file))
    headers = {"authorization": f"Bearer {key}"}
    assert client.get("/v1/models", headers=headers).status_code == 200
    file.write_text(f"{other}\n")
    assert client.get("/v1/models", headers=headers).status_code == 401


def test_a_page_with_a_sign_in_does_not_leave_the_api_open(
    client_for: Callable[..., TestClient], tmp_path: Path
) -> None:
    people = tmp_path / "people"
    people.write_text("ada:secret\n")
    answer = client_for(auth_file=str(people)).get("/v1/models")
    assert answer.status_code == 401
    assert "--api-keys-file" in answer.json()["error"]["message"]


def test_too_many_requests_are_told_when_to_come_back(client_for: Callable[..., TestClient]) -> None:
    client = client_for(api_rate=2)
    first = client.get("/v1/models")
    assert (first.headers["x-ratelimit-limit-requests"], first.headers["x-ratelimit-remaining-requests"]) == ("2", "1")
    client.get("/v1/models")
    refused = client.get("/v1/models")
    assert refused.status_code == 429
    assert 1 <= int(refused.headers["retry-after"]) <= 30
    assert refused.json()["error"]["type"] == "rate_limit_error"
    assert client.get("/healthz").status_code == 200


@pytest.mark.parametrize(("trust", "second"), [(False, 429), (True, 200)])
def test_behind_a_trusted_proxy_each_client_has_its_own_rate(
    client_for: Callable[..., TestClient], trust: bool, second: int
) -> None:
    client = client_for(api_rate=1, trust_proxy=trust)
    codes = [client.get("/v1/models", headers={"x-forwarded-for": f"6.6.6.6, 1.1.1.{n}"}).status_code for n in (1, 2)]
    assert codes == [200, second]


@pytest.mark.parametrize("content", [b"[" * 200_000, b'{"seed": ' + b"9" * 5000 + b"}", b'{"messages": "\xe9"}'])
@pytest.mark.parametrize("path", ["chat/completions", "match"])
def test_json_that_cannot_be_read_is_told_with_the_remedy(client: TestClient, path: str, content: bytes) -> None:
    answer = client.post(f"/v1/{path}", content=content, headers={"content-type": "application/json"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "bad_json")
    assert answer.json()["error"]["message"].endswith("mend it and send it again.")


def test_a_name_of_any_length_is_repeated_in_part_only(client: TestClient) -> None:
    for answer in (client.post(URL, json=ask(model="x" * 100_000)), client.get(f"/v1/models/{'x' * 10_000}")):
        assert answer.status_code == 404
        assert len(answer.json()["error"]["message"]) < 300


def test_a_body_over_the_limit_is_refused_declared_or_streamed(client_for: Callable[..., TestClient]) -> None:
    client = client_for(api_body_mb=1)
    body = json.dumps(ask("x" * 1_100_000)).encode()
    kind = {"content-type": "application/json"}
    declared = client.post(URL, content=body, headers=kind)
    streamed = client.post(URL, content=iter([body[:500_000], body[500_000:1_000_000], body[1_000_000:]]), headers=kind)
    for answer in (declared, streamed):
        assert answer.status_code == 413
        assert answer.json()["error"]["code"] == "too_large"
        assert answer.headers["x-request-id"]


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""])
def test_a_body_of_another_type_is_refused_with_the_remedy(client: TestClient, kind: str) -> None:
    answer = client.post(URL, content=b"{}", headers={"content-type": kind})
    assert answer.status_code == 415
    assert "Content-Type: application/json" in answer.json()["error"]["message"]


@pytest.mark.parametrize("content", [b"{", b"", b"\xff\xfe", b"[1]", b'"text"', b"nul"])
@pytest.mark.parametrize("path", ["chat/completions", "captions"])
def test_a_body_that_is_no_json_object_is_a_400(client: TestClient, path: str, content: bytes) -> None:
    answer = client.post(f"/v1/{path}", content=content, headers={"content-type": "application/json"})
    assert answer.status_code == 400
    assert "JSON" in answer.json()["error"]["message"] or "missing" in answer.json()["error"]["message"]


def test_unknown_routes_and_methods_are_json_too(client: TestClient) -> None:
    assert client.get("/v1/nowhere").json()["error"]["message"].startswith("There is no such route")
    wrong = client.get(URL)
    assert wrong.status_code == 405
    assert wrong.headers["allow"] == "POST"
    assert client.put(URL, content=b"x").status_code == 405, "the method first, then the type of the body"
    beside = client.get("/nowhere")
    assert (beside.status_code, beside.json()["error"]["message"][:22]) == (404, "There is no such route")


def test_a_base_url_without_v1_is_told_what_it_lacks(client: TestClient) -> None:
    for answer in (client.post("/chat/completions", json=ask()), client.get("/models")):
        assert answer.status_code == 404
        assert "/v1" in answer.json()["error"]["message"]
        assert answer.headers["x-request-id"]


def test_other_sites_may_not_call_unless_they_are_named(client_for: Callable[..., TestClient]) -> None:
    there = {"origin": "https://app.example"}
    closed = client_for().post(URL, json=ask(), headers=there)
    assert closed.status_code == 403
    assert closed.json()["error"]["code"] == "foreign_origin"
    assert closed.headers["x-request-id"]
    assert "access-control-allow-origin" not in closed.headers
    client = client_for(cors_origins=("https://app.example",))
    opened = client.post(URL, json=ask(), headers=there)
    assert opened.status_code == 200
    assert opened.headers["access-control-allow-origin"] == "https://app.example"
    asked = client.options(URL, headers=there | {"access-control-request-method": "POST"})
    assert asked.status_code == 200
    assert client.post(URL, json=ask(), headers={"origin": "https://other.example"}).status_code == 403
    assert client.get("/healthz", headers=there).status_code == 403


def logged(caplog: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    return [record.fields for record in caplog.records if record.name == "blip2.api" and hasattr(record, "fields")]


def test_the_log_has_ids_and_times_and_no_content(client: TestClient, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, logger="blip2.api"):
        client.post(URL, json=ask(), headers={"x-request-id": "seen"})
        client.post(URL, json={})
    good, bad = logged(caplog)
    assert (good["request_id"], good["status"], good["outcome"]) == ("seen", 200, "ok")
    assert (good["model"], good["route"], good["new_tokens"]) == ("scripted/opt", "/v1/chat/completions", 6)
    assert (bad["status"], bad["outcome"]) == (400, "client_error")
    everything = caplog.text + json.dumps([good, bad])
    assert "picture?" not in everything
    assert next(iter(ANSWERS.values())) not in everything


def test_content_is_logged_only_when_asked_for(
    client_for: Callable[..., TestClient], caplog: pytest.LogCaptureFixture
) -> None:
    client = client_for(log_content=True)
    with caplog.at_level(logging.INFO, logger="blip2.api"):
        client.post(URL, json=ask(stream=True))
    (line,) = logged(caplog)
    assert line["prompt"] == "Question: What is in the picture? Answer:"
    assert line["answer"] == "a red ball on a beach"


class Faulty(ScriptedBackend):
    def generate(self, request: Request) -> Iterator[Chunk]:
        raise RuntimeError("the inside of the server")


@pytest.mark.parametrize("stream", [False, True])
def test_what_nobody_foresaw_is_told_without_its_inside_and_found_in_the_log_by_its_id(
    client_for: Callable[..., TestClient], caplog: pytest.LogCaptureFixture, stream: bool
) -> None:
    answer = client_for(Faulty()).post(URL, json=ask(stream=stream), headers={"x-request-id": "lost-1"})
    assert "report it with the request's id" in answer.text
    assert "inside" not in answer.text
    assert "the request lost-1 failed" in caplog.text
    assert {"request_id": "lost-1"} in logged(caplog)


@pytest.mark.parametrize(
    ("status", "word"),
    [(0, "gone"), (200, "ok"), (404, "client_error"), (401, "refused"), (503, "server_error"), (504, "deadline")],
)
def test_outcomes(status: int, word: str) -> None:
    assert outcome_of(status) == word
