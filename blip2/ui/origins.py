"""What pages of other sites are told: the guard's and the API's answer, and none of gradio's.

Gradio stands before them and answers a browser's question (a preflight) by itself, so that no site could call the API
beside the page, not even one that the settings name.
"""

from typing import Any

from gradio import routes
from starlette.types import ASGIApp, Receive, Scope, Send


class Onward:
    """In the place of gradio's middleware: everything goes on to what stands behind it."""

    def __init__(self, app: ASGIApp, **_: Any) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.app(scope, receive, send)


def leave_to_the_guard() -> None:
    """Have gradio say nothing to other sites from now on."""
    routes.CustomCORSMiddleware = Onward
