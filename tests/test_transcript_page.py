"""A conversation as a page to share: complete, escaped, and asking nothing of anybody."""

import base64
import io
import re

from PIL import Image

from blip2 import chat
from blip2.backends.scripted import ScriptedBackend
from blip2.chat import Conversation
from blip2.images import picture_from
from blip2.transcript_page import LONGEST, to_html

HOSTILE = '</p><script>alert("x")</script><img src=http://elsewhere.example/x.png>'


def a_page(answer: str = "a dog", question: str = "What is it?") -> str:
    picture = picture_from(Image.new("RGB", (3000, 1500), "teal"), 'a "quoted" <name>.png')
    talk = Conversation("scripted/opt", picture)
    *_, talk = chat.ask(ScriptedBackend(default=answer), talk, question)
    return to_html(talk, exported="2026-01-02T03:04:05+00:00")


def test_the_page_holds_the_turns_the_facts_and_the_picture_in_a_sensible_size():
    page = a_page()
    for part in ("What is it?", "a dog", "scripted/opt", "num_beams 5", "Question: What is it? Answer:", "2026-01-02"):
        assert part in page
    found = re.search(r"data:image/jpeg;base64,([^\"]+)", page)
    assert found
    assert Image.open(io.BytesIO(base64.b64decode(found.group(1)))).size == (LONGEST, LONGEST // 2)


def test_whatever_was_written_is_only_text_and_nothing_is_loaded():
    page = a_page(HOSTILE, HOSTILE)
    assert "<script" not in page
    assert re.findall(r"<img src=\"?([a-z]+):", page) == ["data"]
    assert "&lt;script&gt;" in page
    assert "<name>" not in page


def test_an_empty_conversation_without_a_picture_is_a_page_too():
    page = to_html(Conversation("scripted/opt"), exported="now")
    assert page.startswith("<!doctype html>")
    assert "<img" not in page
