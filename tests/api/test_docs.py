"""The examples of docs/api.md run as they are written, on a server with the models they name."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from apiserver import listening, made

from blip2.backends.scripted import ScriptedBackend
from blip2.settings import Settings
from blip2.values import ModelInfo

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"```bash\n(.*?)```", TEXT, re.DOTALL)
PROGRAMS = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
HERE = "http://127.0.0.1:7860"


@pytest.fixture(scope="module")
def address() -> object:
    families = ("opt", "t5", "itm")
    models = [ModelInfo(name, name, kind, name) for name, kind in zip(Settings().models, families, strict=True)]
    backend = ScriptedBackend(default="a beach with a red ball", models=models)
    with listening(made(backend, models=Settings().models)) as url:
        yield url


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
@pytest.mark.parametrize("command", COMMANDS)
def test_the_curl_examples(address: str, command: str, tmp_path: Path) -> None:
    assert HERE in command
    (tmp_path / ".curlrc").write_text("fail-with-body\nsilent\nshow-error\n")
    done = subprocess.run(
        ["bash", "-e", "-o", "pipefail", "-c", command.replace(HERE, address)],
        cwd=ROOT,
        env={"PATH": "/usr/local/bin:/usr/bin:/bin", "CURL_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert '"error":{' not in done.stdout
    assert done.stdout.strip()
    if '"stream": true' in command:
        assert done.stdout.rstrip().endswith("data: [DONE]")


@pytest.mark.parametrize("program", PROGRAMS)
def test_the_python_example(address: str, program: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", program.replace(HERE, address)], cwd=ROOT, capture_output=True, text=True, timeout=120
    )
    assert (done.returncode, done.stdout.strip()) == (0, "a beach with a red ball"), done.stderr


def test_every_route_and_setting_that_is_told_exists() -> None:
    from blip2.api.server import PARTS

    routes = {route.path for part in PARTS for route in part.router.routes}
    for told in re.findall(r"`(?:POST|GET) /v1(/[\w/]+)`", TEXT):
        assert told in routes
    known = Settings.__dataclass_fields__
    for flag in re.findall(r"`--([a-z-]+)", TEXT):
        assert flag.replace("-", "_") in known or flag in ("no-ui",), flag
