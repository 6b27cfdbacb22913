"""The API beside a page of gradio's, on one port, behind one guard."""

import json
from collections.abc import Iterator

import gradio as gr
import httpx
import pytest
from apiserver import MODELS, ask, scripted, soon

from blip2.api.server import lifespan, routes
from blip2.api.service import Service
from blip2.settings import Settings
from blip2.ui.shell import serve


@pytest.fixture(scope="module")
def beside() -> Iterator[tuple[Service, str]]:
    settings = Settings(models=MODELS, port=0, cors_origins=("https://app.example",))
    service = Service(scripted(delay=0.05), settings)
    with gr.Blocks() as blocks:
        gr.Textbox()
    address = serve(blocks, settings, {"routes": routes(service), "lifespan": lifespan(service)})
    yield service, address.rstrip("/")
    blocks.close(verbose=False)


def test_page_and_api_answer_on_one_port(beside: tuple[Service, str]) -> None:
    _, address = beside
    assert soon(lambda: httpx.get(f"{address}/readyz").status_code == 200)
    page = httpx.get(address)
    assert (page.status_code, page.headers["content-type"].split(";")[0]) == (200, "text/html")
    answer = httpx.post(f"{address}/v1/chat/completions", json=ask())
    assert answer.json()["choices"][0]["message"]["content"] == "a red ball on a beach"
    assert answer.headers["x-request-id"]
    assert "content-security-policy" in answer.headers
    wrong = httpx.post(f"{address}/v1/chat/completions", json={})
    assert (wrong.status_code, wrong.json()["error"]["param"]) == (400, "messages")
    assert "blip2_requests_total" in httpx.get(f"{address}/metrics").text
    assert "/chat/completions" in httpx.get(f"{address}/v1/openapi.json").json()["paths"]


def test_streams_pass_through_piece_by_piece_and_stop_with_the_client(beside: tuple[Service, str]) -> None:
    service, address = beside
    with httpx.stream("POST", f"{address}/v1/chat/completions", json=ask(stream=True, temperature=0)) as response:
        lines = (line for line in response.iter_lines() if line.startswith("data: {"))
        assert "choices" in json.loads(next(lines).removeprefix("data: "))
        assert service.lifecycle.generating == 1
    assert soon(lambda: not service.lifecycle.generating)
    assert soon(lambda: not sum(service.backend.stats().running.values()))


def test_other_sites_are_refused_on_both(beside: tuple[Service, str]) -> None:
    _, address = beside
    there = {"origin": "https://evil.example"}
    assert httpx.get(address, headers=there).status_code == 403
    refused = httpx.post(f"{address}/v1/chat/completions", json=ask(), headers=there)
    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "foreign_origin")


def test_a_site_that_is_named_may_call_the_api_and_no_other(beside: tuple[Service, str]) -> None:
    _, address = beside
    url = f"{address}/v1/chat/completions"
    wants = {"access-control-request-method": "POST", "access-control-request-headers": "authorization,content-type"}
    there = {"origin": "https://app.example"}
    asked = httpx.options(url, headers=there | wants)
    assert (asked.status_code, asked.headers["access-control-allow-origin"]) == (200, "https://app.example")
    assert "authorization" in asked.headers["access-control-allow-headers"]
    answer = httpx.post(url, json=ask(), headers=there)
    assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (200, "https://app.example")
    for path, origin in (("/v1/chat/completions", "https://evil.example"), ("/gradio_api/info", "https://app.example")):
        refused = httpx.options(address + path, headers={"origin": origin} | wants)
        assert (refused.status_code, "access-control-allow-origin" in refused.headers) == (403, False)
