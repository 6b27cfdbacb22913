"""Fields hand over what was put in, whatever it is: nothing is raised before an action can say what is wrong."""

from pathlib import Path

import gradio as gr
import pytest
from gradio.data_classes import ListFiles

import blip2.ui.fields
from blip2.backends.scripted import ScriptedBackend
from blip2.settings import Settings
from blip2.ui.fields import Knob, NumberBox, file_drop
from blip2.ui.shell import page
from blip2.ui.studio import Studio


@pytest.mark.parametrize("typed", [99999, -5, 2.5, None, "many", 10**30])
def test_a_number_of_any_kind_reaches_the_action(typed: object):
    assert Knob(1, 8, 1, step=1).preprocess(typed) == typed
    assert NumberBox(0, minimum=0, maximum=9, precision=0).preprocess(typed) == typed


def test_a_file_of_any_kind_reaches_the_action(tmp_path: Path):
    (tmp_path / "notes.txt").write_text("no picture")
    sent = ListFiles(root=[{"path": str(tmp_path / "notes.txt"), "meta": {"_type": "gradio.FileData"}}])
    drop = file_drop("pictures", file_count="multiple")
    assert [str(each) for each in drop.preprocess(sent)] == [str(tmp_path / "notes.txt")]
    assert {"file-drop", "takes-pictures"} <= set(drop.elem_classes)


def test_what_a_visitor_can_reach_is_made_of_them(tmp_path: Path):
    blocks = page(Studio(Settings(folders=(str(tmp_path),), data=str(tmp_path), runs=str(tmp_path)), ScriptedBackend()))
    numbers = [each for each in blocks.blocks.values() if isinstance(each, gr.Slider | gr.Number)]
    assert numbers
    assert [each.label for each in numbers if not isinstance(each, Knob | NumberBox)] == []
    files = [each for each in blocks.blocks.values() if isinstance(each, gr.File)]
    assert [each.label for each in files if each.file_types] == []


def test_no_stub_file_is_written_beside_the_module():
    assert not Path(blip2.ui.fields.__file__).with_suffix(".pyi").exists()
