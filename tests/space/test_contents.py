"""Which files go to the Space, and the names that git and LFS have for what is in them."""

import hashlib
import shutil
import subprocess
from pathlib import Path

import pytest

from blip2.space.contents import Content, chosen, contents, forbidden, matcher
from blip2.space.spacefile import read
from tests.space.spacefiles import project


@pytest.mark.parametrize(
    ("glob", "path", "meant"),
    [
        ("blip2", "blip2/engine/batch.py", True),
        ("blip2", "blip2extra/a.py", False),
        ("assets/*.css", "assets/style.css", True),
        ("assets/*.css", "assets/style/chat.css", False),
        ("assets/**/*.css", "assets/style/chat.css", True),
        ("assets/**/*.css", "assets/style.css", True),
        ("**/*.log", "a/b/c.log", True),
        ("a.b", "aXb", False),
        ("pocket_?pt", "pocket_opt/config.json", True),
    ],
)
def test_globs(glob: str, path: str, meant: bool) -> None:
    assert bool(matcher(glob).fullmatch(path)) is meant


def test_what_is_chosen(tmp_path: Path) -> None:
    assert chosen(read(project(tmp_path)), tmp_path) == [
        "app.py",
        "assets/examples/beach.jpg",
        "blip2/__init__.py",
        "blip2/engine/batch.py",
    ]


def test_rendered_files_come_besides(tmp_path: Path) -> None:
    found = {each.path: each for each in contents(read(project(tmp_path)), tmp_path)}
    assert found["requirements.txt"].data.startswith(b"torch==2.11.0")
    assert found["README.md"].data.startswith(b"---\n")
    assert found["README.md"].data.endswith(b"# Studio\n\nAbout it.\n")
    assert found["app.py"].data == b"print('hello')\n"


def test_the_hashes_are_those_of_git_and_lfs(tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    path.write_bytes(bytes(range(256)))
    content = Content("a.bin", path)
    assert content.size == 256
    assert content.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    if shutil.which("git"):
        named = subprocess.run(["git", "hash-object", str(path)], capture_output=True, text=True, check=True)
        assert content.sha1 == named.stdout.strip()


@pytest.mark.parametrize(
    ("path", "is_forbidden"),
    [("tests/a.py", True), (".git/config", True), ("blip2/data/x", True), ("blip2/tests.py", False), ("data", False)],
)
def test_folders_that_stay_here(path: str, is_forbidden: bool) -> None:
    assert forbidden(path) is is_forbidden
