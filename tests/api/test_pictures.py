"""Pictures in requests: what is taken, and the status and field for what is not."""

import base64
from collections.abc import Callable

import pytest
from apiserver import PNG, ask
from starlette.testclient import TestClient

from blip2.api.failures import Refusal
from blip2.api.pictures import picture_at
from blip2.api.service import Service

DATA = PNG.split(",", 1)[1]


def test_the_forms_of_a_data_url(service: Service) -> None:
    digest = picture_at(service, PNG, "image").digest
    broken = DATA[:20] + "%0A" + DATA[20:]
    percent = "".join(f"%{byte:02x}" for byte in base64.b64decode(DATA))
    for url in (
        f"DATA:IMAGE/PNG;BASE64,{DATA}",
        f"data:;base64,{DATA}",
        f"data:image/png;name=x.png;base64,{DATA.rstrip('=')}",
        f"data:image/png;base64,{broken}",
        f"data:application/octet-stream;base64,{DATA}",
        f"data:image/png,{percent}",
    ):
        assert picture_at(service, url, "image").digest == digest


@pytest.mark.parametrize(
    ("url", "status"),
    [
        ("data:text/html;base64,PGI+", 415),
        ("data:image/png;base64,@@@@", 400),
        ("data:image/png;base64", 400),
        ("data:image/png;base64,", 422),
        ("data:image/svg+xml;base64,PHN2Zy8+", 422),
        (PNG[:90], 422),
        ("file:///etc/passwd", 400),
        ("/etc/passwd", 400),
        ("", 400),
        (DATA, 400),
    ],
)
def test_what_is_no_picture_has_its_status_and_field(service: Service, url: str, status: int) -> None:
    with pytest.raises(Refusal) as error:
        picture_at(service, url, "images[3]")
    assert (error.value.status, error.value.param) == (status, "images[3]")


def test_a_picture_over_the_limit_is_a_413(client_for: Callable[..., TestClient]) -> None:
    body = ask()
    big = base64.b64encode(b"\x89PNG" + bytes(1_100_000)).decode()
    body["messages"][0]["content"][1]["image_url"]["url"] = f"data:image/png;base64,{big}"
    answer = client_for(max_upload_mb=1).post("/v1/chat/completions", json=body)
    assert answer.status_code == 413
    assert answer.json()["error"]["param"] == "messages[0].content[1].image_url.url"
