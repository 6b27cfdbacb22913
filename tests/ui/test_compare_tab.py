"""The compare tab as programs use it: a served page, and gradio's client."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from comparing import OPT, T5, TwoVoices, voices
from gradio_client import Client, handle_file
from PIL import Image

from blip2.errors import Busy
from blip2.settings import Settings
from blip2.ui.shell import TABS, page, serve
from blip2.ui.studio import Studio
from blip2.ui.visit import CRASHED

COMPARE = [tab for tab in TABS if tab.title == "Compare"]


def answers(model: str, question: str) -> str:
    if "crash" in question:
        raise RuntimeError("wires crossed")
    if "busy" in question and model == "t5":
        raise Busy("64 requests are waiting; try again in a moment.")
    return voices(model, question)


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    settings = Settings(port=0, data=str(tmp_path_factory.mktemp("data")))
    blocks = page(Studio(settings, TwoVoices(answers, (OPT, T5)), lambda picture: False), COMPARE)
    yield serve(blocks, settings)
    blocks.close(verbose=False)


@pytest.fixture
def client(address: str) -> Client:
    return Client(address, verbose=False, httpx_kwargs={"timeout": None})


@pytest.fixture
def photo(tmp_path: Path) -> object:
    Image.new("RGB", (8, 8), "teal").save(tmp_path / "teal.png")
    return handle_file(tmp_path / "teal.png")


def test_every_action_is_named_and_described(client: Client):
    described = client.view_api(return_format="dict")["named_endpoints"]
    public = {
        "/compare", "/compare_again", "/compare_undo", "/compare_clear", "/compare_stop", "/vote", "/vote_results",
        "/votes_csv", "/my_votes_csv",
    }  # fmt: skip
    assert set(described) == public
    assert all(described[name]["description"] for name in public)
    assert [each["parameter_name"] for each in described["/compare"]["parameters"]] == [
        "picture", "question", "model_a", "model_b", "settings_a", "settings_b",
    ]  # fmt: skip


def test_a_program_compares_asks_on_and_votes(client: Client, photo: object):
    first = client.predict(photo, "What is it?", api_name="/compare")
    assert (first["left"]["model"], first["left"]["answer"], first["right"]["answer"]) == (
        "opt",
        "a red square",
        "a box",
    )
    assert first["error"] is None
    again = client.predict(photo, "Why?", "t5", "opt", {"method": "greedy"}, {"seed": 3}, api_name="/compare")
    assert again["left"]["prompt"] == "Question: What is it? Answer: a red square. Question: Why? Answer:"
    assert again["left"]["model"] == "t5"
    assert client.predict("right", api_name="/vote") == {"verdict": "right", "error": None}
    counted = client.predict(api_name="/vote_results")
    assert (counted["pairs"][0]["first_wins"], counted["pairs"][0]["second_wins"]) == (1, 0)
    assert client.predict(api_name="/votes_csv")[0]["text"].startswith("first,second,votes")
    mine = client.predict(api_name="/my_votes_csv")[0]
    assert (mine["name"], mine["type"]) == ("my-votes.csv", "text/csv")
    assert "Why?" in mine["text"]
    assert client.predict("", api_name="/vote") == {"verdict": None, "error": None}
    assert client.predict(api_name="/vote_results")["votes"] == 0


def test_what_goes_wrong_is_a_sentence(client: Client, photo: object):
    assert "two finished answers" in client.predict("left", api_name="/vote")["error"]
    half = client.predict(photo, "Are you busy?", api_name="/compare")
    assert half["left"]["answer"] == "a red square"
    assert half["right"]["error"] == "64 requests are waiting; try again in a moment."
    assert "no picture" in client.predict(None, "What is it?", api_name="/compare")["error"]
    wrong = client.predict(photo, "What is it?", "opt", "t5", {"beams": 3}, {"num_beams": 99}, api_name="/compare")
    assert "Unknown decoding setting: beams" in wrong["left"]["error"]
    assert "“Beams” (num_beams) is 99" in wrong["right"]["error"]
    assert client.predict(photo, "Will you crash?", api_name="/compare")["error"] == CRASHED
    unknown = client.predict(photo, "What is it?", "opt", "gpt", api_name="/compare")
    assert "gpt" in unknown["right"]["error"]


def test_one_sessions_votes_are_not_anothers(client: Client, address: str, photo: object):
    client.predict(photo, "A secret question?", api_name="/compare")
    client.predict("tie", api_name="/vote")
    other = Client(address, verbose=False, httpx_kwargs={"timeout": None})
    assert other.predict(api_name="/my_votes_csv")[0] is None
    assert "secret" not in str(other.predict(api_name="/votes_csv"))
    assert other.predict("left", api_name="/vote")["error"]


def test_a_visitor_has_a_share_and_no_more(photo: object, tmp_path: Path):
    settings = Settings(port=0, data=str(tmp_path), visitor_rate=1)
    blocks = page(Studio(settings, TwoVoices(answers, (OPT, T5)), lambda picture: False), COMPARE)
    try:
        client = Client(serve(blocks, settings), verbose=False, httpx_kwargs={"timeout": None})
        assert client.predict(photo, "What is it?", api_name="/compare")["error"] is None
        assert "try again in" in client.predict(photo, "Why?", api_name="/compare")["error"]
    finally:
        blocks.close(verbose=False)


def test_one_model_alone_stands_against_itself_searched_otherwise(tmp_path: Path):
    blocks = page(Studio(Settings(data=str(tmp_path)), TwoVoices(voices, (OPT,)), lambda picture: False), COMPARE)
    values = {block.elem_id: getattr(block, "value", None) for block in blocks.blocks.values()}
    assert (values["compare-a-model"], values["compare-b-model"]) == ("opt", "opt")
    assert (values["compare-a-method"], values["compare-b-method"]) == ("beam", "greedy")
