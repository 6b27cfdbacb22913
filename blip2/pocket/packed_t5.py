"""The forward pass of a T5 over packed rows, for training: many conversations about one picture at the cost of one.

A row is the picture's slots, then the text of several conversations. A question sees the slots, the turns before it in
its own conversation and itself; `</s>` is seen by its own question alone. In the decoder all the row's answers follow
each other, each seeing itself and what its question saw. `open_` rows hold one prompt, in which everything sees
everything: exactly what Hugging Face's T5 computes, as the packed rows do but for the history's and the slots' view of
what comes later. A test holds the open form to Hugging Face's own.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F
from transformers import T5ForConditionalGeneration

from blip2.pocket.language_data import QUERIES, Batch

__all__ = ["forward"]

_NEVER = -1e9


def _attend(layer: Any, states: Tensor, memory: Tensor, bias: Tensor) -> Tensor:
    """T5's attention with a given bias [B, H or 1, Q, K], which holds the mask too. T5 does not scale the scores."""
    rows, length, _ = states.shape
    heads = layer.n_heads

    def split(values: Tensor) -> Tensor:
        return values.view(rows, values.shape[1], heads, -1).transpose(1, 2)

    query, key, value = split(layer.q(states)), split(layer.k(memory)), split(layer.v(memory))
    weights = torch.softmax(query @ key.transpose(-1, -2) + bias, -1)
    mixed: Tensor = layer.o((weights @ value).transpose(1, 2).reshape(rows, length, -1))
    return mixed


def _bias(layer: Any, places: Tensor, allowed: Tensor, both_ways: bool) -> Tensor:
    """The relative-position bias [B, H, T, T] of tokens at these places [B, T], where it is allowed [B, T, T]."""
    buckets = layer._relative_position_bucket(
        places[:, None, :] - places[:, :, None],
        bidirectional=both_ways,
        num_buckets=layer.relative_attention_num_buckets,
        max_distance=layer.relative_attention_max_distance,
    )
    values: Tensor = F.embedding(buckets, layer.relative_attention_bias.weight)
    return values.permute(0, 3, 1, 2) + _closed(allowed)


def _closed(allowed: Tensor) -> Tensor:
    return torch.zeros(allowed.shape).masked_fill_(~allowed, _NEVER)[:, None]


def _feed_forward(layer: Any, states: Tensor) -> Tensor:
    inner = layer.layer_norm(states)
    dense = layer.DenseReluDense
    added: Tensor = dense.wo(dense.act(dense.wi_0(inner)) * dense.wi_1(inner))
    return states + added


def _encode(lm: T5ForConditionalGeneration, states: Tensor, bias: Tensor, layer: int) -> tuple[Tensor, Tensor]:
    """(states after `layer` layers, final states)."""
    middle = states
    for number, block in enumerate(lm.encoder.block, 1):
        attention = block.layer[0]
        inner = attention.layer_norm(states)
        states = states + _attend(attention.SelfAttention, inner, inner, bias)
        states = _feed_forward(block.layer[1], states)
        if number == layer:
            middle = states
    return middle, lm.encoder.final_layer_norm(states)


def _decode(lm: T5ForConditionalGeneration, states: Tensor, memory: Tensor, bias: Tensor, cross: Tensor) -> Tensor:
    for block in lm.decoder.block:
        own, other, dense = block.layer
        inner = own.layer_norm(states)
        states = states + _attend(own.SelfAttention, inner, inner, bias)
        states = states + _attend(other.EncDecAttention, other.layer_norm(states), memory, cross)
        states = _feed_forward(dense, states)
    final: Tensor = lm.decoder.final_layer_norm(states)
    return final


def _sees(group: Tensor, turn: Tensor, of_group: Tensor, of_turn: Tensor, private: Tensor) -> Tensor:
    """Whether a token of (group, turn) [B, Q] may see those of the text [B, K]: its own turn, and earlier ones."""
    same = group[:, :, None] == of_group[:, None, :]
    turn, of_turn = turn[:, :, None], of_turn[:, None, :]
    return same & ((turn == of_turn) | ((of_turn < turn) & ~private[:, None, :]))


def forward(lm: T5ForConditionalGeneration, seen: Tensor, batch: Batch, layer: int) -> tuple[Tensor, Tensor, Tensor]:
    """(encoder states after `layer`, its final states, decoder states) of projected slots [B, 16, d] and their text."""
    rows, length = batch.ids.shape
    embed = lm.get_input_embeddings()
    places = torch.cat([torch.arange(QUERIES).expand(rows, -1), batch.position + QUERIES], 1)
    text = _sees(batch.group, batch.turn, batch.group, batch.turn, batch.private)
    allowed = torch.zeros(rows, QUERIES + length, QUERIES + length, dtype=torch.bool)
    allowed[:, :, :QUERIES] = True
    allowed[:, QUERIES:, QUERIES:] = text
    if batch.open_:
        allowed[:, :QUERIES, QUERIES:] = batch.group[:, None, :] > 0
    first = lm.encoder.block[0].layer[0].SelfAttention
    middle, memory = _encode(lm, torch.cat([seen, embed(batch.ids)], 1), _bias(first, places, allowed, True), layer)
    answers = batch.before.shape[1]
    own = (batch.answer_group[:, :, None] == batch.answer_group[:, None, :]) & (
        batch.answer_turn[:, :, None] == batch.answer_turn[:, None, :]
    )
    causal = torch.ones(answers, answers, dtype=torch.bool).tril()
    text = _sees(batch.answer_group, batch.answer_turn, batch.group, batch.turn, batch.private)
    cross = torch.cat([torch.ones(rows, answers, QUERIES, dtype=torch.bool), text], 2)
    first = lm.decoder.block[0].layer[0].SelfAttention
    spots = torch.arange(answers).expand(rows, -1)
    decoded = _decode(lm, embed(batch.before), memory, _bias(first, spots, own & causal, False), _closed(cross))
    return middle, memory, decoded
