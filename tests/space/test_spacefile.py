"""The Spacefile is read into frozen values; what it may not say is refused with its key."""

from dataclasses import FrozenInstanceError
from pathlib import Path

import pytest

from blip2.errors import BadSetting
from blip2.space.spacefile import NAME, Spacefile, limits_in, parse, read
from tests.space.spacefiles import TEXT, changed

ROOT = Path(__file__).resolve().parents[2]


def test_everything_is_read() -> None:
    made = parse(TEXT + '\n[[volumes]]\nsource = "ann/votes"\nmount_path = "/data"\n')
    assert (made.space.owner, made.space.name, made.space.hardware) == ("ann", "studio", "zero-a10g")
    assert made.card.emoji == "\U0001f5bc"
    assert made.files.include == ("app.py", "blip2", "assets/**/*.jpg")
    assert made.variables == {"BLIP2_MODELS": "blip2_opt/pocket_opt,blip2/pocket", "BLIP2_HOST": "0.0.0.0"}
    assert made.secrets == ("BLIP2_KEY",)
    assert [(each.source, each.mount_path, each.type) for each in made.volumes] == [("ann/votes", "/data", "bucket")]
    assert made.limits == {"max_upload_mb": "5"}
    assert made.smoke.answers == ("dog",)


def test_the_values_are_frozen() -> None:
    made = parse(TEXT)
    with pytest.raises(FrozenInstanceError):
        made.space.name = "other"  # type: ignore[misc]


def test_true_and_numbers_become_what_a_variable_holds() -> None:
    text = changed(("BLIP2_HOST", "BLIP2_MANAGE = true\nBLIP2_PORT = 80\nBLIP2_MCP = false"))
    assert {**parse(text).variables, "BLIP2_MODELS": ""} == {
        "BLIP2_MODELS": "",
        "BLIP2_MANAGE": "yes",
        "BLIP2_PORT": "80",
        "BLIP2_MCP": "no",
    }


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            ("hardware", 'hardwear = "t4-small"'),
            "unknown key space.hardwear; the nearest allowed one is space.hardware",
        ),
        (
            ("colorFrom", 'color_from = "blue"'),
            "unknown key card.color_from; the nearest allowed one is card.colorFrom",
        ),
        (("[limits]", "[limit]"), "unknown key limit; the nearest allowed one is limits"),
        (("exclude", "xyz = []"), "unknown key files.xyz; the nearest allowed one is files."),
        (("name", ""), r"lacks space.name; add it under \[space\]"),
        (("name", "name = 3"), "space.name must be a text in quotes, not 3"),
        (("include", 'include = "app.py"'), "files.include must be a list of texts"),
        (("[smoke]", "[smoke]\nseconds = true"), "smoke.seconds must be a whole number, not True"),
        (("BLIP2_HOST", "BLIP2_HOST = {a = 1}"), "variables.BLIP2_HOST must be a text, a number"),
        (("required", 'BLIP2_KEY = "swordfish"'), "secrets go there by name only"),
        (("torch", 'storage = "small"'), r"mount a bucket with \[\[volumes\]\]"),
        (("[smoke]", "[smoke"), "is not TOML"),
    ],
)
def test_what_is_wrong_is_named(change: tuple[str, str], said: str) -> None:
    with pytest.raises(BadSetting, match=said) as refused:
        parse(changed(change))
    assert "\n" not in str(refused.value)
    assert "swordfish" not in str(refused.value)


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(BadSetting, match=r"cannot be read .*--file"):
        read(tmp_path / NAME)
    assert limits_in(tmp_path / NAME) == {}


def test_the_limits_are_read_alone(tmp_path: Path) -> None:
    path = tmp_path / NAME
    path.write_text("[limits]\nmax_waiting = 3\ndeadline = 20.5\n", encoding="utf-8")
    assert limits_in(path) == {"max_waiting": "3", "deadline": "20.5"}


def test_the_projects_own_can_be_read() -> None:
    assert isinstance(read(ROOT / NAME), Spacefile)
