"""Servers for the API's tests: as a test client, and on a port of its own for real clients."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from apiserver import HERE, listening, made
from starlette.testclient import TestClient

from blip2.api.server import app
from blip2.api.service import Service
from blip2.backends.base import Backend


@pytest.fixture
def service() -> Iterator[Service]:
    one = made()
    yield one
    one.close()


@pytest.fixture
def client(service: Service) -> Iterator[TestClient]:
    with TestClient(app(service), HERE, raise_server_exceptions=False) as opened:
        yield opened


@pytest.fixture
def client_for() -> Iterator[Callable[..., TestClient]]:
    """A client of a server with other settings, or another backend."""
    opened: list[TestClient] = []

    def build(backend: Backend | None = None, **settings: Any) -> TestClient:
        client = TestClient(app(made(backend, **settings)), HERE, raise_server_exceptions=False)
        client.__enter__()
        opened.append(client)
        return client

    yield build
    for client in opened:
        client.__exit__(None, None, None)


@pytest.fixture
def address(service: Service) -> Iterator[str]:
    with listening(service) as url:
        yield url
