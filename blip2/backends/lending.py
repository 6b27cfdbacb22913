"""How a GPU is lent for a call: the package `spaces`, which ZeroGPU Spaces bring along. It knows no torch.

`spaces` must be imported before anything touches CUDA, so ask for a lender first.
"""

from collections.abc import Callable
from typing import Any, TypeVar

from blip2.errors import MissingHardware

F = TypeVar("F", bound=Callable[..., Any])
Lender = Callable[[Callable[..., Any]], Callable[..., Any]]


def lender(seconds: int) -> Lender:
    """What makes a function at a module's top run with a GPU, for at most so many seconds a call.

    Raises `MissingHardware` where the package is not installed.
    """
    try:
        import spaces
    except ImportError as error:
        raise MissingHardware(
            "A GPU for each call needs the package spaces, which ZeroGPU Spaces bring along; leave out --zerogpu here."
        ) from error
    made: Lender = spaces.GPU(duration=seconds)
    return made
