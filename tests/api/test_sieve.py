"""What an upload holds arrives whole where the page can use it, and as its first bytes where not."""

import io
import json
import zipfile

import pytest
from PIL import Image
from starlette.applications import Starlette
from starlette.datastructures import UploadFile
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from blip2.api.guard import Guard
from blip2.api.sieve import HEAD, Sieve, Unreadable, is_usable
from blip2.images import FORMATS


async def told(request: Request) -> JSONResponse:
    """The files of a form by name, as hexadecimal, and its other fields."""
    async with request.form() as form:
        items = form.multi_items()
        return JSONResponse(
            [
                [name, item.filename, (await item.read()).hex()] if isinstance(item, UploadFile) else [name, item]
                for name, item in items
            ]
        )


@pytest.fixture
def client() -> TestClient:
    routes = [Route("/gradio_api/upload", told, methods=["POST"])]
    guard = Middleware(Guard, max_body=1_000_000, max_upload=1_000_000)
    return TestClient(Starlette(routes=routes, middleware=[guard]))


def picture(kind: str) -> bytes:
    file = io.BytesIO()
    Image.effect_noise((64, 64), 50).convert("RGB").save(file, kind)
    return file.getvalue()


def zipped() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as made:
        made.writestr("a.png", b"x" * 200)
    return file.getvalue()


USED = {
    **{f"a.{kind.lower()}": picture(kind) for kind in FORMATS},
    "album.zip": zipped(),
    "talk.json": b"\xef\xbb\xbf\r\n  " + json.dumps({"turns": ["x" * 200]}).encode(),
    "pictures.index": (300).to_bytes(8, "little") + b'{"__metadata__": {}}' + b" " * 400,
}
FOREIGN = {
    "page.html": b"<html><script>alert(1)</script>" + b"x" * 500,
    "a.png": b"MZ\x90\x00" + b"\x00" * 500,
    "clip.mp4": b"\x00\x00\x00\x18ftypmp42" + b"\x00" * 500,
    "paper.pdf": b"%PDF-1.7\n" + b"x" * 500,
    "run.sh": b"#!/bin/sh\nexit\n" + b"#" * 500,
    "short.txt": b"short",
    "empty.txt": b"",
}


@pytest.mark.parametrize("name", USED)
def test_what_the_page_can_use_arrives_whole(client: TestClient, name: str) -> None:
    answer = client.post("/gradio_api/upload", files={"files": (name, USED[name])}, data={"note": "kept as it is"})
    assert answer.json() == [["note", "kept as it is"], ["files", name, USED[name].hex()]]


@pytest.mark.parametrize("name", FOREIGN)
def test_of_anything_else_the_first_bytes_arrive_and_the_others_whole(client: TestClient, name: str) -> None:
    files = [("files", (each, data)) for each, data in ((name, FOREIGN[name]), ("b.png", USED["a.png"]))]
    answer = client.post("/gradio_api/upload", files=files)
    assert answer.json() == [["files", name, FOREIGN[name][:HEAD].hex()], ["files", "b.png", USED["a.png"].hex()]]


def test_it_is_the_same_however_the_body_is_cut_into_chunks() -> None:
    body = b'--x\r\nContent-Disposition: form-data; name="files"; filename="a.png"\r\nContent-Type: image/png\r\n\r\n'
    body += USED["a.png"] + b"\r\n--x\r\ncontent-disposition: form-data; name=f; filename=b\r\n\r\n" + b"z" * 99
    body += b"\r\n--x--\r\n"
    whole = Sieve("multipart/form-data; boundary=x").sift(body)
    for size in (1, 7, 100):
        sieve = Sieve("multipart/form-data; boundary=x")
        assert b"".join(sieve.sift(body[at : at + size]) for at in range(0, len(body), size)) == whole
        assert sieve.files == 2
    assert whole.endswith(b"\r\n\r\n" + b"z" * HEAD + b"\r\n--x--\r\n")


def test_a_broken_end_is_one_for_every_parser_and_what_is_no_form_is_refused() -> None:
    form = "multipart/form-data; boundary=x"
    begun = b'--x\r\nContent-Disposition: form-data; name="files"; filename="a.png"\r\n\r\n' + USED["a.png"][:100]
    for length in range(len(begun) + 1):
        sieve = Sieve(form)
        passed = sieve.sift(begun[:length])
        with pytest.raises(Unreadable):
            Sieve(form).sift(passed + sieve.broken())
    for kind in ("", "application/json", "multipart/form-data", "text/plain; boundary=x"):
        with pytest.raises(Unreadable):
            Sieve(kind)


def test_a_picture_is_known_by_what_is_in_it() -> None:
    assert all(is_usable(data[:HEAD]) for data in USED.values())
    assert not any(is_usable(data[:HEAD]) for data in FOREIGN.values())
