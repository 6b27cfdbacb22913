"""The backends that hold to the same contract, each with what its tests need to know of it."""

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tiny
from lender import Spaces
from PIL import Image

from blip2.backends.base import Backend
from blip2.backends.local import LocalBackend
from blip2.backends.scripted import ScriptedBackend
from blip2.backends.zerogpu import ZeroGpuBackend
from blip2.images import picture_from
from blip2.values import Decoding, Picture, Request


@dataclass(frozen=True)
class Subject:
    """A backend and what the tests need to know of it. `long` asks for an answer of many steps, in every method."""

    backend: Backend
    model: str
    matcher: str
    pictures: tuple[Picture, Picture]
    long: Decoding = field(default_factory=lambda: Decoding(max_new_tokens=200, min_new_tokens=200))

    def request(self, decoding: Decoding | None = None, **changes: Any) -> Request:
        decoding = Decoding(max_new_tokens=8) if decoding is None else decoding
        return replace(Request(self.model, self.pictures[0], "Question: what is this? Answer:", decoding), **changes)


def picture(shade: int) -> Picture:
    return Picture(Image.new("RGB", (40, 30), (shade, 90, 200 - shade)), digest=f"{shade:064x}")


def noise(seed: int) -> Picture:
    """Always the same noise, whatever was drawn before: what a tiny model says of it must not change."""
    pixels = np.random.default_rng(seed).integers(0, 256, (30, 40, 3), np.uint8)
    return picture_from(Image.fromarray(pixels))


def scripted(**options: Any) -> Subject:
    backend = ScriptedBackend(default="a b c d e f " * 100, delay=0.002, **options)
    return Subject(backend, "scripted/opt", "scripted/itm", (picture(10), picture(90)))


def local(kind: Callable[..., Any] = LocalBackend, **options: Any) -> Subject:
    folder = Path(tempfile.mkdtemp(prefix="blip2-contract-"))
    opt, itm = tiny.make_opt(folder / "opt"), tiny.make_itm(folder / "itm")
    backend = kind([str(opt), str(itm)], device="cpu", **options)
    pictures = tuple(noise(seed) for seed in (1, 2))
    return Subject(backend, str(opt), str(itm), (pictures[0], pictures[1]))


class Borrowing(ZeroGpuBackend):
    """A backend on lent GPUs whose lender ends with it."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        self.spaces = Spaces()
        super().__init__(self.spaces.GPU(duration=60), *arguments, **options)

    def close(self) -> None:
        super().close()
        self.spaces.close()


def zerogpu(**options: Any) -> Subject:
    return local(Borrowing, **options)


BUILDERS: dict[str, Callable[[], Subject]] = {"scripted": scripted, "local": local, "zerogpu": zerogpu}


@pytest.fixture(scope="module", params=BUILDERS)
def subject(request: pytest.FixtureRequest) -> Iterator[Subject]:
    made = BUILDERS[request.param]()
    yield made
    made.backend.close()
