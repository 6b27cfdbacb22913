"""What both kinds of LAVIS model share with a torch module, as LAVIS's snippets use it."""

from collections.abc import Mapping
from typing import Any, Self

import torch

from blip2.errors import BadInput
from blip2.loading import LoadedModel

Samples = Mapping[str, Any]


class LavisModel:
    """A loaded model, always in evaluation mode."""

    def __init__(self, loaded: LoadedModel) -> None:
        self.loaded = loaded
        self.device = loaded.device

    def eval(self) -> Self:
        return self

    def to(self, device: str | torch.device) -> Self:
        """Accepted when it names the device the model is on; load it there instead of moving it."""
        if torch.device(device).type != self.device.type:
            raise BadInput(f"The model is on {self.device}; load it with device={str(device)!r} instead of moving it.")
        return self
