"""What one network address may send to the page: bytes of files within an hour, files and sign-ins within a minute.

A visitor's session is a word that the client chooses, so that what must hold is counted by address. It knows no model.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from time import monotonic

KEPT = 10_000  # addresses remembered; the one unseen for longest is forgotten first
SIGN_INS = 10  # a minute; each costs a check of a password
Limits = Mapping[str, tuple[int, float]]  # what is counted -> how much of it in how many seconds; 0 is no limit
TOLD = {
    "bytes": "You have sent as many files as one visitor may for now; please go on in {wait}.",
    "files": "You have sent many files within a minute, as many as one visitor may; please go on in {wait}.",
    "sign-ins": "There were too many tries to sign in from your address; please try again in {wait}.",
}


@dataclass(frozen=True, slots=True)
class Refused:
    """Why no more is taken, and the seconds until some may be."""

    sentence: str
    retry: int


class Allowance:
    """What each address has left; it grows back evenly. May be called from any thread."""

    def __init__(self, limits: Limits, clock: Callable[[], float] = monotonic, kept: int = KEPT) -> None:
        self._limits = {what: limit for what, limit in limits.items() if limit[0] > 0}
        self._clock = clock
        self._kept = kept
        self._used: OrderedDict[tuple[str, str], tuple[float, float]] = OrderedDict()  # -> (used, when)
        self._lock = threading.Lock()

    def take(self, what: str, address: str, amount: int) -> Refused | None:
        """Count `amount` for an address. What goes past the limit is refused and counts no further."""
        if what not in self._limits:
            return None
        most, seconds = self._limits[what]
        with self._lock:
            now = self._clock()
            used, since = self._used.pop((what, address), (0.0, now))
            used = max(0.0, used - (now - since) * most / seconds)
            allowed = used + amount <= most
            self._used[what, address] = (used + amount if allowed else used, now)
            while len(self._used) > self._kept:
                self._used.popitem(last=False)
        if allowed:
            return None
        retry = max(1, round(min(used, used + amount - most) * seconds / most))
        wait = f"{retry} s" if retry < 120 else f"{retry // 60} minutes"
        return Refused(TOLD[what].format(wait=wait), retry)


def forwarded(client: str, header: str, trust: bool) -> str:
    """The visitor's address: the connection's, or, behind a trusted proxy, what that proxy wrote last into the header.

    What stands before the last entry came from the client and is not believed.
    """
    last = header.rsplit(",", 1)[-1].strip()
    return last if trust and last else client
