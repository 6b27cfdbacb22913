"""The picture frame: gradio's Image, which hands over an opened `Picture`, or the `BadImage` that says what is wrong.

Gradio's own decoding shows raw exceptions, opens what is far too large, and loses transparency and 16-bit ranges;
`blip2.images` is the one place where pictures are opened. Nothing is raised: an error in a component's preprocessing
would cover everything that the event updates.
"""

import os
from typing import Any

import gradio as gr

from blip2.errors import BadImage
from blip2.images import MAX_BYTES, open_picture
from blip2.ui.fields import no_stub_file
from blip2.ui.notice import notice, sorry
from blip2.ui.visit import QUIET, Seen
from blip2.values import Picture

with no_stub_file():

    class PictureFrame(gr.Image):  # type: ignore[misc]  # gradio's classes are untyped
        """Gives handlers `Picture | BadImage | None`; shows a `Picture`, a path or nothing.

        `largest` is in bytes: an upload may be larger where the page takes whole albums. Gradio makes a visitor's frame
        anew, from what the first one was made of, whenever an event changes it; so the limit is part of that.
        With `format="png"` a `Picture` is stored without loss, so that it comes back with the same digest.
        """

        is_template = True  # the stock front end

        def __init__(self, *given: Any, largest: int = MAX_BYTES, **named: Any) -> None:
            super().__init__(*given, **named)
            self.largest = largest

        def get_config(self, cls: type[gr.blocks.Block] | None = None) -> dict[str, Any]:
            """What the front end is told: that of gradio's own, which reads the parameters by their names."""
            config: dict[str, Any] = super().get_config(cls or gr.Image)
            return config

        def limit(self, largest: int) -> None:
            """Take no file above so many bytes, in the frames of all visitors."""
            self.largest = largest
            self.constructor_args["largest"] = largest

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


def refuse(frame: PictureFrame, said: gr.HTML) -> None:
    """Have the frame say at once, in the line `said`, what is wrong with a file, and let go of it.

    A picture that can be used takes back what the line said before.
    """

    def on_look(seen: Seen) -> tuple[Any, Any]:
        """The frame and the line after something was put into it."""
        if isinstance(seen, BadImage):
            return None, sorry(seen)
        return gr.skip(), gr.skip() if seen is None else notice(QUIET)

    frame.change(on_look, frame, [frame, said], show_progress="hidden", queue=False, api_visibility="private")
