"""What the tabs share in which one asks about a picture: the row of examples, the questions offered, the question box.

Each part comes with its updates. It knows neither conversations nor models.
"""

from collections.abc import Sequence
from typing import Any

import gradio as gr

from blip2.ui import empty_state
from blip2.ui.examples import Example
from blip2.ui.visit import Seen
from blip2.values import Picture

CHIPS = 4
Updates = dict[Any, Any]


def example_row(shown: Sequence[Example], elem_id: str) -> gr.Gallery | None:
    """The examples under their heading; none where there are none."""
    if not shown:
        return None
    gr.HTML('<h2 class="quiet-title">Examples</h2>', padding=False)
    return gr.Gallery(
        [(example.thumbnail, example.title) for example in shown],
        label="Examples",
        show_label=False,
        columns=6,
        object_fit="cover",
        allow_preview=False,
        interactive=False,
        height="auto",
        buttons=[],
        elem_id=elem_id,
        elem_classes="example-row",
    )


def mark(gallery: gr.Gallery | None, shown: Sequence[Example], seen: Seen) -> Updates:
    """The mark on the example that is in the frame. -1 is none: None would leave the gallery's mark where it is."""
    if gallery is None:
        return {}
    digest = seen.digest if isinstance(seen, Picture) else ""
    at = next((at for at, example in enumerate(shown) if example.picture.digest == digest), -1)
    return {gallery: gr.update(selected_index=at)}


def chip_row(elem_id: str) -> list[gr.Button]:
    """The places of the questions offered, all empty."""
    with gr.Row(elem_id=elem_id):
        return [gr.Button("", size="sm", visible=False, min_width=0, elem_classes="chip") for _ in range(CHIPS)]


def offer(chips: Sequence[gr.Button], questions: Sequence[str], busy: bool) -> Updates:
    """The questions offered, which can be pressed unless an answer is being written."""
    offered: list[Any] = [gr.update(value=text, visible=True, interactive=not busy) for text in questions]
    return dict(zip(chips, [*offered, *[gr.update(visible=False)] * len(chips)], strict=False))


def question_box(elem_id: str, label: str, placeholder: str) -> gr.Textbox:
    """Where a question is typed; Enter sends it."""
    return gr.Textbox(
        label=label,
        show_label=False,
        container=False,
        lines=1,
        max_lines=6,
        placeholder=placeholder,
        submit_btn=True,
        elem_id=elem_id,
        html_attributes=gr.InputHTMLAttributes(autocomplete="off", enterkeyhint="send"),
    )


def boxed(busy: bool | None, text: str | None) -> Any:
    """The question box's update: a Stop button while an answer is written, a Send button otherwise. None: as it is."""
    changes: dict[str, Any] = {} if busy is None else {"submit_btn": not busy, "stop_btn": busy}
    return gr.update(**changes) if text is None else gr.update(value=text, **changes)


def remark(foreign: bool) -> Any:
    """The calm word under a picture that a chosen model cannot see; nothing where it can."""
    return gr.update(value=f'<p role="status">{empty_state.FOREIGN}</p>' if foreign else "", visible=foreign)
