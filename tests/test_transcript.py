"""An exported conversation comes back equal, and a file that is anything else is refused with a sentence."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from PIL import Image

from blip2 import chat, transcript
from blip2.backends.scripted import ScriptedBackend
from blip2.chat import Conversation
from blip2.errors import BadInput
from blip2.images import picture_from
from blip2.values import Decoding, Picture

WHEN = "2026-01-02T03:04:05Z"


def picture(width: int = 31, name: str = "merlion.png") -> Picture:
    return picture_from(Image.linear_gradient("L").resize((width, 17)).convert("RGB"), name)


def conversation(answer: str = "a statue, it's \u201cold\u201d") -> Conversation:
    done = Conversation("scripted/opt", picture(), decoding=Decoding("nucleus", stop=("Question:",)), seed=3)
    for question in ("which city is this?", "pourquoi là?"):
        *_, done = chat.ask(ScriptedBackend(default=answer), done, question)
    return done


def exported(**options: Any) -> dict[str, Any]:
    data = json.loads(transcript.to_json(conversation(), exported=WHEN, **options))
    assert isinstance(data, dict)
    return data


def test_what_is_exported_comes_back_equal() -> None:
    done = conversation()
    back = transcript.from_json(transcript.to_json(done, exported=WHEN))
    assert back == done
    assert back.picture is not None
    assert done.picture is not None
    assert back.picture.image.tobytes() == done.picture.image.tobytes()


def test_the_file_holds_what_repeating_an_answer_needs() -> None:
    data = exported()
    turn = data["turns"][1]
    assert data["exported"] == WHEN
    assert data["versions"]["blip2"]
    assert data["picture"]["name"] == "merlion.png"
    assert len(data["picture"]["digest"]) == 64
    assert turn["prompt"].startswith("Question: which city is this? Answer: a statue")
    assert (turn["model"], turn["source"], turn["revision"], turn["dtype"]) == (
        "scripted/opt",
        "scripted",
        "1",
        "float32",
    )
    assert (turn["seed"], turn["decoding"]["method"], turn["decoding"]["stop"]) == (3, "nucleus", ["Question:"])


def test_without_its_pixels_it_needs_the_same_picture() -> None:
    done = conversation()
    text = transcript.to_json(done, exported=WHEN, embed=False)
    assert "base64" not in text
    assert transcript.from_json(text, done.picture) == done
    with pytest.raises(BadInput, match=r"merlion\.png; give the picture"):
        transcript.from_json(text)
    with pytest.raises(BadInput, match=r"another one, merlion\.png"):
        transcript.from_json(text, picture(99))


def test_an_empty_conversation_comes_back() -> None:
    empty = Conversation("scripted/opt")
    assert transcript.from_json(transcript.to_json(empty, exported=WHEN)) == empty


def test_a_picture_that_was_swapped_is_noticed() -> None:
    data = exported()
    other = conversation()
    data["picture"]["png"] = json.loads(transcript.to_json(replace(other, picture=picture(99)), exported=WHEN))[
        "picture"
    ]["png"]
    with pytest.raises(BadInput, match="not the one it was about"):
        transcript.from_json(json.dumps(data))


@pytest.mark.parametrize("text", ["", "hello", "[1, 2]", "{}", b"\xff\xfe\x00", "[" * 100_000, '{"format": "other"}'])
def test_other_files_are_refused(text: str | bytes) -> None:
    with pytest.raises(BadInput, match="no exported conversation"):
        transcript.from_json(text)


def _set(*path: str | int, to: Any) -> Callable[[dict[str, Any]], None]:
    def change(data: Any) -> None:
        for key in path[:-1]:
            data = data[key]
        data[path[-1]] = to

    return change


def _without(*path: str | int) -> Callable[[dict[str, Any]], None]:
    def change(data: Any) -> None:
        for key in path[:-1]:
            data = data[key]
        del data[path[-1]]

    return change


CHANGES: dict[str, Callable[[dict[str, Any]], None]] = {
    "version 2": _set("version", to=2),
    "no turns": _without("turns"),
    "turns no list": _set("turns", to={"a": 1}),
    "turn no object": _set("turns", 0, to="x"),
    "no answer": _without("turns", 0, "answer"),
    "answer a number": _set("turns", 0, "answer", to=3),
    "unknown field": _set("turns", 0, "more", to=3),
    "unknown finish": _set("turns", 0, "finish", to="tired"),
    "unknown mode": _set("mode", to="loud"),
    "turn without mode": _without("turns", 1, "mode"),
    "bad decoding": _set("turns", 0, "decoding", "num_beams", to=99),
    "unknown decoding": _set("decoding", "heat", to=1),
    "stop no list": _set("decoding", "stop", to="abc"),
    "seed a text": _set("seed", to="3"),
    "usage a text": _set("turns", 0, "usage", "total", to="long"),
    "confidence not finite": _set("turns", 0, "confidence", to=float("nan")),
    "token without text": _without("turns", 0, "tokens", 0, "text"),
    "no picture": _set("picture", to=None),
    "picture damaged": _set("picture", "png", to="data:image/png;base64,AAAA"),
    "picture no base64": _set("picture", "png", to="data:image/png;base64,%%%"),
    "picture elsewhere": _set("picture", "png", to="http://example.org/a.png"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_changed_file_is_refused_with_a_sentence(name: str) -> None:
    data = exported()
    CHANGES[name](data)
    with pytest.raises(BadInput, match=r"^[A-Z].*"):
        transcript.from_json(json.dumps(data))


def test_markdown_is_readable_and_cannot_be_broken_by_text() -> None:
    text = transcript.to_markdown(conversation("*bold* [x](y) <b> ```"), exported=WHEN)
    assert text.startswith("# Conversation about merlion.png")
    assert "## 1. which city is this?" in text
    assert r"\*bold\* \[x\](y) \<b\> \`\`\`" in text
    assert (
        "````\nQuestion: which city is this? Answer: *bold* [x](y) <b> ```. Question: pourquoi là? Answer:\n````"
        in text
    )
    assert "seed 3" in text


def test_markdown_without_a_picture_or_turns() -> None:
    assert "no picture" in transcript.to_markdown(Conversation("m"), exported=WHEN)
