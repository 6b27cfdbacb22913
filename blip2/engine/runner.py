"""Run-time tensor code of the generative models: encode a picture, read prompts, decode a step. Knows no queue.

Stock `generate` is not used: the picture's projected queries are put before the prompt's word embeddings here, as LAVIS
does (`blip2_opt.py`, `blip2_t5.py`), so no picture can be ignored for want of image tokens and OPT never echoes.
"""

from collections.abc import Hashable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from blip2.engine.packed import pack
from blip2.engine.prefixes import Prefixes
from blip2.engine.slots import Slots
from blip2.engine.sources import Sources
from blip2.engine.static import SPAN, Capture, CudaCapture, StaticSteps, rounded
from blip2.loading import LoadedModel

Reading = tuple[Tensor, Sequence[int], Hashable | None]  # encoded picture [Q, D], prompt ids, the picture's key


class Lane:
    """The slots of running requests of one width, and for T5 their encoder sides."""

    def __init__(self, runner: "Runner", width: int) -> None:
        self.slots = Slots(width, runner.layers, runner.device)
        self.sources = Sources(runner.lm.decoder.block, self.slots) if runner.is_t5 else None
        self.static = StaticSteps(runner.capture) if runner.capture is not None else None
        self.place: tuple[int, ...] = ()

    def settle(self) -> tuple[tuple[int, int], int]:
        """Make room for the next step in captured sizes. Returns its (slots, columns), and the encoder's span."""
        slots, sources = self.slots, self.sources
        slots.reserve(*rounded(slots.count, max(slots.lengths) + slots.width))
        sizes, span = rounded(slots.count, max(slots.lengths) + slots.width), 0
        buffers = [slots.layers[0].keys, slots.places]
        if sources is not None:
            span = -(-sources.span(slots.count) // SPAN) * SPAN
            sources.reserve(sizes[0], span)
            buffers += [sources.buffers[0][0], sources.mask]
        place = tuple(buffer.data_ptr() for buffer in buffers)
        if self.static is not None and place != self.place:
            self.static.forget()
        self.place = place
        return sizes, span

    def close(self, gone: Sequence[int]) -> list[tuple[int, int]]:
        """Free slots; returns which slot moved where, in order."""
        moves = self.slots.close(gone)
        if self.sources is not None:
            for source, to in moves:
                self.sources.move(source, to)
        return moves


class Runner:
    """One loaded generative model. Call it from one thread at a time. `prefixes` keeps what was read of prompts.

    `capture` makes steps of fixed shapes; by default a GPU's are CUDA graphs, and a CPU has none.
    """

    def __init__(self, loaded: LoadedModel, prefixes: Prefixes | None = None, capture: Capture | None = None) -> None:
        self.loaded = loaded
        self.info = loaded.info
        self.device = loaded.device
        self.prefixes = prefixes
        self.capture = capture or (CudaCapture() if capturable(loaded) else None)
        self.lm: Any = loaded.model.language_model
        self.embedding: Any = self.lm.get_input_embeddings()
        self.is_t5 = loaded.info.family == "t5"
        self.layers = len(self.lm.decoder.block) if self.is_t5 else len(self.lm.model.decoder.layers)
        pack(loaded.model)
        self._bias: Tensor | None = None
        if self.is_t5:
            self._give_bias(self.lm.decoder.block[0].layer[0].SelfAttention)

    def tokens(self, prompt: str, limit: int | None = None, *, literal: bool = True) -> list[int]:
        """The ids the language model reads: OPT's start with BOS, T5's end with `</s>`; cut on the right at `limit`.

        With `literal`, special tokens typed into the prompt are read as the characters they are.
        """
        options: dict[str, Any] = {"truncation": True, "max_length": limit} if limit else {}
        ids: list[int] = self.loaded.tokenizer(prompt, split_special_tokens=literal, verbose=False, **options).input_ids
        return ids

    @torch.inference_mode()
    def encode(self, pixels: Tensor) -> Tensor:
        """Pictures [B, 3, S, S] (preprocessed, float32) to language-model inputs [B, Q, D]."""
        if self.device.type == "cuda":
            pixels = pixels.pin_memory()
        return self.loaded.model.get_image_features(pixels.to(self.device, non_blocking=True)).pooler_output  # type: ignore[no-any-return]

    @torch.inference_mode()
    def prefill(self, lane: Lane, readings: Sequence[Reading]) -> Tensor:
        """Open a slot for each picture and prompt and read them. Returns the next token's logits [n, V], float32."""
        return self._read_t5(lane, readings) if self.is_t5 else self._read_opt(lane, readings)

    @torch.inference_mode()
    def step(self, lane: Lane, tokens: Tensor, parents: Tensor) -> Tensor:
        """Continue beam `parents` [slots, beams] of each slot by `tokens`; the next logits [slots, beams, V]."""
        if lane.static is None:
            mask, positions, _ = lane.slots.step(parents)
            return self._decode(lane, tokens, mask, positions).float()
        sizes, span = lane.settle()
        mask, positions, _ = lane.slots.step(parents)

        def forward(tokens: Tensor, mask: Tensor, positions: Tensor, columns: Tensor) -> Tensor:
            lane.slots.aim(0, sizes[0], columns, sizes[1])
            return self._decode(lane, tokens, mask, positions, span)

        step = (tokens, positions, lane.slots.target[2], mask)
        return lane.static.run((lane.place, span), sizes, step, forward)

    def _decode(self, lane: Lane, tokens: Tensor, mask: Tensor, positions: Tensor, span: int | None = None) -> Tensor:
        """One decoder pass over the slots the lane is aimed at: logits [n, W, V]."""
        if lane.sources is not None:
            return self._decode_t5(lane, lane.sources, tokens, mask, positions, span)
        out = self.lm(
            input_ids=tokens,
            attention_mask=mask[:, None],
            position_ids=positions,
            past_key_values=lane.slots.cache,
            use_cache=True,
        )
        return out.logits  # type: ignore[no-any-return]

    def _read_opt(self, lane: Lane, readings: Sequence[Reading]) -> Tensor:
        inputs, starts, states = [], [], []
        for picture, ids, key in readings:
            shared, state = self._known(key, ids)
            words = self.embedding(torch.tensor(ids[shared:], dtype=torch.long, device=self.device))
            inputs.append(words if state is not None else torch.cat([picture.to(words), words]))  # [L, D]
            starts.append(len(picture) + shared if state is not None else 0)
            states.append(state)
        slots, first = lane.slots, lane.slots.count
        embeds = pad_sequence(inputs, batch_first=True)  # [n, L, D], padded on the right
        sizes = [start + len(x) for start, x in zip(starts, inputs, strict=True)]
        width = max(starts) + embeds.shape[1]
        slots.open(sizes, width)
        for i, state in enumerate(states):
            if state is not None:
                slots.write(first + i, state)
        spots = torch.arange(width, device=self.device)
        columns = torch.tensor(starts, device=self.device)[:, None] + spots[: embeds.shape[1]]  # [n, L]
        slots.aim(first, slots.count, columns, width)
        hidden = self.lm.model(
            inputs_embeds=embeds,
            attention_mask=(spots <= columns[:, :, None])[:, None],  # [n, 1, L, T]: each sees itself and what is before
            position_ids=columns.clamp(
                max=self.lm.config.max_position_embeddings - 1
            ),  # padding may point past the end
            past_key_values=slots.cache,
            use_cache=True,
        ).last_hidden_state
        ends = torch.tensor([len(x) - 1 for x in inputs], device=self.device)
        for i, (_, ids, key) in enumerate(readings):
            if self.prefixes is not None and key is not None:
                self.prefixes.put(key, ids, slots.read(first + i, sizes[i]))
        return self.lm.lm_head(hidden[torch.arange(len(inputs), device=self.device), ends]).float()  # type: ignore[no-any-return]

    def _known(self, key: Hashable | None, ids: Sequence[int]) -> tuple[int, Tensor | None]:
        """How many of the prompt's tokens need not be read again, and their keys and values, the picture's before."""
        if self.prefixes is None or key is None:
            return 0, None
        shared, found = self.prefixes.longest(key, ids)
        shared = min(shared, len(ids) - 1)  # one token at least must be read, to give the next one's logits
        self.prefixes.read += len(ids) - shared
        if found is None:
            return 0, None
        self.prefixes.reused += shared
        return shared, found.state[:, :, : self.info.image_tokens + shared]

    def _read_t5(self, lane: Lane, readings: Sequence[Reading]) -> Tensor:
        assert lane.sources is not None
        slots, first = lane.slots, lane.slots.count
        known = [self.prefixes.exact(k, ids) if self.prefixes and k else None for _, ids, k in readings]
        new = [reading for reading, state in zip(readings, known, strict=True) if state is None]
        made = iter(self._encode_t5(new) if new else [])
        states = [state if state is not None else next(made) for state in known]
        for (_, ids, key), state, old in zip(readings, states, known, strict=True):
            if self.prefixes is not None and key is not None:
                self.prefixes.reused += len(ids) if old is not None else 0
                self.prefixes.read += 0 if old is not None else len(ids)
                self.prefixes.put(key, ids, state)
        slots.open([1] * len(readings), 1 + slots.width)
        lane.sources.add(first, pad_sequence(list(states), batch_first=True), [len(state) for state in states])
        zero = torch.zeros((len(readings), 1), dtype=torch.long, device=self.device)
        slots.aim(first, slots.count, zero, 1)
        start = zero + self.loaded.start_id
        mask = torch.ones((len(readings), 1, 1), dtype=torch.bool, device=self.device)
        return self._decode_t5(lane, lane.sources, start, mask, zero)[:, 0].float()

    def _encode_t5(self, readings: Sequence[Reading]) -> list[Tensor]:
        """Encoder outputs [Q + T, D] of pictures and prompts, read in one batch padded on the right."""
        rows = []
        for picture, ids, _ in readings:
            words = self.embedding(torch.tensor(ids, dtype=torch.long, device=self.device))
            rows.append(torch.cat([picture.to(words), words]))
        embeds = pad_sequence(rows, batch_first=True)
        lengths = torch.tensor([len(row) for row in rows], device=self.device)
        mask = (torch.arange(embeds.shape[1], device=self.device) < lengths[:, None]).long()
        hidden = self.lm.get_encoder()(inputs_embeds=embeds, attention_mask=mask).last_hidden_state
        return [hidden[i, : len(row)].clone() for i, row in enumerate(rows)]

    def _decode_t5(
        self,
        lane: Lane,
        sources: Sources,
        tokens: Tensor,
        mask: Tensor,
        positions: Tensor,
        span: int | None = None,
    ) -> Tensor:
        first, last, _, used = lane.slots.target
        seen, stand_in = sources.show(first, last, span)
        distance = (positions[:, :, None] - lane.slots.places[first:last, None, :used]).clamp(0, len(self._biases) - 1)
        self._bias = self._biases[distance].permute(0, 3, 1, 2)  # [n, H, W, T]
        try:
            out = self.lm(
                encoder_outputs=(stand_in,),
                attention_mask=seen,
                decoder_input_ids=tokens,
                decoder_attention_mask=mask[:, None],
                past_key_values=sources.cache,
                use_cache=True,
            )
        finally:
            self._bias = None
        return out.logits  # type: ignore[no-any-return]

    def _give_bias(self, attention: Any) -> None:
        """Have T5's first decoder layer, which makes the position bias of all, take it from here while a step runs:
        beams share columns, so a column's place in the buffer is not its token's position."""
        stock = attention.compute_bias
        with torch.inference_mode():
            reach = attention.relative_attention_max_distance + 1  # farther ones have the bias of the farthest
            self._biases: Tensor = stock(reach, reach)[0, :, -1].T.flip(0).clone()  # [distance, H]

        def compute_bias(*args: Any, **kwargs: Any) -> Any:
            return self._bias if self._bias is not None else stock(*args, **kwargs)

        attention.compute_bias = compute_bias


def capturable(loaded: LoadedModel) -> bool:
    """Whether a model's steps can be CUDA graphs: plain weights, all on one GPU."""
    return (
        loaded.device.type == "cuda"
        and loaded.info.dtype in ("float32", "float16", "bfloat16")
        and len(set(getattr(loaded.model, "hf_device_map", {}).values())) <= 1
    )
