"""Streams of the page: gradio may merge two steps that come together, and the later one must lose nothing by it."""

from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gradio as gr
import pytest
from chatting import RED
from comparing import ITM, OPT, T5, TwoVoices, voices

from blip2.errors import Busy
from blip2.settings import Settings
from blip2.ui.picture import PictureFrame
from blip2.ui.shell import TABS, page
from blip2.ui.studio import Studio

CHAT = {"chat-bot", "chat-box", "chat-remark"}
COMPARE = {"compare-rounds", "compare-box", "compare-vote-left", "compare-again"}


def answers(model: str, question: str) -> str:
    if "busy" in question:
        raise Busy("64 requests are waiting; try again in a moment.")
    return voices(model, question)


def named(step: dict[Any, Any]) -> set[str]:
    """The components of a step, but for the notice: what was said of something else meanwhile must stay."""
    every = {f"{component.elem_id or type(component).__name__} {component._id}" for component in step}
    return {name for name in every if "-notice " not in name}


@pytest.mark.parametrize("question", ["What is it?", "Are you busy?"])
@pytest.mark.parametrize(("title", "changed"), [("Chat", CHAT), ("Compare", COMPARE)])
def test_no_step_of_an_answer_leaves_out_what_an_earlier_one_changed(
    title: str, changed: set[str], question: str, tmp_path: Path
) -> None:
    backend = TwoVoices(answers, (OPT, T5, ITM))
    studio = Studio(Settings(port=0, data=str(tmp_path)), backend, lambda picture: False)
    blocks = page(studio, [tab for tab in TABS if tab.title == title])
    event: Any = next(each for each in blocks.fns.values() if each.name == "on_ask")
    given = [
        RED if isinstance(each, PictureFrame) else question if isinstance(each, gr.Textbox) else each.value
        for each in event.inputs
    ]
    gate, steps = backend.gate("opt"), []
    for step in event.fn(SimpleNamespace(session_hash="ann", username=None), *given):
        if step:
            steps.append(step)
        if len(steps) == 2:
            gate.set()  # so that a step comes in which the answer is half written
    assert changed <= {name.split()[0] for name in named(steps[0])}
    assert len(steps) > 1
    for before, after in pairwise(map(named, steps)):
        assert before - after == set()
    backend.close()
