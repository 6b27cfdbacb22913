"""LAVIS's interface: its published BLIP-2 snippets run with only the import changed.

    from blip2 import load_model_and_preprocess
    model, vis_processors, _ = load_model_and_preprocess("blip2_opt", "pretrain_opt2.7b", is_eval=True, device="cuda")
    image = vis_processors["eval"](raw_image).unsqueeze(0).to("cuda")
    model.generate({"image": image, "prompt": "Question: which city is this? Answer:"})

Answers equal LAVIS's (commit 506965b on the transformers it pins), its habits included: OPT reads 32 tokens of text at
most, lengths count the start token, "nucleus sampling" draws among 5 beams with top-k 50. The other modules do better.
"""

from collections.abc import Callable
from typing import Any

import torch
from PIL import Image
from torch import Tensor

from blip2 import zoo
from blip2.errors import UnknownModel
from blip2.images import lavis_pixels
from blip2.lavis.generate import LavisGenerator
from blip2.lavis.match import BlipOutputFeatures, LavisMatcher
from blip2.lavis.text import blip_caption, blip_question
from blip2.loading import load

__all__ = [
    "BlipOutputFeatures",
    "LavisGenerator",
    "LavisMatcher",
    "blip_caption",
    "blip_question",
    "load_model_and_preprocess",
]

NAMES = {
    "blip2_opt": "opt",
    "blip2_t5": "t5",
    "blip2": "itm",
    "blip2_feature_extractor": "itm",
    "blip2_image_text_matching": "itm",
}

Processors = dict[str, Callable[[Any], Any]]


def load_model_and_preprocess(
    name: str, model_type: str, is_eval: bool = False, device: str | torch.device = "cpu"
) -> tuple[LavisGenerator | LavisMatcher, Processors, Processors]:
    """The model, its picture processors and its text processors, by LAVIS's names; `model_type` may be a folder.

    Raises `UnknownModel`, or `ModelUnusable` with the reason. Models are always in evaluation mode, so `is_eval` is
    accepted and changes nothing.
    """
    if name not in NAMES:
        raise UnknownModel(f"The model name {name!r} is unknown; LAVIS's BLIP-2 names are {', '.join(NAMES)}.")
    loaded = load(zoo.find(name, model_type), "auto", str(device))
    if loaded.info.family != NAMES[name]:
        raise UnknownModel(f"The checkpoint {model_type!r} is of the family {loaded.info.family}, not {NAMES[name]}.")
    size = loaded.info.image_size

    def see(image: Image.Image) -> Tensor:
        return lavis_pixels(image, size)

    model = LavisMatcher(loaded) if loaded.info.family == "itm" else LavisGenerator(loaded)
    return model, {"train": see, "eval": see}, {"train": blip_caption, "eval": blip_caption}
