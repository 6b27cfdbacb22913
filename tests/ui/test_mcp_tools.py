"""The page's tools over MCP, through a real MCP client; and the same endpoints through gradio's own client."""

import asyncio
import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from gradio_client import Client, handle_file
from PIL import Image

from blip2.backends.scripted import ScriptedBackend
from blip2.errors import BadSetting
from blip2.settings import Settings
from blip2.ui import mcp_tools
from blip2.ui.shell import TABS, page, serve
from blip2.ui.studio import Studio

mcp = pytest.importorskip("mcp", reason="the MCP package is not installed")


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("data")
    settings = Settings(port=0, mcp=True, data=str(folder / "data"), runs=str(folder / "runs"))
    backend = ScriptedBackend({"Question: What is it? Answer:": "a teal box"})
    blocks = page(Studio(settings, backend, lambda picture: False), TABS)
    yield serve(blocks, settings)
    blocks.close(verbose=False)
    backend.close()


@pytest.fixture(scope="module")
def picture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("picture") / "box.png"
    Image.new("RGB", (40, 30), "teal").save(path)
    return path


def over_mcp(address: str, name: str = "", arguments: dict[str, Any] | None = None) -> Any:
    """The tools, or what the tool of this name answers."""
    from mcp import ClientSession
    from mcp.client.streamable_http import streamablehttp_client

    async def talk() -> Any:
        async with (
            streamablehttp_client(f"{address.rstrip('/')}/gradio_api/mcp/") as (reading, writing, _),
            ClientSession(reading, writing) as session,
        ):
            await session.initialize()
            if not name:
                return (await session.list_tools()).tools
            return await session.call_tool(name, arguments or {})

    return asyncio.run(talk())


def as_data(picture: Path) -> str:
    return "data:image/png;base64," + base64.b64encode(picture.read_bytes()).decode()


def test_the_tools_have_their_api_names_and_say_what_they_do(address: str) -> None:
    tools = over_mcp(address)
    assert [tool.name for tool in tools] == list(mcp_tools.TOOLS)
    assert all(len(tool.description) > 30 for tool in tools)
    (ask,) = [tool for tool in tools if tool.name == "ask_about_picture"]
    assert list(ask.inputSchema["properties"]) == ["picture", "question", "model"]


def test_a_question_and_a_match_are_answered(address: str, picture: Path) -> None:
    said = over_mcp(address, "ask_about_picture", {"picture": as_data(picture), "question": "What is it?", "model": ""})
    assert "a teal box" in said.content[0].text
    arguments = {"picture": as_data(picture), "labels": "dog, cat", "template": "", "model": ""}
    classified = over_mcp(address, "classify", arguments)
    assert "a photo of a dog" in classified.content[0].text


def test_what_cannot_be_answered_is_a_sentence(address: str, picture: Path) -> None:
    arguments = {"picture": as_data(picture), "question": "What is it?", "model": "no/model"}
    assert "no/model" in over_mcp(address, "ask_about_picture", arguments).content[0].text


def test_gradios_client_gets_the_same(address: str, picture: Path) -> None:
    client = Client(address, verbose=False)
    answer = client.predict(handle_file(picture), "What is it?", "", api_name="/ask_about_picture")
    assert answer["answer"] == "a teal box"
    assert json.dumps(answer)


def test_every_public_endpoint_has_a_name_and_a_description(address: str) -> None:
    client = Client(address, verbose=False)
    named: dict[str, Any] = client.view_api(return_format="dict", print_info=False)["named_endpoints"]  # type: ignore[index,assignment]
    assert len(named) > 25
    assert [name for name in named if name.startswith(("/lambda", "/fn", "/on_"))] == []
    assert [name for name, about in named.items() if not about.get("description")] == []


def test_without_its_package_it_is_refused_with_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "mcp", None)
    with pytest.raises(BadSetting, match=r"blip2-studio\[mcp\]"):
        mcp_tools.name_tools()
