"""Run-time tensor code of the generative models: encode a picture, read prompts, decode a step. Knows no queue.

Stock `generate` is not used: the picture's projected queries are put before the prompt's word embeddings here, as LAVIS
does (`blip2_opt.py`, `blip2_t5.py`), so no picture can be ignored for want of image tokens and OPT never echoes.
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from blip2.engine.rows import Rows, left, right
from blip2.loading import LoadedModel


class Runner:
    """One loaded generative model. Call it from one thread at a time."""

    def __init__(self, loaded: LoadedModel) -> None:
        self.loaded = loaded
        self.info = loaded.info
        self.device = loaded.device
        self.lm: Any = loaded.model.language_model
        self.embedding: Any = self.lm.get_input_embeddings()
        self.is_t5 = loaded.info.family == "t5"

    def tokens(self, prompt: str, limit: int | None = None, *, literal: bool = True) -> list[int]:
        """The ids the language model reads: OPT's start with BOS, T5's end with `</s>`; cut on the right at `limit`.

        With `literal`, special tokens typed into the prompt are read as the characters they are.
        """
        options: dict[str, Any] = {"truncation": True, "max_length": limit} if limit else {}
        ids: list[int] = self.loaded.tokenizer(prompt, split_special_tokens=literal, **options).input_ids
        return ids

    @torch.inference_mode()
    def encode(self, pixels: Tensor) -> Tensor:
        """Pictures [B, 3, S, S] (preprocessed, float32) to language-model inputs [B, Q, D]."""
        return self.loaded.model.get_image_features(pixels.to(self.device)).pooler_output  # type: ignore[no-any-return]

    @torch.inference_mode()
    def prefill(self, pictures: Sequence[Tensor], prompts: Sequence[Sequence[int]]) -> tuple[Rows, Tensor]:
        """Read picture i ([Q, D]) and prompt i; one row each. Returns the rows and the next token's logits [B, V]."""
        inputs = [self._inputs(picture, ids) for picture, ids in zip(pictures, prompts, strict=True)]
        longest = max(len(x) for x in inputs)
        lengths = torch.tensor([len(x) for x in inputs], device=self.device)
        place = right if self.is_t5 else left
        embeds = torch.stack([place(x, longest, 0) for x in inputs])  # [B, L, D]
        spots = torch.arange(longest, device=self.device)[None]
        mask = (spots < lengths[:, None]) if self.is_t5 else (spots >= longest - lengths[:, None])
        if self.is_t5:
            return self._read_t5(embeds, mask.long())
        out = self.lm(inputs_embeds=embeds, attention_mask=mask.long(), use_cache=True, logits_to_keep=1)
        return Rows(out.past_key_values, mask.long()), out.logits[:, -1].float()

    @torch.inference_mode()
    def step(self, rows: Rows, tokens: Tensor) -> Tensor:
        """Feed token [R] to each row; the logits of the next one [R, V], float32."""
        rows.mask = torch.cat([rows.mask, rows.mask.new_ones(len(rows), 1)], 1)
        if self.is_t5:
            return self._step_t5(rows, tokens)
        out = self.lm(input_ids=tokens[:, None], attention_mask=rows.mask, past_key_values=rows.cache, use_cache=True)
        return out.logits[:, -1].float()  # type: ignore[no-any-return]

    def _inputs(self, picture: Tensor, ids: Sequence[int]) -> Tensor:
        words = self.embedding(torch.tensor(ids, dtype=torch.long, device=self.device))
        return torch.cat([picture.to(words), words])  # [Q + T, D]

    def _read_t5(self, embeds: Tensor, mask: Tensor) -> tuple[Rows, Tensor]:
        hidden = self.lm.get_encoder()(inputs_embeds=embeds, attention_mask=mask).last_hidden_state
        start = torch.full((len(embeds), 1), self.loaded.start_id, dtype=torch.long, device=self.device)
        out = self.lm(
            encoder_outputs=(hidden,),
            attention_mask=mask,
            decoder_input_ids=start,
            decoder_attention_mask=torch.ones_like(start),
            use_cache=True,
        )
        return Rows(out.past_key_values, torch.ones_like(start), mask), out.logits[:, -1].float()

    def _step_t5(self, rows: Rows, tokens: Tensor) -> Tensor:
        assert rows.source is not None
        # The encoder's keys and values are cached: of its output only the shape is read.
        shape = (*rows.source.shape, self.lm.config.d_model)
        hidden = torch.zeros((1, 1, 1), dtype=self.lm.dtype, device=self.device).expand(shape)
        out = self.lm(
            encoder_outputs=(hidden,),
            attention_mask=rows.source,
            decoder_input_ids=tokens[:, None],
            decoder_attention_mask=rows.mask,
            past_key_values=rows.cache,
            use_cache=True,
        )
        return out.logits[:, -1].float()  # type: ignore[no-any-return]
