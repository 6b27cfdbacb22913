"""Number and file fields that hand over whatever a visitor put in.

Gradio's own refuse a number out of range and a file of another kind by raising, and that covers everything the event
shows with a red word. Here the actions look at the value, and say in a sentence what is wrong and what to do. It knows
no range and no kind of file.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import gradio as gr
from gradio import component_meta


@contextmanager
def no_stub_file() -> Iterator[None]:
    """Gradio writes a .pyi file beside each module that subclasses a component, at import; not here."""
    write = component_meta.create_or_modify_pyi
    component_meta.create_or_modify_pyi = lambda *_: None
    try:
        yield
    finally:
        component_meta.create_or_modify_pyi = write


with no_stub_file():

    class Knob(gr.Slider):  # type: ignore[misc]  # gradio's classes are untyped
        """A slider; gives the number that was typed beside it, in its range or not, or None where it was emptied."""

        is_template = True  # the stock front end

        def preprocess(self, payload: Any) -> Any:
            return payload

    class NumberBox(gr.Number):  # type: ignore[misc]
        """A number, as it was typed: not rounded, in no range, or None."""

        is_template = True

        def preprocess(self, payload: Any) -> Any:
            return payload

    class FileDrop(gr.File):  # type: ignore[misc]
        """Takes files of every kind."""

        is_template = True


def file_drop(suits: str, **given: Any) -> FileDrop:
    """A field for files, as paths; the page's script has the browser offer `suits` first: "pictures" or "indexes"."""
    return FileDrop(type="filepath", elem_classes=["file-drop", f"takes-{suits}"], **given)
