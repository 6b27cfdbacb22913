"""Whose request it is that an API route answers, for a host that lends GPUs: it asks gradio, which knows its own only.

The host counts what a visitor's calls take, by a header of the request. Without it they are counted as the host's own,
who has far less.
"""

import gradio as gr
from gradio.context import LocalContext
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send


class Whose:
    """ASGI middleware before all routes: the request at hand is gradio's current one, for whatever it sets going."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            LocalContext.request.set(gr.Request(request=Request(scope)))
        await self.app(scope, receive, send)
