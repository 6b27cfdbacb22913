"""`space` checks, renders, plans and pushes, with exit codes."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from hubroutes import TOKEN, Hub

from blip2 import cli
from tests.space.conftest import app, hub  # noqa: F401  # fixtures
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


def test_check_needs_no_torch(tmp_path: Path) -> None:
    code = (
        "import sys\nfrom blip2.cli import main\n"
        f"main(['space', 'check', '--file', {str(project(tmp_path))!r}])\n"
        "sys.exit('torch' in sys.modules or 'huggingface_hub' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, check=False).returncode == 0


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> list[str]:
    """The arguments that name a Spacefile without an owner, whose README is as it should be."""
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    monkeypatch.setenv("BLIP2_KEY", "swordfish")
    arguments = ["--file", str(project(tmp_path, changed(("owner", ""))))]
    assert cli.main(["space", "render", *arguments]) == 0
    capsys.readouterr()
    return arguments


def test_plan_push_plan(hub: Hub, file: list[str], capsys: pytest.CaptureFixture[str]) -> None:  # noqa: F811
    hub.spaces.clear()
    assert cli.main(["space", "plan", *file]) == 3
    planned = capsys.readouterr().out.splitlines()
    assert planned[0] == "+ space: public, gradio on zero-a10g"
    assert "! secret BLIP2_KEY" in planned
    hub.sent.clear()
    stages = ["RUNNING"]
    hub.new_stages = stages
    assert cli.main(["space", "push", *file]) == 0
    out, err = capsys.readouterr()
    assert out.splitlines()[:-1] == planned
    assert out.splitlines()[-1].startswith(f"{hub.app} answers 'Which animal?' with 'a dog' in ")
    assert TOKEN not in out + err
    assert "swordfish" not in out + err
    assert set(hub.spaces) == {"ann/studio"}
    assert cli.main(["space", "plan", *file]) == 0
    assert capsys.readouterr().out == "ann/studio is as the Spacefile says.\n"


def test_plan_and_push_as_json(hub: Hub, file: list[str], capsys: pytest.CaptureFixture[str]) -> None:  # noqa: F811
    hub.new_stages = ["RUNNING"]
    assert cli.main(["space", "push", "--json", "--repo", "team/other", *file]) == 0
    done = json.loads(capsys.readouterr().out)
    assert (done["repo"], done["url"], done["smoke"]["answer"]) == ("team/other", hub.app, "a dog")
    assert {"kind": "secret", "action": "missing", "name": "BLIP2_KEY", "was": None, "becomes": None} in done["changes"]
    assert cli.main(["space", "plan", "--json", "--repo", "team/other", *file]) == 0
    assert json.loads(capsys.readouterr().out) == {
        "repo": "team/other",
        "exists": True,
        "differs": False,
        "changes": [],
    }


def test_a_refusal_is_code_1_and_what_was_typed_code_2(
    hub: Hub,  # noqa: F811
    file: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    hub.fail["GET /api/spaces"] = 403, {"error": "no"}
    assert cli.main(["space", "plan", *file]) == 1
    assert cli.main(["space", "plan", "--repo", "a/b/c", *file]) == 2
    monkeypatch.delenv("HF_TOKEN")
    assert cli.main(["space", "push", *file]) == 2
    said = capsys.readouterr().err.splitlines()
    assert [line.split()[0] for line in said] == ["The", "--repo", "There"]
    assert "set HF_TOKEN" in said[2]
