"""`ask` on a tiny real model: turns of one conversation, all that made an answer as JSON, sentences for mistakes."""

import io
import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from blip2 import cli
from blip2.backends.scripted import ScriptedBackend
from blip2.chat import Conversation
from blip2.cli.ask import converse
from blip2.images import open_picture
from blip2.prompts import build, fold


@pytest.fixture
def picture(tmp_path: Path) -> str:
    path = tmp_path / "grey.png"
    Image.linear_gradient("L").resize((60, 40)).convert("RGB").save(path)
    return str(path)


def ask(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = cli.main(["ask", *arguments])
    return (code, *capsys.readouterr())


def ask_json(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    code, out, err = ask(capsys, *arguments, "--json")
    assert code == 0, err
    data = json.loads(out)
    assert isinstance(data, dict)
    return data


def test_questions_are_turns_of_one_conversation(
    picture: str, opt_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    flags = ["--model", str(opt_folder), "--device", "cpu", "--min-new-tokens", "3"]
    data = ask_json(capsys, picture, "which city is this?", "why?", *flags)
    first, second = data["turns"]
    assert first["prompt"] == "Question: which city is this? Answer:"
    past = build(first["question"], count=len, budget=1000).text
    answer = fold(first["answer"])
    assert answer
    assert second["prompt"] == f"{past} {answer.removesuffix('.')}. Question: why? Answer:"
    assert data["picture"] == {"name": "grey.png", "digest": open_picture(picture).digest}
    for turn in data["turns"]:
        assert 0 < turn["confidence"] <= 1
        assert 0 < turn["times"]["first_token"] <= turn["times"]["total"]
        assert turn["new_tokens"] > 0
        assert turn["prompt_tokens"] > 0
        assert {"text", "logprob"} == set(turn["tokens"][0])
        assert turn["decoding"]["method"] == "beam"


def test_decoding_flags_reach_the_model(picture: str, t5_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    flags = ["--method", "nucleus", "--max-new-tokens", "3", "--min-new-tokens", "3", "--top-p", "0.5", "--seed", "9"]
    data = ask_json(capsys, picture, " a photo  of", "--model", str(t5_folder), "--raw", *flags)
    (turn,) = data["turns"]
    assert (turn["prompt"], turn["mode"], turn["seed"]) == (" a photo  of", "raw", 9)
    assert (turn["decoding"]["top_p"], turn["new_tokens"], turn["finish"]) == (0.5, 3, "length")


def test_without_json_each_answer_is_a_line(picture: str, opt_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    flags = ["--model", str(opt_folder)]
    turns = ask_json(capsys, picture, "which city is this?", "why?", *flags)["turns"]
    code, out, err = ask(capsys, picture, "which city is this?", "why?", *flags)
    assert code == 0
    assert out.splitlines() == [turn["answer"] for turn in turns]
    assert "\r" not in err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nowhere.png", "why?"], "nowhere.png"),
        (["PICTURE", " "], "question is empty"),
        (["PICTURE", "why?", "--model", "blip2_opt/pretrain_opt2.8b"], "pretrain_opt2.7b"),
        (["PICTURE", "why?", "--num-beams", "99"], "“Beams” (num_beams) is 99"),
        (["PICTURE", "why?", "--device", "gpu"], "choose one of auto, cpu"),
        (["PICTURE", "why " * 600], "at most"),
    ],
)
def test_mistakes_are_one_sentence_and_exit_code_2(
    arguments: list[str], said: str, picture: str, opt_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    typed = [picture if word == "PICTURE" else word for word in arguments]
    model = [] if "--model" in typed else ["--model", str(opt_folder)]
    code, out, err = ask(capsys, *typed, *model)
    assert (code, out) == (2, "")
    assert said in err
    assert err.count("\n") == 1


def test_a_folder_that_is_no_checkpoint_is_exit_code_1(
    picture: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = ask(capsys, picture, "why?", "--model", str(tmp_path))
    assert (code, out, err.count("\n")) == (1, "", 1)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_sees_the_answer_grow_and_the_line_cleared(
    picture: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    talk = Conversation("scripted/opt", open_picture(picture))
    converse(ScriptedBackend(default="two dogs"), talk, ["what is this?"])
    assert terminal.getvalue().split("\r\033[K") == [
        "",
        *("what is this?" + end for end in ("", " two", " two dogs", " two dogs")),
        "",
    ]
    assert capsys.readouterr().out == "two dogs\n"


def test_notices_go_to_the_error_stream(picture: str, capsys: pytest.CaptureFixture[str]) -> None:
    converse(ScriptedBackend(), Conversation("scripted/opt", open_picture(picture)), ["what is this </s>?"])
    out, err = capsys.readouterr()
    assert out == "\n"
    assert "plain text" in err
    assert "answered with nothing" in err
