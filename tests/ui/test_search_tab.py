"""The search tab's streams: gradio may merge two steps that come together, and the last one must lose nothing by it."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

from blip2.backends.scripted import ScriptedBackend
from blip2.settings import Settings
from blip2.ui.shell import TABS, page
from blip2.ui.studio import Studio


def test_the_last_step_of_indexing_names_all_that_was_changed(tmp_path: Path) -> None:
    backend = ScriptedBackend()
    studio = Studio(Settings(port=0, data=str(tmp_path)), backend, lambda picture: False)
    blocks = page(studio, [tab for tab in TABS if tab.title == "Search"])
    on_scenes: Any = next(each.fn for each in blocks.fns.values() if each.name == "on_scenes")
    steps = list(on_scenes(SimpleNamespace(session_hash="ann", username=None), None, "scripted/itm"))
    changed = {component.elem_id or type(component).__name__ for step in steps for component in step}
    assert {"search-chips", "search-results", "search-facts", "State"} <= changed
    assert {component.elem_id or type(component).__name__ for component in steps[-1]} == changed
    backend.close()
