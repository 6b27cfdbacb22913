"""The names that a server answers to: a name led to this machine from elsewhere is turned away, page and API alike."""

from collections.abc import Callable
from typing import Any

import pytest
from apiserver import ask
from starlette.testclient import TestClient

from blip2.api.hosts import answers_to, expected, name_in
from blip2.settings import Settings

URL = "/v1/chat/completions"


@pytest.mark.parametrize(
    ("header", "name"),
    [
        ("Studio.Example.org", "studio.example.org"),
        ("studio.example.org.:7860", "studio.example.org"),
        ("127.0.0.1:7860", "127.0.0.1"),
        ("[::1]:7860", "::1"),
        ("[::1]", "::1"),
        ("", ""),
        (":7860", ""),
    ],
)
def test_the_name_of_a_header(header: str, name: str) -> None:
    assert name_in(header) == name


@pytest.mark.parametrize("name", ["localhost", "studio.localhost", "127.0.0.1", "192.168.1.7", "::1", "", "a.example"])
def test_what_is_answered_to_beside_names_that_are_set(name: str) -> None:
    assert answers_to(name, {"a.example"})


@pytest.mark.parametrize(
    "name", ["b.example", "x.a.example", "a.example.evil.example", "127.0.0.1.evil.example", "nolocalhost"]
)
def test_what_is_not(name: str) -> None:
    assert not answers_to(name, {"a.example"})
    assert answers_to(name, None)


def test_a_star_stands_for_what_is_below_a_name() -> None:
    assert answers_to("one.a.example", {"*.a.example"})
    assert not answers_to("a.example", {"*.a.example"})
    assert not answers_to("evila.example", {"*.a.example"})


@pytest.mark.parametrize(
    ("given", "name", "answered"),
    [
        ({}, "evil.example", False),
        ({"host": "localhost"}, "evil.example", False),
        ({"host": "::1"}, "evil.example", False),
        ({"hosts": ("a.example",)}, "a.example", True),
        ({"hosts": ("A.example",), "host": "0.0.0.0"}, "a.example", True),
        ({"hosts": ("a.example",), "host": "0.0.0.0"}, "evil.example", False),
        ({"hosts": ("a.example",), "host": "box.lan"}, "box.lan", True),
        ({"hosts": ("a.example",), "trust_proxy": True}, "evil.example", False),
        ({"hosts": ("*",)}, "evil.example", True),
        ({"host": "0.0.0.0"}, "my-space.hf.space", True),
        ({"host": "192.168.1.7"}, "box.lan", True),
        ({"root_path": "/studio"}, "studio.example.org", True),
        ({"trust_proxy": True}, "studio.example.org", True),
        ({"share": True}, "abc.gradio.live", True),
    ],
)
def test_names_are_checked_where_only_this_machine_can_connect_or_where_they_are_set(
    given: dict[str, Any], name: str, answered: bool
) -> None:
    assert answers_to(name, expected(Settings(**given))) is answered


def test_a_page_whose_name_was_led_here_gets_nothing(client_for: Callable[..., TestClient]) -> None:
    client = client_for()
    led = {"host": "evil.example:7860", "origin": "http://evil.example:7860", "x-forwarded-host": "localhost"}
    refused = client.post(URL, json=ask(), headers=led | {"x-request-id": "mine-1"})
    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "unknown_host")
    assert "'evil.example'" in refused.json()["error"]["message"]
    assert "--hosts" in refused.json()["error"]["message"]
    assert refused.headers["x-request-id"] == "mine-1"
    for path in ("/", "/healthz", "/metrics", "/v1/models"):
        assert client.get(path, headers={"host": "evil.example"}).status_code == 403
    assert client.post(URL, json=ask(), headers={"host": "localhost:7860"}).status_code == 200


def test_a_name_that_is_set_is_answered_to(client_for: Callable[..., TestClient]) -> None:
    client = client_for(hosts=("studio.example.org",), host="0.0.0.0")
    assert client.get("/v1/models", headers={"host": "studio.example.org"}).status_code == 200
    assert client.get("/v1/models", headers={"host": "other.example.org"}).status_code == 403
