"""The picture's path, measured: a 12-megapixel upload to the pixels that a model sees."""

from time import perf_counter

import torch
from transformers import BlipImageProcessorPil

from blip2.bench.workloads import Row, picture
from blip2.images import preprocess

LARGE = (4000, 3000)
LEAST = 5  # pictures: single times of so short a thing vary much


def large(size: int, repeats: int) -> Row:
    """Opened pictures of 12 megapixels to pixels [3, size, size]; naive is transformers' own processor."""
    row = Row("picture_12mp")
    stock = BlipImageProcessorPil(size={"height": size, "width": size})
    first = picture(50_000, LARGE)
    preprocess(first, size)  # starts the threads
    stock(first, return_tensors="pt")
    for repeat in range(max(repeats, LEAST)):
        image = picture(50_001 + repeat, LARGE)
        begun = perf_counter()
        ours = preprocess(image, size)
        between = perf_counter()
        theirs = stock(image, return_tensors="pt").pixel_values[0]
        row.seconds.setdefault("ours", []).append(between - begun)
        row.seconds.setdefault("naive", []).append(perf_counter() - between)
        row.correct &= bool(torch.allclose(ours, theirs, atol=1e-6))
    return row
