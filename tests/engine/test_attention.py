"""Where the Q-Former looked: against the stock classes with their attention written out, and on scenes with places."""

import json
from pathlib import Path

import pytest
import torch
from PIL import Image
from transformers import Blip2ForImageTextRetrieval

from blip2.backends.local import LocalBackend
from blip2.engine.attention import Pass, attended, look, query_map, word_maps, words_of
from blip2.engine.matcher import MAX_TEXT, Matcher
from blip2.images import open_picture, picture_from, preprocess
from blip2.loading import load
from blip2.zoo import ROOT

SCENES = ROOT / "assets" / "pocket" / "scenes"
CELLS = 3  # along a side of a scene


@pytest.fixture(scope="module")
def matcher(itm_folder: Path) -> Matcher:
    return Matcher(load(str(itm_folder), "float32", "cpu"))


def words(matcher: Matcher, text: str) -> tuple[torch.Tensor, list[tuple[str, list[int]]]]:
    return words_of(matcher.loaded.tokenizer, text, MAX_TEXT)


def test_the_pass_is_the_stock_one(matcher: Matcher, itm_folder: Path) -> None:
    """States and attention equal those of the stock class in its eager mode, which cannot be had beside other users."""
    picture = picture_from(Image.effect_noise((60, 40), 80).convert("RGB"))
    vision = matcher.vision(preprocess(picture.image, matcher.info.image_size)[None])
    ids, named = words(matcher, "two cats sleep")
    seen = look(matcher.model, vision, ids)
    stock = Blip2ForImageTextRetrieval.from_pretrained(itm_folder, attn_implementation="eager")
    crossings: list[torch.Tensor] = []
    readings: list[torch.Tensor] = []
    for layer in stock.qformer.encoder.layer:
        layer.attention.attention.register_forward_hook(lambda *args: readings.append(args[-1][1]))
        layer.crossattention.attention.register_forward_hook(lambda *args: crossings.append(args[-1][1]))
    queries = stock.query_tokens.shape[1]
    with torch.inference_mode():
        out = stock.qformer(
            query_embeds=stock.embeddings(input_ids=ids[None], query_embeds=stock.query_tokens),
            query_length=queries,
            attention_mask=torch.ones(1, queries + len(ids), dtype=torch.long),
            encoder_hidden_states=vision,
            encoder_attention_mask=torch.ones(vision.shape[:2], dtype=torch.long),
        )
    torch.testing.assert_close(seen.states, out.last_hidden_state[0], atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(seen.reading, torch.stack(readings)[:, 0].mean(1), atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(seen.looking, torch.stack(crossings)[:, 0].mean(1), atol=1e-5, rtol=1e-4)
    assert [word for word, _ in named] == ["two", "cats", "sleep"]


def test_words_are_as_typed_and_own_all_their_pieces(matcher: Matcher) -> None:
    ids, named = words(matcher, 'The "merlion\'s" xylophones -- sleep!')
    assert [word for word, _ in named] == ["The", "merlion's", "xylophones", "sleep"]
    assert all(places for _, places in named)
    assert max(len(places) for _, places in named) > 2, "a word of several pieces"
    taken = [place for _, places in named for place in places]
    assert len(taken) == len(set(taken))
    assert max(taken) < len(ids) <= 32


def test_a_text_without_words_has_the_whole_alone(matcher: Matcher) -> None:
    vision = torch.randn(1, 17, 64)
    ids, named = words(matcher, "?!")
    assert named == []
    assert word_maps(look(matcher.model, vision, ids), []).shape == (1, 4, 4)


def test_layers_that_do_not_look_count_for_nothing() -> None:
    """A Q-Former that looks in every other layer: the empty layers neither thin out the map nor the flow."""
    looking = torch.zeros(3, 1, 5)
    looking[0, 0] = torch.tensor([0.2, 0.5, 0.1, 0.1, 0.1])
    reading = torch.full((3, 2, 2), 0.5)
    seen = Pass(torch.zeros(2, 4), reading, looking)
    expected = torch.tensor([[0.625, 0.125], [0.125, 0.125]])
    torch.testing.assert_close(query_map(seen), expected)
    torch.testing.assert_close(word_maps(seen, [[0]]), expected.expand(2, 2, 2))


def test_nothing_is_left_behind_in_the_model(matcher: Matcher) -> None:
    state = {name: value.clone() for name, value in matcher.model.qformer.state_dict().items()}
    attended(matcher.model.qformer, matcher.model.query_tokens[0], torch.randn(17, 64), 8)
    assert not any(module._forward_hooks for module in matcher.model.modules())
    assert all(torch.equal(state[name], value) for name, value in matcher.model.qformer.state_dict().items())


def test_the_word_of_a_thing_points_at_the_thing() -> None:
    backend = LocalBackend(["blip2/pocket"], device="cpu")
    right = asked = 0
    for scene in json.loads((SCENES / "scenes.json").read_text())[:16]:
        things = scene["sheet"]["scene"]["things"]
        looked = backend.attend("blip2/pocket", open_picture(SCENES / scene["file"]), scene["caption"])
        for thing in things:
            if looked.words.count(thing["kind"]) == 1 and sum(each["kind"] == thing["kind"] for each in things) == 1:
                grid = looked.maps[looked.words.index(thing["kind"])]
                row, column = divmod(int(grid.argmax()), len(grid))
                cell = tuple(int((place + 0.5) / len(grid) * CELLS) for place in (row, column))
                right += cell == (thing["row"], thing["col"])
                asked += 1
    backend.close()
    assert asked > 20
    assert right / asked > 0.95
