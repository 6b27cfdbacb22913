"""A small project with a Spacefile, for the tests to change."""

import base64
import re
from pathlib import Path

from apiserver import PNG

TEXT = """\
[space]
owner = "ann"
name = "studio"
sdk_version = "6.31.0"
python_version = "3.12.12"
torch = "2.11.0"
hardware = "zero-a10g"

[card]
title = "Studio"
emoji = "\\U0001F5BC"
colorFrom = "blue"
colorTo = "gray"

[files]
include = ["app.py", "blip2", "assets/**/*.jpg"]
exclude = ["**/*.log"]

[variables]
BLIP2_MODELS = ["blip2_opt/pocket_opt", "blip2/pocket"]
BLIP2_HOST = "0.0.0.0"

[secrets]
required = ["BLIP2_KEY"]

[limits]
max_upload_mb = 5

[smoke]
picture = "assets/examples/beach.jpg"
question = "Which animal?"
answers = ["dog"]
"""


def changed(*changes: tuple[str, str], text: str = TEXT) -> str:
    """The Spacefile with lines changed: each `(key, line)` replaces the line that begins with `key`."""
    for key, line in changes:
        text, count = re.subn(
            rf"^{re.escape(key)}(?!\w).*$", lambda _, line=line: line, text, count=1, flags=re.MULTILINE
        )
        assert count == 1, f"the test's Spacefile has no line {key}"
    return text


def project(folder: Path, text: str = TEXT) -> Path:
    """A folder with this Spacefile and what it names; returns the Spacefile's path."""
    files = {
        "app.py": "print('hello')\n",
        "blip2/__init__.py": "",
        "blip2/engine/batch.py": "x = 1\n",
        "blip2/engine/trace.log": "noise\n",
        "blip2/__pycache__/batch.pyc": "cache\n",
        "assets/examples/beach.jpg": "",
        "tests/test_app.py": "assert True\n",
        "requirements.txt": "torch==2.13.0\ngradio==6.31.*\npillow==12.3.*  # pictures\nnumpy\n",
        "pyproject.toml": '[project]\nrequires-python = ">=3.11"\n',
        "README.md": "# Studio\n\nAbout it.\n",
        "Spacefile": text,
    }
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
    (folder / "assets/examples/beach.jpg").write_bytes(base64.b64decode(PNG.split(",")[1]))
    return folder / "Spacefile"
