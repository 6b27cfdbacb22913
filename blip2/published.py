"""Answers that the real checkpoints are published to give, to compare a deployment's with. Data; it knows no torch.

Sources: LAVIS's tests and notebooks (beam search, 5 beams), transformers' slow tests (greedy, float16). They belong to
different settings and are never mixed. A half-precision answer can differ by hardware, so a wrong word is a hint, and
several are a fault. The pictures are not ours to ship: put them into a folder under these names.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from blip2.values import Decoding


@dataclass(frozen=True, slots=True)
class KnownPicture:
    """A picture by its usual file name, where it is published, and what is known of its SHA-256 (a pattern)."""

    file: str
    where: str
    sha256: str = ""
    drop_alpha: bool = False  # LAVIS drops transparency, where the page lays it on white

    def find(self, folders: tuple[Path, ...]) -> Path | None:
        """The file in one of the folders, or None."""
        return next((folder / self.file for folder in folders if (folder / self.file).is_file()), None)

    def is_it(self, sha256: str) -> bool:
        """Whether a file with this hash can be the picture; true where its hash is not known."""
        return not self.sha256 or re.fullmatch(self.sha256, sha256) is not None


MERLION = KnownPicture(
    "merlion.png",
    "github.com/salesforce/LAVIS docs/_static/merlion.png",
    "f1f3b6a5[0-9a-f]{49}8951431",
    drop_alpha=True,
)
BEACH = KnownPicture("demo.jpg", "huggingface.co/datasets/hf-internal-testing/blip-test-image")
CATS = KnownPicture("000000039769.jpg", "images.cocodataset.org/val2017/000000039769.jpg")
CARTOON = KnownPicture(
    "cartoon.jpeg", "huggingface.co/datasets/huggingface/documentation-images blog/blip-2/cartoon.jpeg"
)


@dataclass(frozen=True, slots=True)
class Answer:
    """What `model` answers to `prompt` about `picture`. `exact` False: the answer contains `text`."""

    id: str
    model: str
    picture: KnownPicture
    prompt: str
    text: str
    decoding: Decoding
    dtype: str
    source: str
    exact: bool = True

    def agrees(self, given: str) -> bool:
        mine, theirs = given.strip().lower(), self.text.strip().lower()
        return mine == theirs if self.exact else theirs in mine

    def to_json(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "model": self.model,
            "picture": self.picture.file,
            "prompt": self.prompt,
            "text": self.text,
            "decoding": self.decoding.to_json(),
            "dtype": self.dtype,
            "source": self.source,
        }


@dataclass(frozen=True, slots=True)
class Score:
    """What a matching model gives a picture and a text: P(match), the cosine, or both."""

    id: str
    model: str
    picture: KnownPicture
    text: str
    itm: float | None
    itc: float | None
    dtype: str
    source: str
    tolerance: float = 0.005  # half precision; float32 stays within 0.001


OPT_BEAMS = Decoding(max_new_tokens=29)  # LAVIS's max_length 30 counts OPT's start token
T5_BEAMS = Decoding(max_new_tokens=30)
GREEDY = Decoding(method="greedy", max_new_tokens=20)
LAVIS_TEST = "LAVIS tests/models/test_blip2.py"
LAVIS_README = "LAVIS projects/blip2/README.md"
HF_TEST = "transformers tests/models/blip_2/test_modeling_blip_2.py"
HF_BLOG = "huggingface.co/blog/blip-2"
CITY = "Question: which city is this? Answer:"
WHY = f"{CITY} singapore. Question: why?"
NAME = f"{WHY} Answer: it has a statue of a merlion. Question: where is the name merlion coming from? Answer:"
DINOSAUR = "Question: What is a dinosaur holding? Answer:"


def _lavis(id_: str, model: str, text: str, prompt: str = "", source: str = LAVIS_TEST) -> Answer:
    t5 = model.startswith("blip2_t5/")
    decoding, dtype = (T5_BEAMS, "bfloat16") if t5 else (OPT_BEAMS, "float16")
    return Answer(id_, model, MERLION, prompt, text, decoding, dtype, source)


def _greedy(id_: str, model: str, picture: KnownPicture, prompt: str, text: str, source: str) -> Answer:
    dtype = "bfloat16" if model.startswith("blip2_t5/") else "float16"
    return Answer(id_, model, picture, prompt, text, GREEDY, dtype, source)


OPT, OPT_COCO = "blip2_opt/pretrain_opt2.7b", "blip2_opt/caption_coco_opt2.7b"
OPT_67, OPT_67_COCO = "blip2_opt/pretrain_opt6.7b", "blip2_opt/caption_coco_opt6.7b"
XL, XXL = "blip2_t5/pretrain_flant5xl", "blip2_t5/pretrain_flant5xxl"
ANSWERS: tuple[Answer, ...] = (
    _lavis("L1", OPT, "the merlion fountain in singapore"),
    _lavis("L2", OPT_COCO, "a statue of a mermaid spraying water into the air", "a photo of"),
    _lavis("L3", OPT_67, "a statue of a merlion in front of a water fountain"),
    _lavis("L4", OPT_67_COCO, "a large fountain spraying water into the air", "a photo of"),
    _lavis("L5", XL, "marina bay sands, singapore"),
    _lavis("L6", XXL, "the merlion statue in singapore"),
    _lavis("L7", XXL, "singapore", CITY, LAVIS_README),
    _lavis("L8", XXL, "it has a statue of a merlion", WHY, LAVIS_README),
    _lavis("L9", XXL, "merlion is a portmanteau of mermaid and lion", NAME, LAVIS_README),
    _greedy("H1", OPT, BEACH, "", "a woman sitting on the beach with a dog", HF_TEST),
    _greedy("H2", OPT, BEACH, CITY, "it's not a city, it's a beach", HF_TEST),
    _greedy("H5", XL, BEACH, "", "woman playing with dog on the beach", HF_TEST),
    _greedy("H6", XL, BEACH, CITY, "san diego", HF_TEST),
    _greedy("O1", OPT, CARTOON, "", "two cartoon monsters sitting around a campfire", HF_BLOG),
    _greedy("O2", OPT, CARTOON, "this is a cartoon of", "two monsters sitting around a campfire", HF_BLOG),
    _greedy("O2b", OPT, CARTOON, "they look like they are", "having a good time", HF_BLOG),
    _greedy("O3", OPT, CARTOON, DINOSAUR, "A torch", HF_BLOG),
    Answer(
        "O6", OPT, MERLION, CITY, "singapore", OPT_BEAMS, "float16", "TensorRT-LLM examples/multimodal/run.py", False
    ),
)
SCORES: tuple[Score, ...] = (
    Score("H7", "blip2/pretrain", BEACH, "A woman and her dog sitting in a beach", 0.9762, 0.4406, "float16", HF_TEST),
    Score(
        "L10",
        "blip2/pretrain",
        MERLION,
        "a large fountain spewing water into the air",
        None,
        0.3642,
        "float16",
        "LAVIS examples/blip2_feature_extraction.ipynb",
    ),
)


def answers_of(model: str) -> tuple[Answer, ...]:
    """The published answers of one row of the zoo, by its key."""
    return tuple(answer for answer in ANSWERS if answer.model == model)


def scores_of(model: str) -> tuple[Score, ...]:
    """The published scores of one row of the zoo, by its key."""
    return tuple(score for score in SCORES if score.model == model)
