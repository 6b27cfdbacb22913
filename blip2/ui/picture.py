"""The picture frame: gradio's Image, which hands over an opened `Picture`, or the `BadImage` that says what is wrong.

Gradio's own decoding shows raw exceptions, opens what is far too large, and loses transparency and 16-bit ranges;
`blip2.images` is the one place where pictures are opened. This component never raises.
"""

from typing import Any

import gradio as gr
from gradio.data_classes import ImageData

from blip2.errors import BadImage
from blip2.images import open_picture
from blip2.values import Picture


class PictureFrame(gr.Image):
    """An upload, a pasted or a webcam picture. `preprocess` gives `Picture | BadImage | None`."""

    is_template = True  # the stock front end

    def preprocess(self, payload: ImageData | None) -> Picture | BadImage | None:
        """Open the uploaded file. Pictures inside the request itself (data URLs) are refused: no size limit saw them."""
        if payload is None:
            return None
        if payload.path is None:
            return BadImage("Only uploaded files are accepted; choose or drop a picture file.")
        try:
            return open_picture(payload.path)
        except BadImage as error:
            return error
        except Exception:  # a decoder's own failure must not cover the page with an error
            return BadImage("This picture cannot be read; save it again as JPEG or PNG and try that file.")

    def postprocess(self, value: Any) -> ImageData | None:
        """Show a `Picture` (its exact pixels), a path or nothing."""
        return super().postprocess(value.image if isinstance(value, Picture) else value)
