"""`replay` asks a saved conversation again on a real model, and its exit code says whether the answers are the same."""

import json
from pathlib import Path

import pytest
from PIL import Image

from blip2 import chat, cli, transcript
from blip2.backends.local import LocalBackend
from blip2.chat import Conversation
from blip2.images import picture_from
from blip2.values import Decoding


@pytest.fixture(scope="module")
def saved(opt_folder: Path) -> str:
    """A conversation whose second turn was sampled."""
    backend = LocalBackend([str(opt_folder)], device="cpu")
    picture = picture_from(Image.linear_gradient("L"), "grey.png")
    talk = Conversation(str(opt_folder), picture, decoding=Decoding(max_new_tokens=6), seed=4)
    *_, talk = chat.ask(backend, talk, "which city is this?")
    talk = Conversation(
        talk.model, talk.picture, talk.turns, Decoding("nucleus", min_new_tokens=6, max_new_tokens=6), 4
    )
    *_, talk = chat.ask(backend, talk, "why?")
    backend.close()
    return transcript.to_json(talk, exported="now")


def test_the_same_model_gives_the_same_answers(saved: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "talk.json"
    file.write_text(saved, encoding="utf-8")
    assert cli.main(["replay", str(file)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split("?")[0] for line in lines] == ["same: which city is this", "same: why"]
    assert cli.main(["replay", str(file), "--json"]) == 0
    assert [item["note"] for item in json.loads(capsys.readouterr().out)] == ["", ""]


def test_a_different_answer_is_exit_code_1(saved: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = json.loads(saved)
    data["turns"][1]["answer"] = "something else"
    file = tmp_path / "talk.json"
    file.write_text(json.dumps(data), encoding="utf-8")
    assert cli.main(["replay", str(file), "--json"]) == 1
    outcomes = json.loads(capsys.readouterr().out)
    assert [item["outcome"] for item in outcomes] == ["same", "different"]
    assert outcomes[1]["recorded"] == "something else"


def test_a_file_that_is_missing_or_no_conversation_is_exit_code_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "talk.json"
    assert cli.main(["replay", str(file)]) == 2
    file.write_text("{}", encoding="utf-8")
    assert cli.main(["replay", str(file)]) == 2
    missing, other = capsys.readouterr().err.splitlines()
    assert "check the path" in missing
    assert "no exported conversation" in other
