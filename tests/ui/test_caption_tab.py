"""The caption tab's endpoints for programs: names, documentation, captions with scores, rows, errors as sentences."""

import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from gradio_client import Client, handle_file
from PIL import Image

from blip2.backends.scripted import ScriptedBackend
from blip2.settings import Settings
from blip2.ui.caption_actions import KNOBS
from blip2.ui.shell import TABS, page, serve
from blip2.ui.studio import Studio


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    folder = tmp_path_factory.mktemp("allowed") / "holiday"
    folder.mkdir()
    Image.new("RGB", (8, 8)).save(folder / "a.png")
    settings = Settings(port=0, folders=(str(folder),), visitor_waiting=1)
    studio = Studio(settings, ScriptedBackend({"this is": "this is it"}, default="a ball"))
    blocks = page(studio, [tab for tab in TABS if tab.title == "Caption"])
    yield Client(serve(blocks, settings), verbose=False, httpx_kwargs={"timeout": None})
    blocks.close(verbose=False)


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    Image.new("RGB", (30, 20), "teal").save(tmp_path / "teal.png")
    return tmp_path / "teal.png"


def test_the_endpoints_are_named_and_described(client: Client) -> None:
    known = client.view_api(return_format="dict", print_info=False)["named_endpoints"]
    assert set(known) == {"/caption", "/caption_files"}
    names = {name: [each["parameter_name"] for each in known[name]["parameters"]] for name in known}
    assert names == {"/caption": ["picture", *KNOBS], "/caption_files": ["files", "folder", *KNOBS]}
    assert "ITM probability" in known["/caption"]["description"]


def test_a_picture_gives_its_captions_with_scores(client: Client, picture: Path) -> None:
    answer = client.predict(handle_file(picture), captions=3, prompt="this is", api_name="/caption")
    assert [each["text"] for each in answer["captions"]] == ["this is it"] * 3
    assert all(0 <= each["itm"] <= 1 and each["confidence"] == 0.5 for each in answer["captions"])
    assert answer["error"] is None
    plain = client.predict(handle_file(picture), matcher="", method="greedy", api_name="/caption")
    assert plain["captions"][0]["itm"] is None


def test_what_is_wrong_is_a_sentence(client: Client, picture: Path, tmp_path: Path) -> None:
    (tmp_path / "fake.png").write_text("hello")
    assert "not a picture" in client.predict(handle_file(tmp_path / "fake.png"), api_name="/caption")["error"]
    answer = client.predict(handle_file(picture), min_new_tokens=40, api_name="/caption")
    assert "must not exceed" in answer["error"]
    assert answer["captions"] == []


def test_files_give_a_row_each(client: Client, picture: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "album.zip", "w") as made:
        made.write(picture, "trip/a.png")
        made.writestr("trip/broken.png", b"no picture")
    rows = client.predict([handle_file(tmp_path / "album.zip")], api_name="/caption_files")
    assert [(row["file"], row["caption"], bool(row["error"])) for row in rows] == [
        ("trip/a.png", "a ball", False),
        ("trip/broken.png", "", True),
    ]
    (row,) = client.predict([], folder="holiday", api_name="/caption_files")
    assert row["file"] == "a.png"
    (row,) = client.predict([], folder="../secret", api_name="/caption_files")
    assert "choose holiday" in row["error"]
