"""The driver of the recipe: order, going on after a failure, saying what went wrong. Stages here are small programs."""

import json
from pathlib import Path

import pytest

from blip2.errors import BadSetting
from blip2.pocket import build
from blip2.pocket.build import Stage, StageFailed, load_recipe


def stage(name: str, makes: str, *command: str) -> Stage:
    return Stage(name, f"makes {makes}", command, command, ("{work}/" + makes,), 1.0)


def compileall_stage(name: str, folder: Path) -> Stage:
    """A stage that really runs a module: `compileall` leaves a `__pycache__` beside the source."""
    folder.mkdir(parents=True)
    (folder / "one.py").write_text("x = 1\n")
    return stage(name, f"{folder.name}/__pycache__", "compileall", "-q", "{work}/" + folder.name)


def test_stages_run_once_and_are_noted(tmp_path: Path) -> None:
    stages = [compileall_stage("first", tmp_path / "a"), compileall_stage("second", tmp_path / "b")]
    minutes = build.build(stages, tmp_path, tmp_path / "assets")
    assert list(minutes) == ["first", "second"]
    assert list(json.loads((tmp_path / "done.json").read_text())) == ["first", "second"]
    before = (tmp_path / "a" / "__pycache__").stat().st_mtime_ns
    build.build(stages, tmp_path, tmp_path / "assets")
    assert (tmp_path / "a" / "__pycache__").stat().st_mtime_ns == before


def test_a_failed_stage_stops_the_build_and_is_run_again(tmp_path: Path) -> None:
    good = compileall_stage("good", tmp_path / "a")
    bad = stage("bad", "b", "compileall", "-q", "{work}/missing")
    with pytest.raises(StageFailed, match="stage bad"):
        build.build([good, bad], tmp_path, tmp_path)
    assert list(json.loads((tmp_path / "done.json").read_text())) == ["good"]
    (tmp_path / "missing").mkdir()
    (tmp_path / "b").mkdir()
    assert "bad" in build.build([good, bad], tmp_path, tmp_path)


def test_a_stage_that_makes_nothing_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(StageFailed, match="did not make"):
        build.build([stage("idle", "nothing", "compileall", "-q", "{work}")], tmp_path, tmp_path)


def test_a_recipe_that_lacks_a_part_is_refused_with_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "recipe.toml").write_text('[[stage]]\nname = "x"\n')
    with pytest.raises(BadSetting, match=r"recipe\.toml cannot be used"):
        load_recipe(tmp_path / "recipe.toml")


def test_the_recipe_names_modules_that_exist_and_what_they_take() -> None:
    stages = load_recipe()
    assert len({stage.name for stage in stages}) == len(stages)
    for each in stages:
        for command in (each.command, each.smoke):
            assert (build.ROOT / (command[0].replace(".", "/") + ".py")).is_file(), command
        assert each.makes
        assert each.minutes > 0
