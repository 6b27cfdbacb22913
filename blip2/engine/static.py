"""Decoding steps of fixed shapes, captured once as CUDA graphs and replayed. Knows no requests.

A step of a small batch is hundreds of short kernels, and launching them takes the host far longer than running them. A
graph replays all of them with one launch, but its shapes and addresses are fixed: so slots, columns and the encoder's
span are rounded up to a few sizes, what varies is copied into tensors made once, and surplus slots compute on rows that
nobody uses. What cannot be captured (quantised layers, offloaded ones) goes on without graphs, by itself.

Without a GPU the same rounding can be run with plain calls in place of graphs, which is how it is tested.
"""

import logging
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

logger = logging.getLogger(__name__)
COLUMNS = 64  # rounding of the columns read
SPAN = 32  # rounding of T5's encoder outputs
KEPT = 64  # captured steps a lane keeps
TRIES = 2  # uses of a shape before it is captured: a rare one is not worth it
CLOSE = 2e-2  # by how much of the largest logit a replay may differ from the plain step, in half precision

Forward = Callable[[Tensor, Tensor, Tensor, Tensor], Tensor]


class Capture(Protocol):
    """Turns a step on fixed tensors into something that repeats it on whatever those hold."""

    def __call__(self, step: Callable[[], Tensor]) -> Callable[[], Tensor]: ...


class CudaCapture:
    """A CUDA graph of the step; the graphs of one model share their memory, since only one runs at a time."""

    def __init__(self) -> None:
        self._pool = torch.cuda.graph_pool_handle()

    def __call__(self, step: Callable[[], Tensor]) -> Callable[[], Tensor]:
        stream = torch.cuda.Stream()  # type: ignore[no-untyped-call]
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):  # lazy set-up of the libraries must not fall into the capture
            step()
        torch.cuda.current_stream().wait_stream(stream)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph, pool=self._pool):
            out = step()

        def replay() -> Tensor:
            graph.replay()
            return out

        return replay


def again(step: Callable[[], Tensor]) -> Callable[[], Tensor]:
    """No capture: the step itself, run anew each time."""
    return step


@dataclass(slots=True)
class Fixed:
    """The tensors that a captured step reads: tokens, positions, columns [S, W], mask [S, W, T]; and its replay."""

    tokens: Tensor
    positions: Tensor
    columns: Tensor
    mask: Tensor
    replay: Callable[[], Tensor] | None = None
    uses: int = 0

    def fill(self, tokens: Tensor, positions: Tensor, columns: Tensor, mask: Tensor) -> None:
        """Take a step's values; surplus slots keep theirs, which are harmless."""
        count, used = len(tokens), mask.shape[2]
        self.tokens[:count] = tokens
        self.positions[:count] = positions
        self.columns[:count] = columns
        self.mask[:count, :, used:] = False
        self.mask[:count, :, :used] = mask
        # A surplus slot sees its first column only: one that saw none would compute no number.
        self.mask[count:] = False
        self.mask[count:, :, 0] = True


class StaticSteps:
    """Runs the steps of one lane in fixed shapes. `forward` takes (tokens, mask, positions, columns)."""

    def __init__(self, capture: Capture) -> None:
        self._capture = capture
        self._known: OrderedDict[Hashable, Fixed] = OrderedDict()
        self.captured = 0
        self.refused = False

    def run(
        self, where: Hashable, sizes: tuple[int, int], step: tuple[Tensor, Tensor, Tensor, Tensor], forward: Forward
    ) -> Tensor:
        """The logits [slots, W, V] of a step (tokens, positions, columns, mask) run as `sizes` = slots and columns.

        `where` names the buffers that `forward` reads and writes: other buffers, other graphs.
        """
        tokens, positions, columns, mask = step
        key = (where, sizes)
        fixed = self._known.get(key)
        if fixed is None:
            fixed = self._known[key] = _fixed(sizes, tokens, mask)
            while len(self._known) > KEPT:
                self._known.popitem(last=False)
        self._known.move_to_end(key)
        fixed.fill(tokens, positions, columns, mask)
        fixed.uses += 1

        def once() -> Tensor:
            return forward(fixed.tokens, fixed.mask, fixed.positions, fixed.columns)

        if fixed.replay is None and not self.refused and fixed.uses >= TRIES:
            fixed.replay = self._captured(once)
        return (fixed.replay or once)()[: len(tokens)].float()

    def forget(self) -> None:
        """Let all graphs go: the buffers they point to are gone."""
        self._known.clear()

    def _captured(self, once: Callable[[], Tensor]) -> Callable[[], Tensor] | None:
        try:
            right = once().clone()
            replay = self._capture(once)
            made = replay()
            if not torch.allclose(made, right, atol=CLOSE * float(right.abs().max()), rtol=0):
                raise RuntimeError("a captured step gave other numbers than the plain one")
        except torch.OutOfMemoryError:
            raise
        except RuntimeError as error:
            self.refused = True
            logger.warning("decoding steps are not captured: %s", str(error).splitlines()[0])
            return None
        self.captured += 1
        return replay


def rounded(count: int, columns: int) -> tuple[int, int]:
    """Slots and columns as captured: slots to a power of two, columns to a multiple of `COLUMNS`."""
    return 1 << max(0, count - 1).bit_length(), -(-columns // COLUMNS) * COLUMNS


def _fixed(sizes: tuple[int, int], tokens: Tensor, mask: Tensor) -> Fixed:
    slots, columns = sizes
    width, device = tokens.shape[1], tokens.device
    beams = torch.arange(width, device=device).expand(slots, width)
    return Fixed(
        torch.zeros((slots, width), dtype=torch.long, device=device),
        torch.zeros((slots, width), dtype=torch.long, device=device),
        beams.clone(),
        torch.zeros((slots, width, columns), dtype=torch.bool, device=device),
    )
