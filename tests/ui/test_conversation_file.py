"""Saving a conversation and taking it up again."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from PIL import Image

from blip2 import chat
from blip2.backends.scripted import ScriptedBackend
from blip2.chat import Conversation
from blip2.errors import BadInput
from blip2.images import picture_from
from blip2.ui.conversation_file import read, save

NOW = datetime(2026, 1, 2, 3, 4, tzinfo=UTC)


@pytest.fixture
def talk() -> Conversation:
    start = Conversation("scripted/opt", picture_from(Image.new("RGB", (5, 5), "red"), "red.png"))
    *_, asked = chat.ask(ScriptedBackend(default="a square"), start, "What is it?")
    return asked


def test_both_forms_have_a_name_and_a_type(talk: Conversation):
    saved = save(talk, "json", NOW)
    assert (saved.name, saved.type) == ("conversation-2026-01-02-0304.json", "application/json")
    assert json.loads(saved.text)["turns"][0]["answer"] == "a square"
    text = save(talk, "markdown", NOW)
    assert (text.name, text.type) == ("conversation-2026-01-02-0304.md", "text/markdown")
    assert "What is it?" in text.text


def test_what_was_saved_is_read_back_and_goes_on_with_the_model_of_now(talk: Conversation, tmp_path: Path):
    path = tmp_path / "talk.json"
    path.write_text(save(talk, "json", NOW).text)
    again = read(path, "scripted/t5")
    assert again.model == "scripted/t5"
    assert again.turns == talk.turns
    assert again.picture == talk.picture


def test_an_empty_conversation_and_a_wrong_file_are_sentences(tmp_path: Path):
    with pytest.raises(BadInput, match="nothing to save"):
        save(Conversation("m"), "json")
    (tmp_path / "notes.json").write_text("[1, 2]")
    with pytest.raises(BadInput, match="no exported conversation"):
        read(tmp_path / "notes.json", "m")
