"""A row of the zoo, a folder or a Hub id -> a loaded model that has passed its self-check.

Only this module calls `from_pretrained`. It knows nothing of prompts, batches or visitors.
"""

from dataclasses import dataclass, field
from typing import Any

import torch

from blip2.values import ModelInfo


@dataclass(frozen=True, slots=True)
class LoadedModel:
    """A model ready to run: in `eval()` mode, on its device, self-check passed.

    `end_ids` end an answer: OPT (id of a line break,) as in LAVIS, T5 (id of `</s>`,), none for ITM. `start_id` is what
    an answer is counted from: OPT's BOS, T5's decoder start. `note` says what `auto` picked and why.
    """

    info: ModelInfo
    model: Any = field(repr=False)  # Blip2ForConditionalGeneration | Blip2ForImageTextRetrieval
    tokenizer: Any = field(repr=False)  # the fast tokenizer of the checkpoint
    device: torch.device
    end_ids: tuple[int, ...] = ()
    start_id: int = 0
    note: str = ""
