"""Begins a T5 with what an OPT has learnt: its encoder starts as the OPT's layers, as nearly as T5's parts allow.

A T5 of this size learns several times more slowly than an OPT. But a T5 encoder can hold an OPT:

* causal attention is a relative-position bias that closes the future;
* LayerNorm is RMSNorm once all that is written into the residual stream has mean zero;
* biases come from extra dimensions of the stream that hold a small constant; a gate of T5's that reads the constant
  alone is always open;
* the places of the picture's slots go into the projection, as far as the slots themselves tell them apart.

Only the order of words (absolute positions have no place in T5) and rounding are lost, and soon learnt again; the
decoder starts from nothing. `grow` is checked by a test that follows the OPT's states through the T5's encoder.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from blip2.pocket.language_data import QUERIES, Batch
from blip2.pocket.speaker import CONSTANTS, EYES, Speaker
from blip2.pocket.tokenizer import build, special_ids

__all__ = ["CONSTANT", "grow"]

CONSTANT = 0.05  # what the extra dimensions hold: small beside the stream, so that norms hardly see it
OF_SLOTS = 2.0  # the same for slots, whose spread begins larger
SHARP = 3.0  # gelu(3 x) / 3 is nearer to OPT's relu
_CLOSED = -30.0


def _centred(weight: Tensor) -> Tensor:
    """The same, writing nothing along the direction of the mean (rows are output dimensions)."""
    return weight - weight.mean(0, keepdim=True)


def _spreads(opt: Speaker, slots: Tensor, batch: Batch) -> dict[str, float]:
    """Mean standard deviation of what each of the OPT's norms reads in the text, by name of the norm."""
    found: dict[str, float] = {}
    hooks = []
    for name, module in opt.lm.model.decoder.named_modules():
        if name.endswith("layer_norm"):

            def note(_: object, inputs: tuple[Tensor], name: str = name) -> None:
                spread = inputs[0].std(-1, correction=0).view(len(batch.ids), -1)
                found[name] = float(spread[:, QUERIES:][batch.group > 0].mean())

            hooks.append(module.register_forward_pre_hook(note))
    with torch.no_grad():
        opt.lesson(slots, batch)
    for hook in hooks:
        hook.remove()
    return found


def _take(target: Tensor, weight: Tensor, constant: Tensor, unit: float) -> None:
    """A linear layer of OPT that reads a norm: its weight, and its constant part from the extra dimensions."""
    target.zero_()
    target[: len(weight), :EYES] = weight
    target[: len(weight), EYES:] = (constant / (CONSTANTS * unit))[:, None]


def _layer(block: Any, layer: Any, spreads: tuple[float, float]) -> None:
    """One OPT layer into one encoder block; `spreads` are those before its attention and before its dense part."""
    norm, attention, target = layer.self_attn_layer_norm, layer.self_attn, block.layer[0].SelfAttention
    unit = _norm(block.layer[0].layer_norm.weight, norm.weight, spreads[0])
    for mine, theirs, scale in (
        (target.q, attention.q_proj, attention.scaling),
        (target.k, attention.k_proj, 1.0),
        (target.v, attention.v_proj, 1.0),
    ):
        _take(mine.weight, theirs.weight * scale, (theirs.bias + theirs.weight @ norm.bias) * scale, unit)
    target.o.weight.zero_()
    target.o.weight[:EYES] = _centred(attention.out_proj.weight)
    norm, dense = layer.final_layer_norm, block.layer[1].DenseReluDense
    unit = _norm(block.layer[1].layer_norm.weight, norm.weight, spreads[1])
    constant = layer.fc1.bias + layer.fc1.weight @ norm.bias
    _take(dense.wi_0.weight, layer.fc1.weight * SHARP, constant * SHARP, unit)
    _take(dense.wi_1.weight, torch.zeros_like(layer.fc1.weight), torch.ones_like(layer.fc1.bias), unit)
    always = len(constant)  # a unit that is on in every token: it writes the biases
    for weight, value in ((dense.wi_0.weight, 4.0), (dense.wi_1.weight, 1.0)):
        weight[always, EYES:] = value / (CONSTANTS * unit)
    dense.wo.weight.zero_()
    dense.wo.weight[:EYES, :always] = _centred(layer.fc2.weight) / SHARP
    dense.wo.weight[:EYES, always] = _centred((layer.fc2.bias + attention.out_proj.bias)[:, None])[:, 0] / 4.0


def _norm(target: Tensor, weight: Tensor, spread: float) -> float:
    """A norm's weight; returns what the extra dimensions hold after it, on average."""
    total = (EYES * spread**2 + CONSTANTS * CONSTANT**2) / (EYES + CONSTANTS)
    target[:EYES] = weight * total**0.5 / spread
    target[EYES:] = 1.0
    return float(CONSTANT / total**0.5)


def _words(t5: Speaker, opt: Speaker) -> None:
    """Embeddings (with the mean of the text's positions in them) and head; special tokens by what they do."""
    table, places = opt.lm.get_input_embeddings().weight, opt.lm.model.decoder.embed_positions.weight
    text = places[QUERIES + 2 : QUERIES + 62].mean(0)
    rows = table.clone()
    vocabulary = build("t5").get_vocab()
    for word, number in vocabulary.items():  # a word that begins a text is the word that follows a space
        if "Ġ" + word in vocabulary and len(word) > 1:
            rows[number] = table[vocabulary["Ġ" + word]]
    head = rows.clone()
    ids = special_ids("t5")
    ask = build("opt").encode(" answer:", add_special_tokens=False).ids[0]
    rows[ids["</s>"]] = table[ask]
    rows[ids["<pad>"]] = table[ask]
    head[ids["</s>"]] = table[opt.lm.config.eos_token_id]
    shared = t5.lm.shared.weight
    shared[:, :EYES] = rows + text - (rows + text).mean(-1, keepdim=True)
    shared[:, EYES:] = CONSTANT
    t5.lm.lm_head.weight.zero_()
    t5.lm.lm_head.weight[:, :EYES] = head


def _eyes(t5: Speaker, opt: Speaker, slots: Tensor) -> None:
    """The projection that best gives what the OPT saw, the places of the slots included. Slots [n, 16, 128]."""
    places = opt.lm.model.decoder.embed_positions.weight[2 : QUERIES + 2]
    wanted = (opt.projection(slots) + places).flatten(0, 1)
    wanted = wanted - wanted.mean(-1, keepdim=True)
    known = torch.cat([slots, slots.new_ones(*slots.shape[:2], 1)], -1).flatten(0, 1)
    ridge = 1e-3 * len(known) * torch.eye(known.shape[1])
    solved = torch.linalg.solve(known.T @ known + ridge, known.T @ wanted)
    t5.projection.weight.zero_()
    t5.projection.weight[:EYES] = solved[:-1].T
    t5.projection.bias[:EYES] = solved[-1]
    t5.projection.bias[EYES:] = CONSTANT * OF_SLOTS


def grow(t5: Speaker, opt: Speaker, slots: Tensor, batch: Batch) -> None:
    """Begin `t5` with `opt`. Slots [n, 16, 128] of pictures and an OPT batch about the first of them calibrate it."""
    spreads = _spreads(opt, slots[: len(batch.ids)], batch)
    with torch.no_grad():
        _words(t5, opt)
        _eyes(t5, opt, slots)
        for number, (block, layer) in enumerate(zip(t5.lm.encoder.block, opt.lm.model.decoder.layers, strict=True)):
            names = (f"layers.{number}.self_attn_layer_norm", f"layers.{number}.final_layer_norm")
            _layer(block, layer, (spreads[names[0]], spreads[names[1]]))
        final = opt.lm.model.decoder.final_layer_norm
        for stack in (t5.lm.encoder, t5.lm.decoder):
            _norm(stack.final_layer_norm.weight, final.weight, spreads["final_layer_norm"])
        bias = t5.lm.encoder.block[0].layer[0].SelfAttention.relative_attention_bias.weight
        bias.zero_()
        bias[len(bias) // 2 :] = _CLOSED  # whatever comes later
