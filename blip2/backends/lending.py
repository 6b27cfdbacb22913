"""How a GPU is lent for a call: the package `spaces`, which ZeroGPU Spaces bring along. It knows no torch.

`spaces` must be imported before anything touches CUDA, so ask for a lender first.
"""

import functools
import os
import threading
from collections.abc import Callable
from typing import Any

from blip2.errors import MissingHardware

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


def one_fork_at_a_time() -> None:
    """Let threads that fork wait for each other, from now on: a loan begins with a fork.

    filelock, which the Hub's client uses, refuses a fork while another thread forks, and the lender does not take back
    the GPU of a loan that fails so early.
    """
    fork = os.fork
    if hasattr(fork, "__wrapped__"):
        return
    lock = threading.Lock()

    @functools.wraps(fork)
    def waiting() -> int:
        with lock:  # let go in both processes: the thread that forks is the one that lives on in the new one
            return fork()

    os.fork = waiting
