"""The shell around the tabs: what is built, how it is served, and what it refuses."""

import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gradio as gr
import httpx
import pytest
from apiserver import soon
from gradio_client import Client

from blip2.api.sieve import HEAD
from blip2.backends.scripted import ScriptedBackend
from blip2.errors import BadSetting
from blip2.settings import Settings
from blip2.ui.picture import PictureFrame
from blip2.ui.shell import TABS, Tab, page, serve
from blip2.ui.studio import Studio


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Studio:
    settings = Settings(port=0, max_upload_mb=1, runs=str(tmp_path_factory.mktemp("runs")))
    return Studio(settings, ScriptedBackend(default="a dog"), lambda picture: False)


@pytest.fixture(scope="module")
def address(studio: Studio) -> Iterator[str]:
    blocks = page(studio)
    yield serve(blocks, studio.settings)
    blocks.close(verbose=False)


def kinds(blocks: gr.Blocks) -> list[str]:
    return [type(block).__name__ for block in blocks.blocks.values()]


def labels(blocks: gr.Blocks) -> list[str]:
    return [block.label for block in blocks.blocks.values() if isinstance(block, gr.Tab)]


def test_a_tab_is_one_more_line_and_one_alone_needs_no_bar(studio: Studio):
    assert TABS[0].title == "Chat"
    assert "Tabs" not in kinds(page(studio, TABS[:1]))
    more = (*TABS[:1], Tab("Match", lambda studio: None), Tab("Hidden", lambda studio: None, lambda studio: False))
    assert labels(page(studio, more)) == ["Chat", "Match"]


def test_a_tab_with_nothing_to_show_is_not_there(studio: Studio):
    assert "Evaluate" not in labels(page(studio)), "without finished runs there is nothing to evaluate"


def test_a_single_picture_has_the_smaller_limit(studio: Studio):
    frames = [block for block in page(studio).blocks.values() if isinstance(block, PictureFrame)]
    assert frames
    assert {frame.largest for frame in frames} == {1_000_000}


def test_the_page_is_guarded(address: str):
    answer = httpx.get(address)
    assert answer.status_code == 200
    assert "default-src 'self'" in answer.headers["content-security-policy"]
    assert "Talk with BLIP-2 about a picture." in answer.text
    assert httpx.get(address, headers={"origin": "http://evil.example"}).status_code == 403
    led_here = httpx.get(address, headers={"host": "evil.example", "origin": "http://evil.example"})
    assert (led_here.status_code, "--hosts" in led_here.text) == (403, True)
    assert httpx.post(f"{address}gradio_api/run/ask", content=b"x" * 3_000_000).status_code == 413


def test_actions_cannot_be_called_past_the_queue(address: str):
    direct = httpx.post(f"{address}gradio_api/run/clear", json={"data": []})
    assert direct.status_code == 404


def test_nothing_is_recorded_and_nothing_watched(address: str):
    assert httpx.get(f"{address}monitoring").status_code in (403, 404)
    config = httpx.get(f"{address}config").json()
    assert config["analytics_enabled"] is False


def test_every_public_action_is_named_and_described(address: str):
    client = Client(address, verbose=False, httpx_kwargs={"timeout": None})
    described = client.view_api(return_format="dict")["named_endpoints"]
    assert {"/ask", "/retry", "/undo", "/clear", "/look", "/stop", "/save_json", "/save_markdown"} <= set(described)
    assert not [name for name in described if name.startswith(("/lambda", "/on_"))]
    assert "streams the answer" in described["/ask"]["description"]


def test_a_taken_port_is_a_sentence(studio: Studio):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(BadSetting, match=f"port {port}"):
            serve(page(studio), Settings(port=port))


@pytest.mark.parametrize("host", ["nowhere.invalid", "192.0.2.1"])
def test_a_host_that_is_not_this_machine_is_a_sentence(studio: Studio, host: str, capfd: pytest.CaptureFixture[str]):
    with pytest.raises(BadSetting, match=f"served on {host}, port 0: .* Choose another with --port or --host") as told:
        serve(page(studio), Settings(port=0, host=host))
    assert "GRADIO" not in str(told.value)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("host", ["::1", "[::1]"])
def test_an_ipv6_address_is_served(studio: Studio, host: str):
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("This machine has no IPv6.")
    blocks = page(studio)
    address = serve(blocks, Settings(port=0, host=host))
    assert address.startswith("http://[::1]:")
    assert httpx.get(address).status_code == 200
    blocks.close(verbose=False)


def stored(folder: Path) -> dict[str, int]:
    """The files below a folder, but for the page's own thumbnails, and their sizes."""
    return {path.name: path.stat().st_size for path in folder.rglob("*") if path.is_file() and path.suffix != ".webp"}


def test_uploads_of_no_use_are_not_kept_nor_those_that_break_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    settings = Settings(port=0, upload_mb_hour=2, runs="")
    blocks = page(Studio(settings, ScriptedBackend(), lambda picture: False), TABS[:1])
    upload = f"{serve(blocks, settings)}gradio_api/upload"
    files = [("files", ("run.sh", b"#!/bin/sh\n" * 1000)), ("files", ("a.gif", b"GIF89a" * 1000))]
    assert [Path(path).name for path in httpx.post(upload, files=files).json()] == ["run.sh", "a.gif"]
    kept = {"run.sh": HEAD, "a.gif": 6000}
    assert stored(tmp_path) == kept

    form = {"content-type": "multipart/form-data; boundary=x"}
    head = b'--x\r\ncontent-disposition: form-data; name="files"; filename="b.gif"\r\n\r\nGIF89a'

    url = httpx.URL(upload)
    with socket.create_connection((url.host, url.port)) as leaving:
        start = f"POST {url.path} HTTP/1.1\r\nhost: {url.host}\r\ncontent-length: 400000\r\n"
        leaving.sendall(f"{start}content-type: {form['content-type']}\r\n\r\n".encode() + head + bytes(100_000))
        assert soon(lambda: len(stored(tmp_path)) == 3), "it has begun to arrive"
    assert soon(lambda: stored(tmp_path) == kept)

    def endless() -> Iterator[bytes]:
        yield head
        yield from (bytes(100_000) for _ in range(30))

    refused = httpx.post(upload, content=endless(), headers=form)
    assert (refused.status_code, "please go on in" in refused.text) == (429, True)
    assert stored(tmp_path) == kept
    blocks.close(verbose=False)


@pytest.mark.parametrize(("named", "kept"), [("intranet.example", "intranet.example,127.0.0.1"), ("*", "*")])
def test_a_proxy_and_a_slow_machine_do_not_keep_the_page_from_starting(
    monkeypatch: pytest.MonkeyPatch, named: str, kept: str
):
    for name in ("http_proxy", "HTTP_PROXY", "no_proxy", "NO_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9" if "no" not in name.lower() else named)
    monkeypatch.setattr("gradio.networking.url_ok", lambda url: False)  # what it says where 3 seconds do not suffice
    settings = Settings(port=0, runs="")
    blocks = page(Studio(settings, ScriptedBackend(), lambda picture: False), TABS[:1])
    address = serve(blocks, settings)
    assert httpx.get(address).status_code == 200
    assert os.environ["no_proxy"].startswith(kept)
    assert (named == "*") is (os.environ["no_proxy"] == "*")
    blocks.close(verbose=False)


@pytest.mark.parametrize(("share", "link"), [(False, None), (True, "https://abc.gradio.live"), (True, None)])
def test_a_link_is_asked_for_only_where_it_is_wanted(monkeypatch: pytest.MonkeyPatch, share: bool, link: str | None):
    asked: list[bool] = []

    def launch(blocks: gr.Blocks, **given: Any) -> tuple[None, str, None]:
        asked.append(given["share"])
        blocks.share_url = link
        return None, "http://127.0.0.1:1/", None

    monkeypatch.setattr(gr.Blocks, "launch", launch)
    settings = Settings(port=0, share=share, runs="")
    blocks = page(Studio(settings, ScriptedBackend(), lambda picture: False), TABS[:1])
    if share and link is None:
        with pytest.raises(BadSetting, match="leave out --share"):
            serve(blocks, settings)
    else:
        assert serve(blocks, settings) == "http://127.0.0.1:1/"
    assert asked == [share]
    brand = next(block for block in blocks.blocks.values() if block.elem_id == "brand")
    assert ("stays on this machine" in brand.value) is not share
