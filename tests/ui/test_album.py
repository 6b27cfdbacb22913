"""The components that take many pictures: what they find, what they say, and what a handler gets."""

import zipfile
from pathlib import Path
from typing import Any

import gradio as gr
import pytest
from PIL import Image

from blip2.backends.scripted import ScriptedBackend
from blip2.errors import BadInput
from blip2.gathering import NOTHING
from blip2.settings import Settings
from blip2.ui.album import Album, album
from blip2.ui.studio import Studio


@pytest.fixture
def pictures(tmp_path: Path) -> list[str]:
    paths = [tmp_path / "photos" / f"{name}.png" for name in "ab"]
    paths[0].parent.mkdir()
    for shade, path in enumerate(paths):
        Image.new("RGB", (6, 5), (shade, 0, 0)).save(path)
    return [str(path) for path in paths]


def built(*folders: str) -> Album:
    with gr.Blocks():
        return album(Studio(Settings(folders=folders), ScriptedBackend()), "x")


def said(update: dict[str, Any]) -> str:
    return str(update["value"])


def test_dropped_files_are_counted_and_kept_for_the_handler(pictures: list[str]) -> None:
    made = built()
    (_, reading), (found, done) = made.on_change(pictures, "")
    assert "Reading" in said(reading)
    assert "2 pictures" in said(done)
    assert made.take(pictures, "", found) is found


def test_a_handler_gets_what_is_in_the_components_now(pictures: list[str]) -> None:
    made = built()
    *_, (found, _) = made.on_change(pictures[:1], "")
    assert len(made.take(pictures, "", found)) == 2
    with pytest.raises(BadInput, match="no picture yet"):
        made.take(None, None, NOTHING)
    assert next(iter(made.on_change([], "")))[0] is NOTHING


def test_a_folder_is_offered_where_one_is_allowed(pictures: list[str]) -> None:
    made = built(str(Path(pictures[0]).parent))
    assert isinstance(made.folder, gr.Dropdown)
    *_, (found, done) = made.on_change(None, "photos")
    assert [each.name for each in found] == ["a.png", "b.png"]
    assert "2 pictures" in said(done)
    *_, (found, done) = made.on_change(None, "../secret")
    assert found is NOTHING
    assert "choose photos" in said(done)
    assert isinstance(built().folder, gr.State)


def test_a_zip_that_is_none_is_said_and_the_rest_counts(pictures: list[str], tmp_path: Path) -> None:
    (tmp_path / "bad.zip").write_bytes(b"no archive")
    with zipfile.ZipFile(tmp_path / "good.zip", "w") as made:
        made.write(pictures[0], "c.png")
    *_, (found, done) = built().on_change([*pictures, str(tmp_path / "bad.zip"), str(tmp_path / "good.zip")], "")
    assert len(found) == 4
    assert "4 pictures · 1 of them cannot be opened" in said(done)
