"""How far a run is: count, rate and time left, on the error stream; a line that is redrawn where someone is looking."""

import sys
import time
from collections.abc import Callable
from typing import TextIO

EVERY = 30.0  # seconds between lines in a log
REDRAW = 0.2


class Progress:
    """Counts what is done of `total`, `before` of which an earlier session did."""

    def __init__(
        self,
        total: int,
        before: int = 0,
        unit: str = "examples",
        out: TextIO | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.total, self.done, self.unit = total, before, unit
        self.broken = 0
        self._before, self._clock = before, clock
        self._out = out if out is not None else sys.stderr
        self._begun = self._shown = clock()
        self._live = self._out.isatty()

    def add(self, broken: bool = False) -> None:
        """One more is done."""
        self.done += 1
        self.broken += broken
        now = self._clock()
        if now - self._shown >= (REDRAW if self._live else EVERY):
            self._shown = now
            self._write(self.text(), "\r\033[K" if self._live else "")

    def close(self) -> None:
        """The last line stays."""
        self._write(self.text(), "\r\033[K" if self._live else "", "\n")

    def text(self) -> str:
        """`1200/5000 examples, 31.5/s, 2:01 left, 1 broken`."""
        rate = self.rate()
        parts = [f"{self.done}/{self.total} {self.unit}"]
        if rate:
            parts.append(f"{rate:.1f}/s" if rate >= 0.1 else f"{60 * rate:.1f}/min")
            if self.done < self.total:
                parts.append(f"{duration((self.total - self.done) / rate)} left")
        if self.broken:
            parts.append(f"{self.broken} broken")
        return ", ".join(parts)

    def rate(self) -> float:
        """Examples a second in this session."""
        spent = self._clock() - self._begun
        return (self.done - self._before) / spent if spent > 0 else 0.0

    def _write(self, text: str, before: str = "", after: str = "") -> None:
        end = after or ("" if self._live else "\n")
        print(f"{before}{text}", end=end, file=self._out, flush=True)


def duration(seconds: float) -> str:
    """`0:07`, `12:30`, `3:05:00`, `2 d 4:00:00`."""
    whole = int(seconds)
    days, whole = divmod(whole, 86_400)
    hours, rest = divmod(whole, 3600)
    minutes, rest = divmod(rest, 60)
    text = f"{hours}:{minutes:02d}:{rest:02d}" if hours or days else f"{minutes}:{rest:02d}"
    return f"{days} d {text}" if days else text
