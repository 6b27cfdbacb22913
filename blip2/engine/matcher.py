"""Run-time tensor code of the matching models: the picture once, then any number of texts. Knows no queue.

ITM and ITC as in LAVIS (`blip2_image_text_matching.py`, `blip2_qformer.py`). The Q-Former is called directly: the stock
class would run the image encoder again for every text, and cuts the first tokens off texts in some checkpoints.
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import normalize

from blip2.engine.packed import pack
from blip2.loading import LoadedModel

MAX_TEXT = 32  # tokens of a text, [CLS] and [SEP] included, that LAVIS reads when it matches
MAX_FEATURE_TEXT = 512  # the same of a text that features are made of
PAIRS = 64  # pairs a Q-Former call takes at once


class Matcher:
    """One loaded `Blip2ForImageTextRetrieval`. Call it from one thread at a time."""

    def __init__(self, loaded: LoadedModel) -> None:
        self.loaded = loaded
        self.info = loaded.info
        self.device = loaded.device
        self.model: Any = loaded.model
        pack(loaded.model)

    @property
    def longest(self) -> int:
        """Tokens of the longest text that features are made of: LAVIS's limit, or fewer where the model reads fewer."""
        return min(MAX_FEATURE_TEXT, int(self.model.config.qformer_config.max_position_embeddings))

    def tokens(self, texts: Sequence[str], limit: int | None = MAX_TEXT) -> tuple[Tensor, Tensor]:
        """Ids and mask [N, T], padded on the right, cut at `limit` tokens."""
        options: dict[str, Any] = {"truncation": True, "max_length": limit} if limit else {}
        out = self.loaded.tokenizer(list(texts), padding=True, padding_side="right", return_tensors="pt", **options)
        return out.input_ids.to(self.device), out.attention_mask.to(self.device)

    @torch.inference_mode()
    def vision(self, pixels: Tensor) -> Tensor:
        """Pictures [B, 3, S, S] through the image encoder: [B, patches + 1, D]."""
        return self.model.vision_model(pixels.to(self.device)).last_hidden_state  # type: ignore[no-any-return]

    @torch.inference_mode()
    def queries(self, vision: Tensor) -> Tensor:
        """The query tokens after the Q-Former has looked at the picture: [B, Q, H]."""
        tokens = self.model.query_tokens.expand(len(vision), -1, -1)
        mask = torch.ones(vision.shape[:2], dtype=torch.long, device=self.device)
        out = self.model.qformer(query_embeds=tokens, encoder_hidden_states=vision, encoder_attention_mask=mask)
        return out.last_hidden_state  # type: ignore[no-any-return]

    @torch.inference_mode()
    def texts(self, ids: Tensor, mask: Tensor) -> Tensor:
        """Texts alone through the Q-Former: [N, T, H]."""
        out = self.model.qformer(query_embeds=self.model.embeddings(input_ids=ids), query_length=0, attention_mask=mask)
        return out.last_hidden_state  # type: ignore[no-any-return]

    @torch.inference_mode()
    def multimodal(self, vision: Tensor, ids: Tensor, mask: Tensor) -> Tensor:
        """The query tokens after looking at picture i and reading text i: [B, Q, H].

        One picture [1, patches + 1, D] serves all texts: its keys and values are then made once.
        """
        queries = self.model.query_tokens.expand(len(ids), -1, -1)
        both = torch.cat([torch.ones(queries.shape[:2], dtype=torch.long, device=self.device), mask], 1)
        seen = torch.ones(vision.shape[:2], dtype=torch.long, device=self.device)
        out = self.model.qformer(
            query_embeds=self.model.embeddings(input_ids=ids, query_embeds=queries),
            query_length=queries.shape[1],
            attention_mask=both,
            encoder_hidden_states=vision,
            encoder_attention_mask=seen,
        )
        return out.last_hidden_state[:, : queries.shape[1]]  # type: ignore[no-any-return]

    @torch.inference_mode()
    def itm_logits(self, vision: Tensor, ids: Tensor, mask: Tensor) -> Tensor:
        """Logits of (no match, match) for picture i with text i: [B, 2], the mean over the queries.

        One picture [1, patches + 1, D] is compared with all texts.
        """
        parts = []
        for at in range(0, len(ids), PAIRS):
            part = slice(at, at + PAIRS)
            seen = self.multimodal(vision if len(vision) == 1 else vision[part], ids[part], mask[part])
            parts.append(self.model.itm_head(seen.to(self.model.itm_head.weight.dtype)).mean(1).float())
        return torch.cat(parts)

    @torch.inference_mode()
    def project_image(self, queries: Tensor) -> Tensor:
        """Q-Former queries [B, Q, H] to unit vectors [B, Q, P]."""
        projection = self.model.vision_projection
        return normalize(projection(queries.to(projection.weight.dtype)).float(), dim=-1)

    @torch.inference_mode()
    def project_text(self, states: Tensor) -> Tensor:
        """Text states [N, T, H] to unit vectors [N, T, P]; place 0 stands for the whole text."""
        projection = self.model.text_projection
        return normalize(projection(states.to(projection.weight.dtype)).float(), dim=-1)

    @torch.inference_mode()
    def itc(self, images: Tensor, texts: Tensor) -> Tensor:
        """Cosines [images, texts] of projected queries [B, Q, P] and text vectors [N, P]: the best query counts."""
        return torch.einsum("bqp,np->bqn", images, texts).amax(1)
