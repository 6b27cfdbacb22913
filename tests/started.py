"""The studio started as a host starts it: `python app.py`, told to stop at the end, and stopping by itself."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PATIENCE = 120  # seconds for the studio to stop


@contextmanager
def started(runs: Path, **settings: str) -> Iterator[str]:
    """The address of a studio on a free port. `runs` is its folder of evaluations, `settings` its BLIP2_ variables."""
    given = {f"BLIP2_{name.upper()}": value for name, value in settings.items()}
    environment = {**os.environ, "BLIP2_PORT": "0", "BLIP2_RUNS": str(runs), **given}
    studio = subprocess.Popen([sys.executable, "app.py"], cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True)
    try:
        assert studio.stdout is not None
        found = next((found for line in studio.stdout if (found := re.search(r"is ready: (http\S+)", line))), None)
        assert found, "The studio ended before it was ready."
        yield found[1]
        studio.send_signal(signal.SIGTERM)
        assert studio.wait(PATIENCE) == 0, "The studio did not stop as it was told."
    finally:
        studio.kill()
        studio.wait()
