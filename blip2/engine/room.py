"""How much memory a request will take while it runs, and how much there is: what admission weighs. Knows no queue."""

import torch

from blip2.loading import LoadedModel
from blip2.quantize import free_memory
from blip2.values import Decoding

MARGIN = 2  # buffers are rectangular, as long as the longest request, and are copied as they grow
COPIES = 4  # of a step's logits in float32: raw, normalised, ranked


def cost(loaded: LoadedModel, prompt: int, decoding: Decoding) -> int:
    """Bytes that a request with `prompt` tokens of text may take at most, keys, values and logits together."""
    config = loaded.model.language_model.config
    tokens = loaded.info.image_tokens + prompt
    written = decoding.width * decoding.max_new_tokens
    if loaded.info.family == "opt":
        column = 2 * config.num_hidden_layers * config.hidden_size
        columns = tokens + written
    else:  # T5 keeps keys and values of the encoder's outputs for every decoder layer, and its own
        column = 2 * config.num_decoder_layers * config.num_heads * config.d_kv
        columns = tokens + written + 1
    size = 4 if loaded.info.dtype == "float32" else 2
    return int(MARGIN * columns * column * size + COPIES * decoding.width * config.vocab_size * 4)


def free(device: torch.device) -> int:
    """Bytes that can be taken on the device now, what torch holds in reserve included."""
    if device.type == "cuda":
        reserve = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
        return int(torch.cuda.mem_get_info(device)[0] + reserve)
    return free_memory()
