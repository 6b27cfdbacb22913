"""Tiny loaded models and pictures for the engine's tests."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from blip2.engine.engine import Engine
from blip2.images import picture_from
from blip2.loading import LoadedModel, load
from blip2.values import Picture

PROMPTS = (
    "",
    "a photo of",
    "Question: which city is this? Answer:",
    "Question: why? Answer: it has a statue. Question: what is this? Answer:",
    "how many dogs",
    "two",
)


@pytest.fixture(scope="session")
def pictures() -> list[Picture]:
    """Six pictures that differ much."""
    random = np.random.default_rng(0)
    made = []
    for i in range(6):
        pixels = random.integers(0, 256, (4 + i, 5, 3), dtype=np.uint8)
        made.append(picture_from(Image.fromarray(pixels).resize((80, 60), Image.Resampling.NEAREST), f"{i}.png"))
    return made


@pytest.fixture(scope="session", params=["opt", "t5"])
def loaded(request: pytest.FixtureRequest, opt_folder: Path, t5_folder: Path) -> LoadedModel:
    return load(str(opt_folder if request.param == "opt" else t5_folder), "float32", "cpu")


@pytest.fixture
def engine(loaded: LoadedModel) -> Iterator[Engine]:
    made = Engine(loaded)
    yield made
    made.close()
