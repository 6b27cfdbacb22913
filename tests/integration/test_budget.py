"""A long conversation with a small real model goes on: oldest turns are left out, however long answers may be."""

from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from blip2 import chat
from blip2.backends.local import LocalBackend
from blip2.chat import Conversation
from blip2.images import picture_from
from blip2.values import Decoding


@pytest.mark.parametrize("longest", [5, 190])
def test_turns_are_dropped_before_the_model_refuses(opt_folder: Path, longest: int) -> None:
    backend = LocalBackend([str(opt_folder)], device="cpu")
    picture = picture_from(Image.linear_gradient("L").convert("RGB"))
    talk = Conversation(str(opt_folder), picture, decoding=Decoding("greedy", max_new_tokens=longest))
    try:
        *_, talk = chat.ask(backend, talk, "what is left of the red ball on the beach?")
        past = replace(talk.turns[0], answer="a sleeping dog")
        *_, talk = chat.ask(backend, replace(talk, turns=(past,) * 40), "and the other one?")
    finally:
        backend.close()
    last = talk.turns[-1]
    assert last.finish is not None
    assert 20 < last.dropped < 40
    assert last.prompt.endswith("Answer: a sleeping dog. Question: and the other one? Answer:")
