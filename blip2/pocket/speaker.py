"""The pocket language models with what training adds to them: the projection from the eyes, and helpers' heads.

`Speaker("opt")` holds an OPT, `Speaker("t5")` a FlanT5-like T5, both of Hugging Face's classes. Besides the answers'
cross-entropy three losses teach it to look (each was worth more than longer training):

* from a noun's state, which slots of the picture it means; from the state before an answer's part, which slots it
  rests on, which the question is about and where it looks (linear heads, dropped afterwards);
* a projected slot is classified by the model's own word embeddings of its kind, size, colour or place, and for T5 by
  a linear head as to which cell it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from transformers import OPTConfig, OPTForCausalLM, T5Config, T5ForConditionalGeneration

from blip2.pocket import packed_t5
from blip2.pocket.language_data import IGNORE, PART, QUERIES, SLOTS, Batch
from blip2.pocket.tokenizer import build, special_ids
from blip2.pocket.world import BACKGROUND, COLOURS, KINDS, SIZES

__all__ = ["LONGEST", "Output", "Speaker", "newline", "text_config"]

EYES = 128  # width of the Q-Former's outputs
LONGEST = 256  # positions of the OPT model, picture included
CONSTANTS = 8  # dimensions of T5's stream that hold a constant, see `grown_t5`
WIDTHS = {"opt": 128, "t5": 128 + CONSTANTS}
NOUN_LAYER, PART_LAYER = 2, 3  # layers whose states the helpers read
LESSON = 1.0
AUXILIARY, TIE = 2.0, 0.3
_PLACE_WORDS = ("beach", "meadow", "sky", "snow", "city", "desert", "sea", "room", "forest", "street")


def newline() -> int:
    """The id of "\\n", which ends OPT's answers."""
    return build("opt").encode("\n", add_special_tokens=False).ids[0]


def text_config(family: str) -> OPTConfig | T5Config:
    """The configuration of a family's language model."""
    width, size = WIDTHS[family], build(family).get_vocab_size()
    if family == "opt":
        return OPTConfig(
            vocab_size=size,
            hidden_size=width,
            word_embed_proj_dim=width,
            ffn_dim=4 * width,
            num_hidden_layers=4,
            num_attention_heads=4,
            max_position_embeddings=LONGEST,
            dropout=0.0,
            bos_token_id=special_ids("opt")["</s>"],
            eos_token_id=newline(),
            pad_token_id=special_ids("opt")["<pad>"],
        )
    return T5Config(
        vocab_size=size,
        d_model=width,
        d_kv=32,
        d_ff=4 * EYES + CONSTANTS,
        num_layers=4,
        num_decoder_layers=3,
        num_heads=4,
        dropout_rate=0.0,
        feed_forward_proj="gated-gelu",
        dense_act_fn="gelu",
        tie_word_embeddings=False,
        bos_token_id=special_ids("t5")["</s>"],
        eos_token_id=special_ids("t5")["</s>"],
        pad_token_id=special_ids("t5")["<pad>"],
        decoder_start_token_id=special_ids("t5")["<pad>"],
    )


@dataclass
class Output:
    """Losses of a batch, and the chosen token at each labelled position beside the right one."""

    answer: Tensor
    noun: Tensor
    part: Tensor
    tie: Tensor
    chosen: Tensor
    right: Tensor
    lesson: Tensor  # T5 alone: see `Speaker.lesson`

    @property
    def loss(self) -> Tensor:
        return self.answer + LESSON * self.lesson + AUXILIARY * (self.noun + self.part) + TIE * self.tie


def _about(states: Tensor, head: nn.Linear, marks: tuple[Tensor, Tensor, Tensor], shift: int) -> Tensor:
    """How wrong a helper's head is about the slots at the marked positions."""
    rows, places, masks = marks
    if not len(rows):
        return states.new_zeros(())
    return F.binary_cross_entropy_with_logits(head(states[rows, places + shift]), masks)


def _answers(logits: Tensor, right: Tensor, weights: Tensor) -> Tensor:
    """The answers' mean cross-entropy, each token counting by its weight."""
    return (F.cross_entropy(logits, right, reduction="none") * weights).sum() / weights.sum()


class Speaker(nn.Module):
    """A language model of one family, its projection and its helpers."""

    def __init__(self, family: str) -> None:
        super().__init__()
        self.family = family
        config = text_config(family)
        kind = OPTForCausalLM if family == "opt" else T5ForConditionalGeneration
        self.lm = kind._from_config(config, attn_implementation="sdpa")
        width = WIDTHS[family]
        if family == "t5":  # the configuration ties the two; FlanT5's head is its own
            self.lm.lm_head.weight = nn.Parameter(self.lm.shared.weight.detach().clone())
        self.projection = nn.Linear(EYES, width)
        self.noun_head = nn.Linear(width, SLOTS)
        self.part_head, self.asked_head = nn.Linear(width, PART), nn.Linear(width, PART)
        self.cell_head = nn.Linear(width, SLOTS)
        self.tie_scale = nn.Parameter(torch.tensor(4.0))
        encode = build(family).encode
        names = ([k.name for k in KINDS], SIZES, COLOURS, _PLACE_WORDS)
        assert len(_PLACE_WORDS) == len(BACKGROUND)
        self.names = [
            torch.tensor([encode(" " + n, add_special_tokens=False).ids[0] for n in group]) for group in names
        ]
        self._start()

    def _start(self) -> None:
        """Larger weights than the defaults, which are far too small for this width; small residual outputs."""
        for name, weight in self.lm.named_parameters():
            if weight.dim() < 2:
                continue
            nn.init.normal_(weight, std=0.08)
            if name.endswith(("out_proj.weight", "fc2.weight", ".o.weight", ".wo.weight")):
                weight.data.mul_(0.2)
            if name.endswith(".q.weight"):
                weight.data.mul_(0.2)  # T5 does not scale its scores: without this its attention begins almost hard
        nn.init.normal_(self.projection.weight, std=0.025)
        nn.init.zeros_(self.projection.bias)

    def embed(self, ids: Tensor) -> Tensor:
        embedded: Tensor = self.lm.get_input_embeddings()(ids)
        return embedded

    def tie(self, seen: Tensor, labels: Tensor) -> Tensor:
        """How well the model's own words name the projected slots; seen [B, 10, d], labels [B, 10, 3]."""
        table: Tensor = self.lm.get_input_embeddings().weight
        total = seen.new_zeros(())
        cells, truth = seen[:, : SLOTS - 1].flatten(0, 1), labels[:, : SLOTS - 1].flatten(0, 1)
        for column, ids in enumerate(self.names[:3]):
            there = truth[:, column] != IGNORE
            logits = self.tie_scale * cells[there] @ table[ids].T
            total = total + F.cross_entropy(logits, truth[there, column], reduction="sum") / there.sum().clamp(min=1)
        places = self.tie_scale * seen[:, SLOTS - 1] @ table[self.names[3]].T
        total = total + F.cross_entropy(places, labels[:, SLOTS - 1, 0])
        if self.family == "t5":  # T5 knows no absolute positions: the projection has to say which cell a slot is
            where = torch.arange(SLOTS).expand(len(seen), -1)
            total = total + F.cross_entropy(self.cell_head(seen).flatten(0, 1), where.flatten())
        return total

    def forward(self, slots: Tensor, labels: Tensor, batch: Batch) -> Output:
        """Slots [B, 16, 128] of the pictures and their `slot_labels`; see `Batch` for the text."""
        seen = self.projection(slots)
        tie = self.tie(seen[:, :SLOTS], labels)
        return self._opt(seen, tie, batch) if self.family == "opt" else self._t5(seen, tie, batch)

    def lesson(self, slots: Tensor, batch: Batch) -> tuple[Tensor, Tensor]:
        """For a pupil: an OPT's last states, without their norm's bias, along the trace [m, d], at labels [a, d]."""
        last = self._read(self.projection(slots), batch).last_hidden_state
        states = last - self.lm.model.decoder.final_layer_norm.bias
        return states[batch.trace[:, 0], batch.trace[:, 1] + QUERIES], states[:, QUERIES:][batch.labels != IGNORE]

    def _lesson_loss(self, read: Tensor, said: Tensor, batch: Batch) -> Tensor:
        """How far a T5's encoder and decoder states are from its teacher's, in units of the teacher's variance."""
        if batch.lesson is None:
            return read.new_zeros(())
        wanted, answered = batch.lesson
        mine = read[batch.trace[:, 0], batch.trace[:, 1] + QUERIES]
        off = (mine[:, :EYES] - wanted).square().mean(-1) / wanted.var(0).mean()
        spoken = (said[batch.labels != IGNORE][:, :EYES] - answered).square().mean() / answered.var(0).mean()
        return (off * batch.trace_weights).sum() / batch.trace_weights.sum() + spoken

    def _read(self, seen: Tensor, batch: Batch) -> Any:
        rows, length = batch.ids.shape
        group = torch.cat([batch.group.new_zeros(rows, QUERIES), batch.group], 1)
        place = torch.cat([torch.arange(QUERIES).expand(rows, -1), batch.position + QUERIES], 1)
        causal = torch.ones(QUERIES + length, QUERIES + length, dtype=torch.bool).tril()
        picture = torch.arange(QUERIES + length) < QUERIES
        allowed = causal & (picture | (group[:, :, None] == group[:, None, :]))  # [B, T, T]
        return self.lm.model.decoder(
            inputs_embeds=torch.cat([seen, self.embed(batch.ids)], 1),
            attention_mask=allowed[:, None],
            position_ids=place,
            use_cache=False,
            output_hidden_states=True,
        )

    def _opt(self, seen: Tensor, tie: Tensor, batch: Batch) -> Output:
        states = self._read(seen, batch)
        labelled = batch.labels != IGNORE
        last = states.last_hidden_state[:, QUERIES:][labelled]
        logits, right = self.lm.lm_head(last), batch.labels[labelled]
        layers = states.hidden_states
        return Output(
            _answers(logits, right, batch.weights[labelled]),
            _about(layers[NOUN_LAYER], self.noun_head, batch.nouns, QUERIES),
            _about(layers[PART_LAYER], self.part_head, batch.parts, QUERIES),
            tie,
            logits.argmax(-1),
            right,
            logits.new_zeros(()),
        )

    def _t5(self, seen: Tensor, tie: Tensor, batch: Batch) -> Output:
        middle, states, decoded = packed_t5.forward(self.lm, seen, batch, NOUN_LAYER)
        labelled = batch.labels != IGNORE
        logits, right = self.lm.lm_head(decoded[labelled]), batch.labels[labelled]
        return Output(
            _answers(logits, right, batch.weights[labelled]),
            _about(middle, self.noun_head, batch.nouns, QUERIES),
            _about(decoded, self.part_head, batch.parts, 0) + _about(states, self.asked_head, batch.asked, QUERIES),
            tie,
            logits.argmax(-1),
            right,
            self._lesson_loss(states, decoded, batch),
        )
