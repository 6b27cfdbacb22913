"""The difference between a Spacefile and a Space, without any network."""

from dataclasses import replace

import pytest

from blip2.space import plan
from blip2.space.contents import Content
from blip2.space.hub import Live
from blip2.space.plan import Change, changes
from blip2.space.spacefile import Volume, parse
from tests.space.spacefiles import TEXT, changed

FILES = [Content("app.py", rendered=b"a"), Content("model.bin", rendered=b"\0\1")]
SAME = Live(
    files={"app.py": FILES[0].sha1, "model.bin": FILES[1].sha256},
    variables={"BLIP2_MODELS": "blip2_opt/pocket_opt,blip2/pocket", "BLIP2_HOST": "0.0.0.0", "HF_HOME": "/x"},
    secrets=("BLIP2_KEY", "OTHER"),
    hardware="zero-a10g",
    sdk="gradio",
    sdk_version="6.31.0",
    private=False,
    stage="RUNNING",
)

ADDED = ["+ variable BLIP2_HOST: 0.0.0.0", "+ variable BLIP2_MODELS: blip2_opt/pocket_opt,blip2/pocket"]


def lines(live: Live | None, text: str = TEXT) -> list[str]:
    return [each.line() for each in changes(parse(text), FILES, live)]


def test_a_space_as_the_spacefile_says_differs_by_nothing() -> None:
    assert lines(SAME) == []


def test_no_space_yet() -> None:
    assert lines(None) == [
        "+ space: public, gradio on zero-a10g",
        "+ variable BLIP2_HOST: 0.0.0.0",
        "+ variable BLIP2_MODELS: blip2_opt/pocket_opt,blip2/pocket",
        "! secret BLIP2_KEY",
        "+ file app.py",
        "+ file model.bin",
    ]


@pytest.mark.parametrize(
    ("live", "said"),
    [
        ({"hardware": "t4-small"}, ["~ hardware: t4-small -> zero-a10g"]),
        ({"sdk": "docker"}, ["~ sdk: docker -> gradio"]),
        ({"sdk_version": "6.30.0"}, ["~ sdk_version: 6.30.0 -> 6.31.0"]),
        ({"private": True}, ["~ visibility: private -> public"]),
        ({"secrets": ()}, ["! secret BLIP2_KEY"]),
        (
            {"variables": {}},
            ["+ variable BLIP2_HOST: 0.0.0.0", "+ variable BLIP2_MODELS: blip2_opt/pocket_opt,blip2/pocket"],
        ),
        ({"variables": {**SAME.variables, "BLIP2_PORT": "1"}}, ["- variable BLIP2_PORT"]),
        ({"files": {"app.py": "0" * 40, "model.bin": "0" * 64}}, ["~ file app.py", "~ file model.bin"]),
        ({"files": {**SAME.files, "old.py": "0" * 40}}, ["- file old.py"]),
        ({"volumes": (Volume("a/b", "/data"),)}, ["~ volumes: a/b:/data -> nothing"]),
        ({"volumes": (Volume("a/b", "/m", "model", "deep"),)}, ["~ volumes: a/b/deep:/m:ro -> nothing"]),
    ],
)
def test_each_difference_is_a_line(live: dict[str, object], said: list[str]) -> None:
    assert lines(replace(SAME, **live)) == said  # type: ignore[arg-type]


def test_a_time_to_sleep_is_left_alone_unless_it_is_declared() -> None:
    assert lines(replace(SAME, sleep_seconds=60)) == []
    text = changed(("owner", 'owner = "ann"\nsleep_seconds = 900'))
    assert lines(replace(SAME, sleep_seconds=60), text) == ["~ sleep: 60 -> 900"]


def test_a_repository_is_mounted_for_reading_only_unasked() -> None:
    text = changed(("[smoke]", '[[volumes]]\nsource = "a/b"\nmount_path = "/m"\ntype = "model"\n\n[smoke]'))
    assert lines(replace(SAME, volumes=(Volume("a/b", "/m", "model", read_only=True),)), text) == []


def test_many_files_are_counted() -> None:
    made = [Change("hardware", "change", "", "a", "b"), *(Change("file", "add", f"{n}.py") for n in range(30))]
    assert plan.lines(made)[-1] == "+ file 29.py"
    assert plan.lines([*made, Change("file", "remove", "old.py")]) == ["~ hardware: a -> b", "+ 30 files", "- 1 files"]


def test_json() -> None:
    assert Change("file", "add", "app.py").to_json() == {
        "kind": "file",
        "action": "add",
        "name": "app.py",
        "was": None,
        "becomes": None,
    }
