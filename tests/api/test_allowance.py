"""What an address may send grows back, is its own, and is counted while the body comes."""

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from blip2.api.allowance import Allowance, forwarded
from blip2.api.guard import Guard


def test_it_grows_back_and_is_each_addresses_own() -> None:
    now = [0.0]
    allowance = Allowance({"bytes": (100, 50.0)}, clock=lambda: now[0])
    assert allowance.take("bytes", "a", 80) is None
    refused = allowance.take("bytes", "a", 40)
    assert refused is not None
    assert refused.retry == 10
    assert allowance.take("bytes", "b", 100) is None
    now[0] = 10.0
    assert allowance.take("bytes", "a", 40) is None
    assert allowance.take("files", "a", 10**9) is None, "what has no limit is not counted"


@pytest.mark.parametrize(
    ("header", "trust", "address"),
    [("6.6.6.6", False, "1.1.1.1"), ("6.6.6.6, 2.2.2.2", True, "2.2.2.2"), ("", True, "1.1.1.1")],
)
def test_only_a_trusted_proxy_names_the_address(header: str, trust: bool, address: str) -> None:
    assert forwarded("1.1.1.1", header, trust) == address


def file(size: int) -> dict[str, tuple[str, bytes]]:
    return {"files": ("a.gif", b"GIF89a" + bytes(size))}


def client_for(trust: bool = False, **limits: tuple[int, float]) -> TestClient:
    async def echo(request: Request) -> PlainTextResponse:
        return PlainTextResponse(str(len(await request.body())))

    paths = ("/gradio_api/upload", "/login", "/other")
    allowance = Allowance({name.replace("_", "-"): limit for name, limit in limits.items()})
    guard = Middleware(Guard, max_body=10_000, allowance=allowance, trust_proxy=trust)
    return TestClient(Starlette(routes=[Route(p, echo, methods=["POST"]) for p in paths], middleware=[guard]))


def test_uploads_past_the_bytes_or_files_are_refused_with_a_sentence_and_other_requests_go_on() -> None:
    client = client_for(bytes=(1200, 3600.0))
    assert client.post("/gradio_api/upload", files=file(900)).status_code == 200
    refused = client.post("/gradio_api/upload", files=file(200))
    assert refused.status_code == 429
    assert "please go on in" in refused.json()["detail"]
    assert int(refused.headers["retry-after"]) > 0
    assert client.post("/other", content=b"x" * 2000).status_code == 200
    client = client_for(files=(2, 60.0))
    three = [("files", (f"{n}.png", b"x")) for n in range(3)]
    unquoted = b"--x\r\ncontent-disposition: form-data; name=files; filename=a.png\r\n\r\nx\r\n" * 3 + b"--x--\r\n"
    form = {"content-type": "multipart/form-data; boundary=x"}
    assert client.post("/gradio_api/upload", content=unquoted, headers=form).status_code == 429
    assert client.post("/gradio_api/upload", files=three[:2]).status_code == 200
    assert client.post("/gradio_api/upload", files=three).status_code == 429


def test_an_untrusted_header_buys_no_new_allowance() -> None:
    for trust, expected in ((False, 429), (True, 200)):
        client = client_for(trust, bytes=(1000, 3600.0))
        codes = [
            client.post("/gradio_api/upload", files=file(500), headers={"x-forwarded-for": f"9.9.9.{n}"}).status_code
            for n in range(2)
        ]
        assert codes == [200, expected]


def test_guessing_passwords_is_slowed_down() -> None:
    client = client_for(sign_ins=(3, 60.0))
    assert [client.post("/login").status_code for _ in range(4)] == [200, 200, 200, 429]
