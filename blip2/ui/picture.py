"""The picture frame: gradio's Image, which hands over an opened `Picture`, or the `BadImage` that says what is wrong.

Gradio's own decoding shows raw exceptions, opens what is far too large, and loses transparency and 16-bit ranges;
`blip2.images` is the one place where pictures are opened. Nothing is raised: an error in a component's preprocessing
would cover everything that the event updates.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import gradio as gr
from gradio import component_meta

from blip2.errors import BadImage
from blip2.images import MAX_BYTES, open_picture
from blip2.ui.visit import Seen
from blip2.values import Picture


@contextmanager
def _no_stub_file() -> Iterator[None]:
    """Gradio writes a .pyi file beside each module that subclasses a component, at import; not here."""
    write = component_meta.create_or_modify_pyi
    component_meta.create_or_modify_pyi = lambda *_: None
    try:
        yield
    finally:
        component_meta.create_or_modify_pyi = write


with _no_stub_file():

    class PictureFrame(gr.Image):  # type: ignore[misc]  # gradio's classes are untyped
        """Gives handlers `Picture | BadImage | None`; shows a `Picture`, a path or nothing.

        `largest` is in bytes: an upload may be larger where the page takes whole albums.
        With `format="png"` a `Picture` is stored without loss, so that it comes back with the same digest.
        """

        is_template = True  # the stock front end
        largest = MAX_BYTES

        def preprocess(self, payload: Any) -> Seen:
            """The uploaded file, opened. A picture inside the request itself is refused: no limit of size saw it."""
            if payload is None:
                return None
            if payload.path is None:
                return BadImage("Only uploaded files are accepted; choose or drop a picture file.")
            if os.path.isfile(payload.path) and os.path.getsize(payload.path) > self.largest:
                return BadImage(f"The picture is larger than {self.largest / 1e6:g} MB; make it smaller first.")
            try:
                return open_picture(payload.path, payload.orig_name or "")
            except BadImage as error:
                return error

        def postprocess(self, value: Any) -> Any:
            return super().postprocess(value.image if isinstance(value, Picture) else value)


def picture_frame(elem_id: str, alt: str, height: int = 300) -> PictureFrame:
    """The frame that a tab shows: for dropping, pasting, choosing or photographing a picture; `alt` says what it is."""
    return PictureFrame(
        format="png",
        label="Picture",
        show_label=False,
        sources=["upload", "webcam", "clipboard"],
        height=height,
        buttons=["fullscreen"],
        elem_id=elem_id,
        elem_classes="picture-frame",
        placeholder="Drop or paste a picture here\nor click to choose a file",
        alt_text=alt,
    )
