"""The chat by gradio's own client: what a program does with the page's named actions, in one session."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from gradio_client import Client, handle_file
from patient import PatientBackend, is_plain
from PIL import Image

from blip2.settings import Settings
from blip2.ui.shell import TABS, page, serve
from blip2.ui.studio import Studio

OPT = "pocket/opt"


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    backend, settings = PatientBackend(), Settings(port=0)
    blocks = page(Studio(settings, backend, is_plain), [tab for tab in TABS if tab.title == "Chat"])
    yield Client(serve(blocks, settings), verbose=False, httpx_kwargs={"timeout": None})
    blocks.close(verbose=False)
    backend.close()


@pytest.fixture
def picture(tmp_path: Path) -> object:
    Image.new("RGB", (40, 30), "teal").save(tmp_path / "teal.png")
    return handle_file(tmp_path / "teal.png")


def test_a_conversation_from_upload_to_file(client: Client, picture: object):
    told = client.predict(picture, "Which animal is it?", OPT, api_name="/ask")
    assert (told["answer"], told["finish"], told["model"]) == ("a dog", "end", OPT)
    told = client.predict(picture, "What does it eat?", OPT, api_name="/ask")
    assert told["answer"] == "meat"
    assert told["prompt"].startswith("Question: Which animal is it? Answer: a dog. Question:"), "one session remembers"

    assert client.predict("pocket/t5", api_name="/retry")["model"] == "pocket/t5"
    saved, _ = client.predict(api_name="/save_json")
    assert [turn["model"] for turn in json.loads(saved["text"])["turns"]] == [OPT, "pocket/t5"]
    client.predict(OPT, api_name="/undo")
    assert "What does it eat?" not in client.predict(api_name="/save_markdown")[0]["text"]
    assert client.predict(api_name="/save_html")[0]["text"].startswith("<!doctype html>")
    client.predict(OPT, api_name="/clear")
    told = client.predict(picture, "What does it eat?", OPT, api_name="/ask")
    assert told["prompt"] == "Question: What does it eat? Answer:"


def test_where_it_looked_and_a_link_to_the_settings(client: Client, picture: object):
    told = client.predict(picture, OPT, api_name="/where_it_looked")
    assert sum(map(sum, told["map"])) == pytest.approx(1, abs=1e-3)
    assert told["most"]
    assert "add one" in client.predict(None, OPT, api_name="/where_it_looked")["error"]
    link, _ = client.predict(picture, OPT, num_beams=3, api_name="/link")
    assert link == {"query": "?model=pocket%2Fopt&num_beams=3"}


def test_what_fails_is_a_sentence(client: Client, picture: object):
    assert "empty" in client.predict(picture, " ", OPT, api_name="/ask")["error"]
    assert "no picture" in client.predict(None, "What is it?", OPT, api_name="/ask")["error"]
    assert "requests are waiting" in client.predict(picture, "Are you busy?", OPT, api_name="/ask")["error"]


def test_stop_ends_an_answer_and_its_text_stays(client: Client, picture: object):
    job = client.submit(picture, "Count slowly", OPT, api_name="/ask")
    for told in job:
        if told.get("answer") == "one two three":
            client.predict(api_name="/stop")
            break
    told = job.result()
    assert (told["answer"], told["finish"]) == ("one two three", "cancelled")
