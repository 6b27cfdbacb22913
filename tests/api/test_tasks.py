"""Captions, matching, features, embeddings, completions and models, in JSON and as forms."""

import base64
import json
import socket
from collections.abc import Callable
from typing import Any

import httpx
import numpy as np
import pytest
from apiserver import MODELS, PNG, soon
from starlette.testclient import TestClient

from blip2.backends.scripted import ScriptedBackend

FILE = base64.b64decode(PNG.split(",", 1)[1])
BROKEN = PNG[:90]


def lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def test_captions_come_a_line_a_picture_and_a_broken_one_fails_alone(client: TestClient) -> None:
    answer = client.post("/v1/captions", json={"images": [PNG, BROKEN, PNG], "prompt": "a photo of", "n": 2})
    assert answer.headers["content-type"].startswith("application/x-ndjson")
    made = lines(answer.text)
    assert [line["index"] for line in made] == [0, 1, 2]
    assert {line["total"] for line in made} == {3}
    assert [len(line["captions"]) for line in made] == [2, 0, 2]
    assert made[0]["captions"][0]["text"] == "a photo of a beach"
    assert made[0]["captions"][0]["confidence"] == pytest.approx(0.5)
    assert made[1]["error"]["code"] == "bad_image"
    assert made[1]["error"]["param"] == "images[1]"


def test_captions_keep_their_order_with_many_under_way(client_for: Callable[..., TestClient]) -> None:
    client = client_for(ScriptedBackend(lambda prompt: prompt, delay=0.001))
    made = lines(client.post("/v1/captions", json={"images": [PNG] * 30, "prompt": "a dog"}).text)
    assert [line["index"] for line in made] == list(range(30))
    assert {line["captions"][0]["text"] for line in made} == {"a dog"}


def test_a_client_that_leaves_amid_its_form_is_no_failure(address: str, caplog: pytest.LogCaptureFixture) -> None:
    head = "POST /v1/captions HTTP/1.1\r\nHost: localhost\r\nContent-Type: multipart/form-data; boundary=x\r\n"
    with socket.create_connection(("127.0.0.1", int(address.rsplit(":", 1)[1]))) as connection:
        connection.sendall(f"{head}Content-Length: 900\r\n\r\n--x\r\n".encode())
    left = 'outcome="gone",route="/v1/captions"'
    assert soon(lambda: left in httpx.get(f"{address}/metrics").text)
    assert "failed" not in caplog.text


@pytest.mark.parametrize(("name", "status"), [("nowhere", 404), ("scripted/opt", 400)])
def test_a_matcher_that_is_none_is_named_by_its_field(client: TestClient, name: str, status: int) -> None:
    answer = client.post("/v1/captions", json={"images": [PNG], "matcher": name})
    assert (answer.status_code, answer.json()["error"]["param"]) == (status, "matcher")


def test_captions_as_one_object_ranked_by_a_matcher(client: TestClient) -> None:
    body = {"images": [PNG], "n": 3, "stream": False, "matcher": "scripted/itm"}
    made = client.post("/v1/captions", json=body).json()
    scores = [each["itm"] for each in made["data"][0]["captions"]]
    assert len(scores) == 3
    assert scores == sorted(scores, reverse=True)


def test_captions_of_uploaded_files(client: TestClient) -> None:
    files = [("images", ("one.png", FILE, "image/png")), ("images", ("two.png", b"no picture", "image/png"))]
    made = lines(client.post("/v1/captions", files=files, data={"prompt": "a photo of", "max_tokens": "3"}).text)
    assert [line["name"] for line in made] == ["one.png", "two.png"]
    assert made[0]["captions"][0]["text"] == "a photo of"
    assert made[0]["captions"][0]["finish_reason"] == "length"
    assert "'two.png'" in made[1]["error"]["message"]


def test_match_gives_a_row_for_each_picture(client: TestClient) -> None:
    made = client.post("/v1/match", json={"images": [PNG, PNG], "texts": ["a dog", "a cat", "a meadow"]}).json()
    assert np.shape(made["itm"]) == np.shape(made["itc"]) == (2, 3)
    assert made["itm"][0] == made["itm"][1]
    assert all(0 <= value <= 1 for value in made["itm"][0])
    form = client.post(
        "/v1/match", files=[("images", ("a.png", FILE))], data={"texts": ["a dog", "a cat", "a meadow"]}
    ).json()
    assert form["itm"][0] == made["itm"][0]
    assert form["images"] == [{"name": "a.png", "digest": made["images"][0]["digest"]}]


def test_features_of_pictures_texts_and_pairs(client: TestClient) -> None:
    image = client.post("/v1/features", json={"images": [PNG]}).json()
    text = client.post("/v1/features", json={"texts": ["a red ball", "a cat"]}).json()
    pair = client.post("/v1/features", json={"images": [PNG], "texts": ["a cat"]}).json()
    assert (image["mode"], text["mode"], pair["mode"]) == ("image", "text", "multimodal")
    assert set(image["features"]) == {"image_embeds", "image_embeds_proj"}
    assert set(text["features"]) == {"text_embeds", "text_embeds_proj"}
    assert pair["features"]["multimodal_embeds"]["shape"] == [1, 4, 16]
    packed = client.post("/v1/features", json={"images": [PNG], "encoding_format": "base64"}).json()["features"]
    array = np.frombuffer(base64.b64decode(packed["image_embeds"]["data"]), "<f4").reshape(
        packed["image_embeds"]["shape"]
    )
    np.testing.assert_allclose(array, image["features"]["image_embeds"]["data"], rtol=1e-6)


@pytest.mark.parametrize(
    ("path", "body", "param"),
    [
        ("captions", {}, "images"),
        ("captions", {"images": [PNG], "num_beam": 2}, "num_beam"),
        ("captions", {"images": [PNG], "n": 0}, "n"),
        ("captions", {"images": [5]}, "images[0]"),
        ("match", {"images": [PNG]}, "texts"),
        ("match", {"images": [], "texts": ["a"]}, "images"),
        ("match", {"images": [PNG], "texts": ["a"], "model": "scripted/opt"}, "model"),
        ("features", {"mode": "image"}, "images"),
        ("features", {"mode": "text"}, "texts"),
        ("features", {"images": [PNG], "texts": ["a", "b"]}, "texts"),
        ("embeddings", {"input": []}, "input"),
        ("embeddings", {"input": " "}, "input[0]"),
        ("embeddings", {"input": "a", "dimensions": 3}, "dimensions"),
        ("embeddings", {"input": [[1, 2]]}, "input[0]"),
        ("completions", {"prompt": "a"}, "image"),
        ("completions", {"image": PNG, "model": "scripted/itm"}, "model"),
        ("completions", {"image": PNG, "best_of": 3}, "best_of"),
    ],
)
def test_what_is_wrong_is_named_with_its_field(client: TestClient, path: str, body: Any, param: str) -> None:
    answer = client.post(f"/v1/{path}", json=body)
    assert answer.status_code == 400
    assert answer.json()["error"]["param"] == param


def test_a_file_in_another_field_is_refused(client: TestClient) -> None:
    answer = client.post("/v1/match", files=[("pictures", ("a.png", FILE))], data={"texts": "a"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "bad_form")


def test_too_many_pairs_are_refused(client: TestClient) -> None:
    answer = client.post("/v1/match", json={"images": [PNG] * 100, "texts": ["a"] * 201})
    assert answer.status_code == 400
    assert "20000" in answer.json()["error"]["message"]


def test_embeddings_are_unit_vectors_that_agree_with_features(client: TestClient) -> None:
    parts = [{"type": "text", "text": "a cat"}, {"type": "image_url", "image_url": {"url": PNG}}, PNG]
    made = client.post("/v1/embeddings", json={"input": parts, "pooling": "first"}).json()
    vectors = np.array([each["embedding"] for each in made["data"]])
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=-1), 1, atol=1e-5)
    np.testing.assert_allclose(vectors[1], vectors[2])
    features = client.post("/v1/features", json={"images": [PNG]}).json()["features"]
    np.testing.assert_allclose(vectors[1], features["image_embeds_proj"]["data"][0][0], atol=1e-6)
    assert made["usage"]["prompt_tokens"] == 2 + 32 + 32


def test_completions_echo_logprobs_and_stream(client: TestClient) -> None:
    body = {"image": PNG, "prompt": "a photo of", "logprobs": 1, "echo": True}
    (choice,) = client.post("/v1/completions", json=body).json()["choices"]
    assert choice["text"] == "a photo ofa photo of a beach"
    assert choice["logprobs"]["text_offset"][0] == len("a photo of")
    text = client.post("/v1/completions", json=body | {"stream": True, "temperature": 0}).text
    parts = [json.loads(each.removeprefix("data: ")) for each in text.split("\n\n")[:-2]]
    assert "".join(each["choices"][0]["text"] for each in parts) == choice["text"]
    assert parts[-1]["usage"]["completion_tokens"] == 5
    assert parts[-1]["choices"][0]["finish_reason"] == "stop"


def test_models_by_any_of_their_names(client_for: Callable[..., TestClient]) -> None:
    client = client_for(models=("blip2_opt/pocket_opt", *MODELS))
    listed = client.get("/v1/models").json()
    assert listed["data"][0]["id"] == "blip2_opt/pocket_opt"
    assert listed["data"][0]["blip2"]["loaded"] is False
    assert listed["data"][1]["blip2"]["loaded"] is True
    assert listed["data"][0]["owned_by"] == "blip2-studio"
    assert client.get("/v1/models/pocket_opt").json()["id"] == "blip2_opt/pocket_opt"
    unknown = client.get("/v1/models/nobody/nothing")
    assert (unknown.status_code, unknown.json()["error"]["code"]) == (404, "model_not_found")


def test_the_first_model_that_can_is_taken_where_none_is_named(client: TestClient) -> None:
    assert client.post("/v1/match", json={"images": [PNG], "texts": ["a"]}).json()["model"] == "scripted/itm"
    assert client.post("/v1/completions", json={"image": PNG}).json()["model"] == "scripted/opt"


def test_half_surrogates_break_nothing(client: TestClient) -> None:
    content = b'{"images": ["' + PNG.encode() + b'"], "texts": ["\\ud800 a dog"], "model": "\\ud800"}'
    kind = {"content-type": "application/json"}
    assert client.post("/v1/match", content=content, headers=kind).status_code == 404
    content = content.replace(b', "model": "\\ud800"', b"")
    assert client.post("/v1/match", content=content, headers=kind).json()["texts"] == [" a dog"]
