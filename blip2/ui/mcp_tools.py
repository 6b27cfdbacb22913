"""MCP: which of the page's endpoints other programs get as tools, by their own names, and a question without a session.

A tool call has no session, so what needs one (undoing, voting, an index being searched) is no tool.
"""

import functools
from typing import Any

import gradio as gr
from gradio_client import Client

from blip2 import chat
from blip2.chat import Conversation
from blip2.errors import BadSetting, Blip2Error
from blip2.ui import mcp_forms
from blip2.ui.picture import PictureFrame
from blip2.ui.studio import Studio
from blip2.ui.visit import Seen, told

TOOLS = (
    "ask_about_picture",
    "caption",
    "caption_files",
    "compare",
    "match",
    "classify",
    "where_matched",
    "extract_features",
    "models",
    "doctor",
    "vote_results",
)


class AskOnce:
    """One question about one picture, remembered nowhere."""

    def __init__(self, studio: Studio) -> None:
        self._studio = studio

    def wire(self) -> None:
        """Make the endpoint, on components that nobody sees."""
        with gr.Column(visible=False):
            picture = PictureFrame(format="png", label="picture")
            question, model = gr.Textbox("", label="question"), gr.Textbox("", label="model")
            answer, asked = gr.JSON(label="answer"), gr.Button()
        given = [picture, question, model]
        asked.click(self.on_ask, given, answer, api_name=TOOLS[0], concurrency_limit=None, show_progress="hidden")

    def on_ask(self, request: gr.Request, picture: Seen, question: str, model: str) -> dict[str, Any]:
        """Ask one question about a picture: the answer, how sure the model is, and why it ended.

        Args:
            picture: the picture.
            question: the question, in plain words.
            model: one of those that `models` lists; empty takes the first that answers questions.
        """
        try:
            with self._studio.visitors.admitted(request.session_hash or ""):
                return self._answer(picture, question, model, request.session_hash or "")
        except Exception as error:
            return {"error": told(error)}

    def _answer(self, picture: Seen, question: str, model: str, visitor: str) -> dict[str, Any]:
        if isinstance(picture, Blip2Error):
            raise picture
        backend = self._studio.backend
        name = model or next((info.name for info in backend.models() if info.family != "itm"), "")
        if not name:
            raise BadSetting("No model that answers questions is served here; its administrator can add one.")
        talk = chat.with_picture(Conversation(name), picture)
        *_, talk = chat.ask(backend, talk, question, visitor=visitor, deadline=self._studio.settings.deadline)
        turn = talk.turns[-1]
        return {
            "answer": turn.answer,
            "confidence": turn.confidence,
            "finish": turn.finish and str(turn.finish),
            "prompt": turn.prompt,
            "model": turn.model,
        }


def name_tools() -> None:
    """Have gradio's MCP server offer `TOOLS`, by the names that the API has for them.

    By itself it offers every endpoint, by the names of the functions behind them. Raises `BadSetting` where MCP is not
    installed: gradio would go on without it.
    """
    try:
        import gradio.mcp
        import mcp  # noqa: F401
        from gradio.mcp import GradioMCPServer
    except ImportError as error:
        raise BadSetting(
            "MCP needs its package; install it with: pip install 'blip2-studio[mcp]', or leave out --mcp."
        ) from error

    def tools(server: Any) -> dict[str, str]:
        named = server.api_info["named_endpoints"]
        return {name: f"/{name}" for name in TOOLS if f"/{name}" in named}

    files = getattr(GradioMCPServer.postprocess_output_data, "__wrapped__", GradioMCPServer.postprocess_output_data)

    @functools.wraps(files)
    def answers(server: Any, data: Any, root_url: str) -> list[Any]:
        return mcp_forms.answers(server, data, root_url, files)

    # It calls its own page, and httpx's five seconds of patience would tell "timed out" where the machine is busy.
    gradio.mcp.Client = functools.partial(Client, httpx_kwargs={"timeout": None})
    GradioMCPServer.get_tool_to_endpoint = tools
    GradioMCPServer.warn_about_state_inputs = lambda server: None  # a tool is meant to begin anew each time
    GradioMCPServer.get_input_schema = mcp_forms.input_schema
    GradioMCPServer.convert_strings_to_filedata = mcp_forms.with_files
    GradioMCPServer.pop_returned_state = staticmethod(mcp_forms.without_state)
    GradioMCPServer.postprocess_output_data = answers
