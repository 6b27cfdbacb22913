"""A T5 that begins with an OPT: its encoder gives the OPT's states, but for the order of words."""

from __future__ import annotations

import random

import torch

from blip2.pocket.dialogue import dialogue
from blip2.pocket.grown_t5 import grow
from blip2.pocket.language_batches import encoder
from blip2.pocket.language_data import QUERIES, opt_batch, turns_of
from blip2.pocket.packed_t5 import forward
from blip2.pocket.speaker import EYES, Speaker, newline
from blip2.pocket.symbols import Symbols
from blip2.pocket.t5_data import t5_batch
from blip2.pocket.tokenizer import special_ids
from blip2.pocket.world import scene_at


def blind_to_order(opt: Speaker) -> None:
    """Give all the text one position, which is what T5 can know of it, and every part a bias."""
    places = opt.lm.model.decoder.embed_positions.weight
    with torch.no_grad():
        places[QUERIES + 2 :] = places[QUERIES + 2 :].mean(0)
        for name, weight in opt.lm.named_parameters():
            if name.endswith("bias"):
                weight.normal_(std=0.05)


def test_the_encoder_of_a_grown_t5_gives_the_states_of_its_opt() -> None:
    torch.manual_seed(0)
    opt, t5, scenes = Speaker("opt"), Speaker("t5"), [scene_at(seed) for seed in range(40)]
    blind_to_order(opt)
    slots = Symbols()(scenes, 1) + 2 * torch.randn(1, QUERIES, EYES)  # a slot can be told from another
    talks = [[turns_of(dialogue(s, random.Random(n), 2), encoder("t5"))] for n, s in enumerate(scenes[:12])]
    stop, ids = encoder("t5")(".")[0], special_ids("t5")
    twin = opt_batch(talks, special_ids("opt")["</s>"], newline(), stop)
    batch = t5_batch(talks, ids["<pad>"], ids["</s>"], stop)
    rows, places = batch.trace[:, 0], batch.trace[:, 1] + QUERIES
    words = batch.trace_weights == 1  # not </s>, which OPT reads first and T5 last
    off = []
    with torch.no_grad():
        wanted, _ = opt.lesson(slots[:12], twin)
        for grown in (False, True):
            if grown:
                grow(t5, opt, slots, twin)
            _, states, _ = forward(t5.lm, t5.projection(slots[:12]), batch, 2)
            mine = states[rows, places, :EYES]
            off.append(float((mine - wanted)[words].square().mean() / wanted[words].var(0).mean()))
    assert off[1] < 0.7
    assert off[1] < 0.3 * off[0]


def test_what_comes_later_is_closed() -> None:
    torch.manual_seed(0)
    opt, t5, scene = Speaker("opt"), Speaker("t5"), scene_at(3)
    turns, stop = turns_of(dialogue(scene, random.Random(1), 3), encoder("t5")), encoder("t5")(".")[0]
    slots = Symbols()([scene], 1)
    grow(t5, opt, slots, opt_batch([[turns]], 2, newline(), stop))
    with torch.no_grad():
        packed = forward(t5.lm, t5.projection(slots), t5_batch([[turns]], 0, 1, stop), 2)[2]
        opened = forward(t5.lm, t5.projection(slots), t5_batch([[turns]], 0, 1, stop, open_=True), 2)[2]
    assert torch.allclose(packed[:, -opened.shape[1] :], opened, atol=1e-4)
