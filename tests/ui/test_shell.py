"""The shell around the tabs: what is built, how it is served, and what it refuses."""

import socket
from collections.abc import Iterator

import gradio as gr
import httpx
import pytest
from gradio_client import Client

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
    assert httpx.post(f"{address}gradio_api/run/ask", content=b"x" * 3_000_000).status_code == 413


def test_actions_cannot_be_called_past_the_queue(address: str):
    direct = httpx.post(f"{address}gradio_api/run/clear", json={"data": []})
    assert direct.status_code == 404


def test_nothing_is_recorded_and_nothing_watched(address: str):
    assert httpx.get(f"{address}monitoring").status_code in (403, 404)
    config = httpx.get(f"{address}config").json()
    assert config["analytics_enabled"] is False


def test_every_public_action_is_named_and_described(address: str):
    client = Client(address, verbose=False)
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
