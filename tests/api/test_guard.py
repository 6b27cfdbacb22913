"""The guard in front of every route."""

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from blip2.api.guard import Guard


async def echo(request: Request) -> PlainTextResponse:
    return PlainTextResponse(str(len(await request.body())))


@pytest.fixture
def client() -> TestClient:
    routes = [Route("/", echo, methods=["GET", "POST"])]
    return TestClient(Starlette(routes=routes, middleware=[Middleware(Guard, max_body=1000)]))


def test_the_browser_is_told_to_load_nothing_from_elsewhere(client: TestClient):
    policy = client.get("/").headers["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "img-src 'self' data: blob:" in policy
    assert "http:" not in policy


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        (None, 200),
        ("http://testserver", 200),
        ("http://evil.example", 403),
        ("http://testserver.evil.example", 403),
        ("http://testserver:81", 403),
        ("null", 403),
    ],
)
def test_pages_of_other_sites_are_refused(client: TestClient, origin: str | None, status: int):
    assert client.post("/", content=b"x", headers={"origin": origin} if origin else {}).status_code == status


def test_behind_a_proxy_the_outer_host_counts(client: TestClient):
    headers = {"origin": "https://studio.example", "x-forwarded-host": "studio.example"}
    assert client.post("/", content=b"x", headers=headers).status_code == 200


def test_bodies_are_bounded_declared_or_streamed(client: TestClient):
    assert client.post("/", content=b"x" * 1000).text == "1000"
    declared = client.post("/", content=b"x" * 1001)
    assert declared.status_code == 413
    assert "larger than" in declared.text
    streamed = client.post("/", content=(b"x" * 300 for _ in range(4)))
    assert streamed.status_code == 413
    assert "content-security-policy" in streamed.headers
    nonsense = client.post("/", content=b"x", headers={"content-length": "many"})
    assert nonsense.status_code == 400


def test_uploads_of_files_have_a_limit_of_their_own():
    routes = [Route(path, echo, methods=["POST"]) for path in ("/gradio_api/upload", "/x/gradio_api/upload")]
    guard = Middleware(Guard, max_body=10, max_upload=1000)
    client = TestClient(Starlette(routes=routes, middleware=[guard]))
    for size, status in ((700, 200), (1000, 413)):
        files = {"files": ("a.gif", b"GIF89a" + bytes(size), "image/gif")}
        assert client.post("/gradio_api/upload", files=files).status_code == status
    assert client.post("/x/gradio_api/upload", content=b"x" * 100).status_code == 413


def test_what_is_no_form_is_no_upload():
    async def echo_all(request: Request) -> PlainTextResponse:
        return await echo(request)

    app = Starlette(
        routes=[Route("/gradio_api/upload", echo_all, methods=["POST"])], middleware=[Middleware(Guard, max_body=1000)]
    )
    client = TestClient(app)
    form = {"content-type": "multipart/form-data; boundary=x"}
    for headers, body in ({}, b"GIF89a"), (form, b"--y\r\n\r\nGIF89a\r\n--y--\r\n"):  # type: ignore[misc]
        answer = client.post("/gradio_api/upload", content=body, headers=headers)
        assert (answer.status_code, "send it again" in answer.text) == (400, True)
