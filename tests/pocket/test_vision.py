"""The pocket's eyes fit Hugging Face's classes, see through the real processor, and learn."""

from __future__ import annotations

import numpy as np
import torch
from transformers import Blip2Config, Blip2ForConditionalGeneration, BlipImageProcessorPil, OPTConfig

from blip2.pocket.scenes import render
from blip2.pocket.vision import (
    IMAGE_SIZE,
    MEAN,
    QUERIES,
    STD,
    SlotModel,
    export_vision_into,
    qformer_config,
    to_pixels,
    vision_config,
)
from blip2.pocket.vision_data import IGNORE, NOTHING, labels_of
from blip2.pocket.vision_train import patch_loss, slot_loss
from blip2.pocket.world import COLOURS, KINDS, Scene, Thing

SCENE = Scene("room", (Thing("circle", "red", "big", 0, 0), Thing("square", "blue", "small", 1, 2)), seed=5)


def _picture() -> torch.Tensor:
    return to_pixels([render(SCENE, 448).resize((IMAGE_SIZE, IMAGE_SIZE), 3)])


def test_pixels_are_those_of_the_processor() -> None:
    processor = BlipImageProcessorPil(
        size={"height": IMAGE_SIZE, "width": IMAGE_SIZE}, image_mean=list(MEAN), image_std=list(STD)
    )
    theirs = processor(render(SCENE, 448), return_tensors="pt").pixel_values
    torch.testing.assert_close(_picture(), theirs, atol=1e-5, rtol=0)


def test_labels_say_what_is_where() -> None:
    labels = labels_of([SCENE])
    kinds = {kind.name: index for index, kind in enumerate(KINDS)}
    assert labels.kind[0].tolist() == [kinds["circle"], *[NOTHING] * 4, kinds["square"], *[NOTHING] * 3]
    assert labels.colour[0, 0] == COLOURS.index("red")
    assert labels.colour[0, 1] == IGNORE
    patches = labels.patch_cell.view(8, 8)
    assert patches[1, 1] == 0
    assert patches[3:5, 6].tolist() == [5, 5]
    assert patches[7, 0] == 9


def test_exported_eyes_give_the_same_queries() -> None:
    torch.manual_seed(0)
    eyes = SlotModel().eval()
    words = OPTConfig(
        vocab_size=16, hidden_size=16, word_embed_proj_dim=16, num_hidden_layers=1, ffn_dim=16, num_attention_heads=2
    )
    config = Blip2Config(
        vision_config=vision_config().to_dict(),
        qformer_config=qformer_config().to_dict(),
        text_config=words.to_dict(),
        num_query_tokens=QUERIES,
    )
    model = Blip2ForConditionalGeneration(config).eval()
    export_vision_into(model, eyes)
    with torch.no_grad():
        mine = eyes.query(eyes.see(_picture()))
        inner = getattr(model, "model", model)
        image = inner.vision_model(pixel_values=_picture()).last_hidden_state
        theirs = inner.qformer(query_embeds=inner.query_tokens, encoder_hidden_states=image).last_hidden_state
    np.testing.assert_allclose(mine.numpy(), theirs.numpy(), atol=2e-5)


def test_losses_fall_on_one_picture() -> None:
    torch.manual_seed(0)
    model, pixels, labels = SlotModel().train(), _picture(), labels_of([SCENE])
    adam = torch.optim.Adam(model.parameters(), lr=2e-3)
    losses = []
    for _ in range(4):
        image = model.see(pixels)
        loss = patch_loss(model, image, labels) + slot_loss(model, model.query(image), labels)
        adam.zero_grad()
        loss.backward()
        adam.step()
        losses.append(loss.item())
    assert losses[-1] < 0.9 * losses[0]
