"""A run in a process of its own, slow enough to be killed in the middle: `python killed_run.py DATA OUT`."""

import sys
from pathlib import Path

from blip2.backends.scripted import ScriptedBackend
from blip2.evaluation.run import Plan, run

if __name__ == "__main__":
    data, out = Path(sys.argv[1]), Path(sys.argv[2])
    backend = ScriptedBackend(lambda prompt: f"it is {prompt.split()[-2].rstrip('?')}", delay=0.5)
    run(Plan("vqav2", "scripted/opt", data, out=out, at_once=2), backend)
