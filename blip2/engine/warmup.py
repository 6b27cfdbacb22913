"""Typical requests, run before visitors come: steps are captured, kernels chosen and memory is taken then."""

from collections.abc import Callable, Iterator

from PIL import Image

from blip2.engine.cache import ByteLRU
from blip2.engine.engine import Engine
from blip2.images import picture_from
from blip2.values import Decoding, Request

WIDTHS = (1, 5)  # greedy and nucleus; LAVIS's beams
COUNTS = (1, 2, 4, 8)  # requests at a time
TOKENS = 24


def warmed(engine: Engine, tell: Callable[[str], object]) -> Engine:
    """The engine, warmed up; `tell` hears how far it is. An engine that fails at it is closed."""
    try:
        for done, rounds in warm(engine):
            tell(f"Warming up {engine.loaded.info.title}: {done} of {rounds}")
    except BaseException:
        engine.close()
        raise
    return engine


def warm(engine: Engine) -> Iterator[tuple[int, int]]:
    """Run a few requests of each kind and number; yields how many rounds are done, of how many.

    Whatever they leave in the caches is dropped, and the pictures that the engine keeps, for itself and for others that
    share its store, are left alone. Raises what an answer may raise.
    """
    kept, engine.images = engine.images, ByteLRU(engine.images.limit)
    try:
        yield from _rounds(engine)
    finally:
        engine.images = kept
        engine.prefixes.clear()


def _rounds(engine: Engine) -> Iterator[tuple[int, int]]:
    size = engine.loaded.info.image_size
    rounds = [(width, count) for width in WIDTHS for count in COUNTS]
    for done, (width, count) in enumerate(rounds):
        decoding = Decoding(
            method="beam" if width > 1 else "greedy", num_beams=width, max_new_tokens=TOKENS, min_new_tokens=TOKENS
        )
        greys = [Image.new("RGB", (size, size), (60 + done, i, i)) for i in range(count)]
        # Twice, since a shape is captured when it is used again.
        for _ in range(2):
            requests = [Request(engine.loaded.info.name, picture_from(grey), "a photo of", decoding) for grey in greys]
            for stream in [engine.submit(request) for request in requests]:
                for _ in stream:
                    pass
        yield done + 1, len(rounds)
