"""The API put together, beside the page or alone.

Beside the page: `routes(service)` and `middleware(settings)` go into gradio's `launch(app_kwargs=…)`, with
`lifespan(service)`; `service.drain()` before the page is closed lets answers finish. A `Service` is one server's state:

    service = Service(backend, settings)
    app_kwargs = {"routes": routes(service), "middleware": middleware(settings), "lifespan": lifespan(service)}

Alone: `python -m blip2 serve --no-ui` runs `serve`. The routes under /v1 are an application of their own, mounted, so
that errors, ids and limits are the same in both places. Its description is at /v1/openapi.json.
"""

import socket
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from types import FrameType
from typing import Any

import uvicorn
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount

import blip2
from blip2.api import (
    astray,
    captions,
    chat_completions,
    completions,
    embeddings,
    examples,
    features,
    health,
    hosts,
    match,
    models,
)
from blip2.api.allowance import SIGN_INS, Allowance
from blip2.api.failures import Refusal, refusal
from blip2.api.gate import Gate
from blip2.api.guard import Guard
from blip2.api.invalid import invalid
from blip2.api.lifecycle import GRACE
from blip2.api.running import Gone
from blip2.api.service import Service
from blip2.backends.base import Backend
from blip2.errors import BadSetting, Blip2Error
from blip2.settings import Settings

PARTS = (chat_completions, completions, embeddings, models, captions, match, features)
Lifespan = Callable[[Any], AbstractAsyncContextManager[None]]


def routes(service: Service) -> list[BaseRoute]:
    """All routes: /v1/…, /healthz, /readyz and /metrics, and a word for those who leave out /v1."""
    return [Mount("/v1", app=api(service)), *health.routes(service), *astray.routes()]


def middleware(settings: Settings) -> list[Middleware]:
    """What stands before every route, the page's too."""
    largest, album = ((megabytes + 1) * 1_000_000 for megabytes in (settings.max_upload_mb, settings.max_album_mb))
    allowance = Allowance(
        {
            "bytes": (settings.upload_mb_hour * 1_000_000, 3600.0),
            "files": (settings.upload_files_minute, 60.0),
            "sign-ins": (SIGN_INS, 60.0),
        }
    )
    return [
        Middleware(
            Guard,
            max_body=largest,
            origins=settings.cors_origins,
            max_upload=album,
            allowance=allowance,
            trust_proxy=settings.trust_proxy,
            names=hosts.expected(settings),
        )
    ]


def lifespan(service: Service) -> Lifespan:
    """Loads the models while the server is already answering `healthz`, and lets the threads go at the end."""

    @asynccontextmanager
    async def span(_: Any) -> AsyncIterator[None]:
        service.warm()
        yield
        service.close()

    return span


def app(service: Service) -> FastAPI:
    """The API alone, without the page."""
    return FastAPI(
        title="BLIP-2 Studio",
        routes=routes(service),
        middleware=middleware(service.settings),
        lifespan=lifespan(service),
        exception_handlers={HTTPException: _http},
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
    )


def api(service: Service) -> FastAPI:
    """The application under /v1."""
    made = FastAPI(
        title="BLIP-2 Studio",
        version=blip2.__version__,
        description=examples.ABOUT,
        docs_url=None,  # its page loads scripts from another host
        redoc_url=None,
        responses=examples.ERRORS,
        middleware=_middleware(service),
    )
    made.state.service = service
    for part in PARTS:
        made.include_router(part.router)
    made.add_exception_handler(RequestValidationError, _invalid)
    made.add_exception_handler(HTTPException, _http)
    for kind in (Refusal, Blip2Error, Gone, ClientDisconnect):
        made.add_exception_handler(kind, _failed)
    return made


def _middleware(service: Service) -> list[Middleware]:
    made = [Middleware(Gate, service=service)]
    if service.settings.cors_origins:
        made.insert(
            0,
            Middleware(
                CORSMiddleware,
                allow_origins=service.settings.cors_origins,
                allow_methods=("GET", "POST"),
                allow_headers=("*",),
                expose_headers=("x-request-id", "retry-after"),
            ),
        )
    return made


async def _invalid(_: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    return invalid(error.errors()).response()


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if error.status_code == 400:  # FastAPI's word for JSON that it cannot read, without a remedy
        return Refusal(400, "The body is not valid JSON; mend it and send it again.", None, "bad_json").response()
    what = {404: "There is no such route", 405: "The route takes another method"}.get(error.status_code)
    message = f"{what}; see /v1/openapi.json." if what else str(error.detail)
    return Refusal(error.status_code, message, None, None, error.headers or {}).response()


async def _failed(request: Request, error: Exception) -> Response:
    if isinstance(error, Gone | ClientDisconnect):
        request.state.outcome = "gone"
        return Response(status_code=499)  # read by the log only: the client has left
    return refusal(error).response()


class Server(uvicorn.Server):
    """Uvicorn that says where it serves and drains before it stops.

    The first SIGTERM or Ctrl-C takes nothing new and lets answers finish, the second stops at once.
    """

    def __init__(self, config: uvicorn.Config, service: Service, address: str = "") -> None:
        super().__init__(config)
        self._service = service
        self._address = address
        self._stopping = False

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        if self.started and self._address:
            print(f"The API is ready: {self._address}", flush=True)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        if self._stopping:
            super().handle_exit(sig, frame)
            return
        self._stopping = True
        threading.Thread(target=self._stop, name="api drain").start()

    def _stop(self) -> None:
        self._service.drain()
        self.should_exit = True  # not uvicorn's own handling: it would raise the signal anew at the end


def serve(settings: Settings, backend: Backend) -> None:
    """Serve the API alone until SIGTERM or Ctrl-C; answers under way get `settings.drain` seconds to finish.

    Raises `BadSetting` where nothing can be served at the settings' address. Closes the backend at the end.
    """
    listening = listener(settings)
    service = Service(backend, settings)
    config = uvicorn.Config(
        app(service),
        root_path=settings.root_path,
        access_log=False,
        log_config=None,
        timeout_graceful_shutdown=int(GRACE) + 2,
    )
    address = f"http://{bracketed(settings.host)}:{listening.getsockname()[1]}{settings.root_path}/v1"
    try:
        Server(config, service, address).run(sockets=[listening])
    finally:
        listening.close()
        backend.close()


def bracketed(host: str) -> str:
    """The host as it stands in a URL."""
    return f"[{host}]" if ":" in host else host


def listener(settings: Settings) -> socket.socket:
    """A socket that takes connections already. Raises `BadSetting` where the address cannot be had."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        return socket.create_server((settings.host, settings.port), family=family, backlog=2048)
    except OSError as error:
        raise BadSetting(
            f"Nothing can be served on {settings.host}, port {settings.port}: {error.strerror or error}. "
            "Choose another with --port or --host."
        ) from error
