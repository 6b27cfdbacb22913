"""The shell: header, tabs, and the one way the page is launched, on a plain machine and on Spaces alike.

A tab is a title and a function that builds it; a new one is a module and a line in `TABS`. The API's routes, its guard
and its life join gradio's server, so that one port serves both.
"""

import asyncio
import os
import signal
import threading
import urllib.request
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr
from starlette.middleware import Middleware

from blip2.api import server as api
from blip2.api.service import Service
from blip2.backends.base import Backend
from blip2.errors import BadSetting
from blip2.evaluation import browse
from blip2.people import People
from blip2.settings import Settings
from blip2.ui import empty_state, theme
from blip2.ui.caption_tab import caption_tab
from blip2.ui.chat_tab import chat_tab
from blip2.ui.compare_tab import compare_tab
from blip2.ui.evaluate_tab import evaluate_tab
from blip2.ui.fetching import fetch_by
from blip2.ui.match_tab import match_tab
from blip2.ui.mcp_tools import AskOnce, name_tools
from blip2.ui.models_tab import models_tab
from blip2.ui.offered import keep_offered
from blip2.ui.origins import leave_to_the_guard
from blip2.ui.picture import PictureFrame
from blip2.ui.search_tab import search_tab
from blip2.ui.studio import Studio
from blip2.ui.whose import Whose

TITLE = "BLIP-2 Studio"
SESSIONS = 500  # visitors whose state is kept; gradio holds about 100 kB of each
SPARE = 40  # threads beside those that wait for answers: for stopping them, among others
EVENTS = 256  # that wait for a thread; more are refused by gradio, in its own words
QUIETLY: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
ONLY_HERE = ("127.0.0.1", "localhost", "::1")  # addresses that no other machine can reach
KEEP = 86_400  # seconds that an uploaded picture stays on disk: longer than any visit


@dataclass(frozen=True)
class Tab:
    """One tab: its title, what builds it, and whether there is something to show in it."""

    title: str
    build: Callable[[Studio], None]
    wanted: Callable[[Studio], bool] = lambda studio: True


TABS: tuple[Tab, ...] = (
    Tab("Chat", chat_tab),
    Tab("Compare", compare_tab),
    Tab("Caption", caption_tab),
    Tab("Match", match_tab),
    Tab("Search", search_tab),
    Tab("Evaluate", evaluate_tab, lambda studio: bool(browse.runs(Path(studio.settings.runs)))),
    Tab("Models", models_tab),
)


def page(studio: Studio, tabs: Sequence[Tab] = TABS) -> gr.Blocks:
    """The whole page. With a single tab there is no bar of tabs."""
    tabs = [tab for tab in tabs if tab.wanted(studio)]
    with gr.Blocks(title=TITLE, delete_cache=(3600, KEEP), analytics_enabled=False, fill_width=True) as blocks:
        brand = gr.HTML(_header(studio), elem_id="brand", padding=False)
        if len(tabs) == 1:
            tabs[0].build(studio)
        else:
            with gr.Tabs(elem_id="tabs"):
                for tab in tabs:
                    with gr.Tab(tab.title, id=tab.title.lower()):
                        tab.build(studio)
        if studio.settings.mcp:
            AskOnce(studio).wire()
        keep_offered(blocks, studio.backend)
        blocks.load(lambda: _header(studio), None, brand, queue=False, **QUIETLY)
    for frame in blocks.blocks.values():
        if isinstance(frame, PictureFrame):
            frame.limit(studio.settings.max_upload_mb * 1_000_000)
    # Queued actions are not open to direct calls: those would pass by the queue's limits. Models have queues of their
    # own, whose places and refusals are told in words; gradio's only bounds the events that nobody has looked at yet.
    return blocks.queue(api_open=False, default_concurrency_limit=8, max_size=EVENTS)


def launch(settings: Settings, backend: Backend) -> None:
    """Serve the page and the API until told to stop; then let answers finish and close the backend."""
    service = Service(backend, settings)
    blocks = page(Studio(settings, backend))
    try:
        address = serve(blocks, settings, {"routes": api.routes(service), "lifespan": api.lifespan(service)})
        print(f"{TITLE} is ready: {address}", flush=True)
        if settings.share:
            print(f"{TITLE} is open to whoever has this link: {blocks.share_url}", flush=True)
        _until_told()
        service.drain()
    finally:
        blocks.close(verbose=False)
        backend.close()


def serve(blocks: gr.Blocks, settings: Settings, joined: Mapping[str, Any] | None = None) -> str:
    """Start serving and return the address; the one place that calls gradio's launch.

    `joined` goes to the server beneath: routes beside the page's, a lifespan. Raises `BadSetting` for an address that
    cannot be had, and where MCP is asked for and not installed, or a link and there is none.
    """
    api.listener(settings).close()  # gradio says less of an address that cannot be had
    fetch_by(settings)
    _past_proxies(settings.host)
    leave_to_the_guard()
    if settings.mcp:
        name_tools()
    try:
        _, address, _ = blocks.launch(
            server_name=api.bracketed(settings.host),
            server_port=settings.port or None,
            root_path=settings.root_path or None,
            auth=sign_in(settings.people()),
            max_file_size=max(settings.max_upload_mb, settings.max_album_mb) * 1_000_000,
            app_kwargs={"middleware": before(settings), "docs_url": None, **(joined or {})},
            theme=theme.theme(),
            css=theme.stylesheet(),
            head=theme.head(),
            footer_links=["api", "settings"],
            state_session_capacity=SESSIONS,
            max_threads=settings.at_once + SPARE,  # each answer that is waited for holds one
            mcp_server=settings.mcp,
            ssr_mode=False,
            run_history=False,
            enable_monitoring=False,
            show_error=False,
            share=settings.share,
            quiet=True,
            prevent_thread_lock=True,
            _frontend=False,  # gradio would ask for its own page first, and give up where a busy machine takes 3 s
        )
    except OSError as error:
        raise BadSetting(
            f"Nothing can be served on {settings.host}, port {settings.port}: {error} Choose another with --port."
        ) from error
    if settings.share and not blocks.share_url:
        blocks.close(verbose=False)
        raise BadSetting("No link could be had; see whether this machine reaches gradio.live, or leave out --share.")
    return str(address)


def _past_proxies(host: str) -> None:
    """Have this process reach itself without the proxy that the environment may name; gradio's start asks itself."""
    named = urllib.request.getproxies().get("no", "")
    if named.strip() == "*":  # it counts only while it stands alone
        return
    always = ",".join(dict.fromkeys([*filter(None, named.split(",")), *ONLY_HERE, host]))
    os.environ["no_proxy"] = os.environ["NO_PROXY"] = always


def before(settings: Settings) -> list[Middleware]:
    """What stands before every route, the page's and the API's."""
    return [*api.middleware(settings), *([Middleware(Whose)] if settings.zerogpu else [])]


def sign_in(people: People | None) -> Callable[[str, str], Awaitable[bool]] | None:
    """What gradio asks whether a name and password are right; a check takes a while, so it leaves the event loop."""
    if people is None:
        return None

    async def admits(name: str, password: str) -> bool:
        return await asyncio.to_thread(people.admits, name, password)

    return admits


def _until_told() -> None:
    """Wait for Ctrl-C or SIGTERM; gradio alone would die of the latter without closing anything."""
    told = threading.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, lambda *_: told.set())
    told.wait()


def _header(studio: Studio) -> str:
    answering = [info for info in studio.backend.models() if info.family != "itm"]
    is_here = studio.settings.host in ONLY_HERE and not studio.settings.share
    own = " Everything stays on this machine." if is_here else ""
    return (
        '<header class="brand"><span class="mark" aria-hidden="true"><i></i><i></i></span>'
        f"<div><h1>{TITLE}</h1><p>Talk about a picture.{own}</p></div>"
        f"{empty_state.state_pill(answering)}</header>"
    )
