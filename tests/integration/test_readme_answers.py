"""The conversation on the README's first screen, held again with the bundled model."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_the_answers_in_the_readme_are_real() -> None:
    blocks = re.findall(r"^```console\n(.*?)^```", (ROOT / "README.md").read_text("utf-8"), re.MULTILINE | re.DOTALL)
    command, *answers = blocks[0].splitlines()
    words = shlex.split(command.removeprefix("$ "))
    assert words[:4] == ["python", "-m", "blip2", "ask"]
    assert len(words) - 5 == len(answers) >= 3
    done = subprocess.run([sys.executable, *words[1:]], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.splitlines()) == (0, answers), done.stderr
