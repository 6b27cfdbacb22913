"""`space` checks and renders, with exit codes; it reads nothing but files."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from blip2 import cli
from tests.space.spacefiles import changed, project


def test_check_says_what_is_wrong_and_render_mends_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = ["--file", str(project(tmp_path))]
    assert cli.main(["space", "check", *file]) == 1
    said = capsys.readouterr().out
    assert "WRONG  README\n       README.md has another front matter; run python -m blip2 space render." in said
    assert cli.main(["space", "render", *file]) == 0
    assert capsys.readouterr().out == "README.md was written anew.\n"
    assert cli.main(["space", "check", *file]) == 0
    assert capsys.readouterr().out.endswith("The Spacefile is right.\n")
    assert cli.main(["space", "render", *file]) == 0
    assert capsys.readouterr().out == "README.md is as it should be.\n"
    assert (tmp_path / "README.md").read_text(encoding="utf-8").endswith("---\n\n# Studio\n\nAbout it.\n")


def test_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = ["--file", str(project(tmp_path)), "--json"]
    assert cli.main(["space", "render", *file]) == 0
    assert json.loads(capsys.readouterr().out) == {"file": "README.md", "changed": True}
    assert cli.main(["space", "check", *file]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["ok"] is True
    assert {"check": "secrets", "ok": True, "wrong": []} in found["checks"]


def test_a_spacefile_that_cannot_be_used_is_code_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = project(tmp_path, changed(("hardware", 'hardwear = "x"')))
    assert cli.main(["space", "check", "--file", str(path)]) == 2
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.parametrize("name", ["check", "render"])
def test_each_has_help_with_an_example(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        cli.main(["space", name, "--help"])
    assert f"python -m blip2 space {name}" in capsys.readouterr().out.split("example")[1]


def test_check_needs_no_torch(tmp_path: Path) -> None:
    code = (
        "import sys\nfrom blip2.cli import main\n"
        f"main(['space', 'check', '--file', {str(project(tmp_path))!r}])\n"
        "sys.exit('torch' in sys.modules or 'huggingface_hub' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, check=False).returncode == 0
