"""A long conversation with a small real model goes on: oldest turns are left out, however long answers may be."""

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
    decoding = Decoding("greedy", min_new_tokens=4, max_new_tokens=longest)
    talk = Conversation(str(opt_folder), picture_from(Image.effect_noise((40, 30), 60)), decoding=decoding)
    try:
        for _ in range(12):
            *_, talk = chat.ask(backend, talk, "what is left of the red ball on the beach?")
    finally:
        backend.close()
    assert all(turn.finish is not None for turn in talk.turns)
    assert talk.turns[-1].dropped > 0
