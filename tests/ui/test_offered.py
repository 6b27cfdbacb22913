"""Lists of models follow what is loaded; other lists stay as they are."""

import gradio as gr

from blip2.backends.scripted import MODELS, ScriptedBackend
from blip2.ui.offered import keep_offered
from blip2.values import ModelInfo

LATE = (
    ModelInfo("late/t5", "Late T5", "t5", "scripted"),
    ModelInfo("late/itm", "Late matching", "itm", "scripted"),
)


def test_a_list_of_models_keeps_its_kind_and_its_empty_choice() -> None:
    backend = ScriptedBackend(models=MODELS, allow=LATE)
    with gr.Blocks() as blocks:
        writers = gr.Dropdown([(info.title, info.name) for info in MODELS[:2]], value="scripted/opt")
        matcher = gr.Dropdown([("Scripted matching", "scripted/itm"), ("No ranking", "")], value="scripted/itm")
        colour = gr.Dropdown(["red", "blue"], value="red")
        manager = gr.Dropdown([(info.title, info.name) for info in MODELS], elem_id="models-model")
        keep_offered(blocks, backend)
    (filled,) = blocks.fns.values()
    assert filled.fn is not None
    for info in LATE:
        backend.load(info.name)
    updates = filled.fn()
    assert set(updates) == {writers, matcher}
    assert not {colour, manager} & set(updates)
    names = [name for _, name in updates[writers]["choices"]]
    assert names == ["scripted/opt", "scripted/t5", "late/t5"]
    assert [name for _, name in updates[matcher]["choices"]] == ["scripted/itm", "late/itm", ""]
    assert "value" not in updates[writers], "what the visitor brought back stays"

    backend.unload("scripted/opt")
    assert filled.fn()[writers]["value"] == "scripted/t5"


def test_a_page_without_lists_of_models_asks_nothing() -> None:
    with gr.Blocks() as blocks:
        gr.Dropdown(["red", "blue"])
        keep_offered(blocks, ScriptedBackend())
    assert not blocks.fns
