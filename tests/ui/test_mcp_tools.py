"""The page's tools over MCP, through a real MCP client; and the same endpoints through gradio's own client."""

import asyncio
import base64
import json
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
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
def patience() -> Iterator[list[Any]]:
    """How long each GET by httpx's function was to wait; the tests' own clients use none or a longer one."""
    waited, get = [], httpx.get

    def counting(*given: Any, **named: Any) -> httpx.Response:
        waited.append(named.get("timeout", "httpx's five seconds"))
        return get(*given, **named)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(httpx, "get", counting)
        yield waited


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("data")
    settings = Settings(port=0, mcp=True, data=str(folder / "data"), runs=str(folder / "runs"))
    backend = ScriptedBackend({"Question: What is it? Answer:": "a teal box"}, default="a box")
    blocks = page(Studio(settings, backend, lambda picture: False), TABS)
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        served = serve(blocks, settings)
    assert not [each for each in warned if "gr.State" in str(each.message)], (
        "whoever starts it can do nothing about them"
    )
    yield served
    blocks.close(verbose=False)
    backend.close()


@pytest.fixture(scope="module")
def client(address: str) -> Client:
    return Client(address, verbose=False, httpx_kwargs={"timeout": None})


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


@dataclass(frozen=True)
class Call:
    """A tool's arguments beside its pictures, and what must hold of the answer."""

    arguments: dict[str, Any]
    holds: Callable[[Any], bool]
    picture: str = ""  # the argument that takes a picture
    files: str = ""  # the one that takes a list


def shape(matrix: list[list[float]]) -> tuple[int, int]:
    return len(matrix), len(matrix[0])


CALLS = {
    "ask_about_picture": Call({"question": "What is it?"}, lambda told: told["answer"] == "a teal box", "picture"),
    "caption": Call(
        {"captions": 2, "matcher": "scripted/itm"},
        lambda told: [each["text"] for each in told["captions"] if each["itm"] > 0] == ["a box"] * 2,
        "picture",
    ),
    "caption_files": Call({}, lambda told: [row["captions"][0]["text"] for row in told] == ["a box"], files="files"),
    "compare": Call(
        {"question": "What is it?"},
        lambda told: [told[side]["answer"] for side in ("left", "right")] == ["a teal box"] * 2,
        "picture",
    ),
    "match": Call(
        {"texts": "a box\na dog"},
        lambda told: told["texts"] == ["a box", "a dog"] and shape(told["itm"]) == shape(told["itc"]) == (1, 2),
        files="files",
    ),
    "classify": Call(
        {"labels": "dog, cat"},
        lambda told: {each["text"] for each in told["labels"]} == {"a photo of a dog", "a photo of a cat"},
        "picture",
    ),
    "where_matched": Call({"text": "a box"}, lambda told: told["words"] == ["", "a", "box"], "picture"),
    "extract_features": Call({"mode": "image"}, lambda told: bool(told), files="files"),
    "models": Call({}, lambda told: "scripted/opt" in str(told)),
    "doctor": Call({"model": "scripted/opt"}, lambda told: "ok" in told),
    "vote_results": Call({}, lambda told: isinstance(told, dict)),
}


def test_every_tool_is_tried() -> None:
    assert list(CALLS) == list(mcp_tools.TOOLS)


@pytest.mark.parametrize("name", CALLS)
def test_a_tool_answers_over_mcp(patience: list[Any], address: str, picture: Path, name: str) -> None:
    call = CALLS[name]
    sent = call.arguments | ({call.picture: as_data(picture)} if call.picture else {})
    said = over_mcp(address, name, sent | ({call.files: [as_data(picture)]} if call.files else {}))
    assert not said.isError, said.content
    told = json.loads(said.content[0].text)
    assert call.holds(told), told
    assert set(patience) == {None}, "a busy server must wait for itself"


@pytest.mark.parametrize("name", CALLS)
def test_gradios_client_gets_the_same(client: Client, picture: Path, name: str) -> None:
    call = CALLS[name]
    sent = call.arguments | ({call.picture: handle_file(picture)} if call.picture else {})
    told = client.predict(**sent | ({call.files: [handle_file(picture)]} if call.files else {}), api_name=f"/{name}")
    told = told[0] if isinstance(told, tuple) else told
    assert call.holds(told), told


def test_what_cannot_be_answered_is_a_sentence(address: str, picture: Path) -> None:
    arguments = {"picture": as_data(picture), "question": "What is it?", "model": "no/model"}
    assert "no/model" in over_mcp(address, "ask_about_picture", arguments).content[0].text


def test_no_file_of_the_server_and_no_address_is_read_for_a_client(address: str, picture: Path, tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("of nobody's business")
    question = {"question": "What is it?"}
    hidden = {"path": str(secret), "meta": {"_type": "gradio.FileData"}}
    given = {"picture": as_data(picture), **question, "settings_a": {"seed": [hidden]}}
    said = over_mcp(address, "compare", given)
    assert (said.isError, said.content[0].text) == (True, "The argument settings_a takes no file; leave it out.")
    for named, why in ((str(secret), "is no picture"), ("http://127.0.0.1:9/x.png", "not fetched here")):
        said = over_mcp(address, "ask_about_picture", {"picture": named, **question})
        assert said.isError
        assert why in said.content[0].text
    assert not any(
        path.read_bytes() == secret.read_bytes() for path in (tmp_path / "cache").rglob("*") if path.is_file()
    )


def test_every_public_endpoint_has_a_name_and_a_description(client: Client) -> None:
    named: dict[str, Any] = client.view_api(return_format="dict", print_info=False)["named_endpoints"]  # type: ignore[index,assignment]
    assert len(named) > 25
    assert [name for name in named if name.startswith(("/lambda", "/fn", "/on_"))] == []
    assert [name for name, about in named.items() if not about.get("description")] == []


def test_without_its_package_it_is_refused_with_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "mcp", None)
    with pytest.raises(BadSetting, match=r"blip2-studio\[mcp\]"):
        mcp_tools.name_tools()
