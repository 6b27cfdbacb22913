"""The nearest of many pictures by their projected queries, in bounded memory. It knows no files and no models.

`features` [n, Q, P] may be a memory map of more than fits in memory, in float16 or float32; it is read in slices.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
SLICE_BYTES = 2 << 20  # of float32 that are compared at once: what fits the processor's cache is twice as fast


def by_vector(features: Array, vector: Array) -> Array:
    """ITC of a text's vector [P] with each picture: its best query counts, as in LAVIS. float32 [n]."""
    return _scanned(
        features, lambda block: (block.reshape(-1, block.shape[-1]) @ vector).reshape(block.shape[:2]).max(1)
    )


def by_queries(features: Array, queries: Array) -> Array:
    """How alike each picture is to one with the projected queries [Q, P]: float32 [n], 1 for the same picture.

    The mean over the queries of each one's cosine with the same query of the other picture. A query is a learned
    question to the picture, so it is held against itself; the best of all pairs would be near 1 for any two pictures.
    """
    flat = np.asarray(queries, np.float32).reshape(-1) / len(queries)
    return _scanned(features, lambda block: block.reshape(len(block), -1) @ flat)


def best(scores: Array, k: int) -> Array:
    """Places of the `min(k, N)` largest scores, best first, ties to the lower place."""
    k = min(k, len(scores))
    if k < len(scores):
        edge = np.partition(scores, len(scores) - k)[len(scores) - k]
        places = np.flatnonzero(scores >= edge)
    else:
        places = np.arange(len(scores))
    return places[np.argsort(-scores[places], kind="stable")][:k]


def _scanned(features: Array, score: Callable[[Array], Array]) -> Array:
    """The scores of all pictures, a slice at a time; numbers that are none count as 0."""
    import torch  # widens float16 four times as fast as NumPy; what only ranks needs none of it

    count, queries, width = features.shape
    out = np.empty(count, np.float32)
    step = max(SLICE_BYTES // (4 * queries * width), 1)
    for start in range(0, count, step):
        part = np.array(features[start : start + step])  # off the disk, and writable, as torch wants it
        block = torch.from_numpy(part).float().numpy()
        out[start : start + step] = np.nan_to_num(score(block), nan=0.0, posinf=0.0, neginf=0.0)
    return out
