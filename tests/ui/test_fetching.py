"""Files named by address in a request to the page: refused, or fetched by the API's rules."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import gradio as gr
import pytest
from gradio import processing_utils

from blip2.api.failures import Refusal
from blip2.api.remote import Fetcher
from blip2.settings import Settings
from blip2.ui.fetching import fetch_by


@pytest.fixture(autouse=True)
def gradios_own(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What gradio has of itself comes back after each test."""
    own = processing_utils.async_ssrf_protected_download
    yield
    processing_utils.async_ssrf_protected_download = own


def fetched(url: str, folder: Path) -> Path:
    """What gradio gets for an address, by its own name for the function."""
    return Path(asyncio.run(processing_utils.async_ssrf_protected_download(url, str(folder))))


def test_an_address_is_refused_unless_the_administrator_allows_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Fetcher, "fetch", lambda *_: pytest.fail("it was fetched"))
    fetch_by(Settings())
    with pytest.raises(gr.Error, match="send the picture itself"):
        fetched("https://example.org/x.png", tmp_path)


def test_where_allowed_the_apis_rules_hold(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fetch_by(Settings(image_urls=True))
    with pytest.raises(gr.Error, match="is not known as a public one"):
        fetched("http://127.0.0.1/x.png", tmp_path)
    with pytest.raises(gr.Error, match="from port 9"):
        fetched("http://127.0.0.1:9/x.png", tmp_path)
    monkeypatch.setattr(Fetcher, "fetch", lambda fetcher, url, param: f"{fetcher.limit} {url}".encode())
    fetch_by(Settings(image_urls=True, max_upload_mb=3))
    found = fetched("https://example.org/../x.png", tmp_path)
    assert found.read_bytes() == b"3000000 https://example.org/../x.png"
    assert found.is_relative_to(tmp_path)

    def fails(*_: object) -> bytes:
        raise Refusal(413, "The picture is larger than 3 MB.", "picture")

    monkeypatch.setattr(Fetcher, "fetch", fails)
    with pytest.raises(gr.Error, match="larger than 3 MB"):
        fetched("https://example.org/x.png", tmp_path)
