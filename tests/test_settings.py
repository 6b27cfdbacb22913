"""Settings come from flags, then variables, then defaults; what is unknown or out of range is refused by name."""

import argparse
from dataclasses import fields
from pathlib import Path

import pytest

from blip2 import settings
from blip2.errors import BadSetting
from blip2.people import make_line
from blip2.settings import Settings
from blip2.zoo import find


def test_defaults_are_the_bundled_models_on_this_machine_only() -> None:
    made = settings.load({}, {})
    assert made == Settings()
    assert made.host == "127.0.0.1"
    assert [find(name).pocket for name in made.models] == [True, True, True]
    assert made.model == "blip2_opt/pocket_opt"


def test_flags_win_over_variables() -> None:
    made = settings.load({"port": "1234", "device": None}, {"BLIP2_PORT": "99", "BLIP2_DEVICE": "cuda"})
    assert (made.port, made.device) == (1234, "cuda")


def test_limits_of_a_spacefile_stand_between_variables_and_defaults() -> None:
    limits = {"max_upload_mb": "5", "max_waiting": "6", "deadline": "7.5"}
    made = settings.load({"max_upload_mb": "1"}, {"BLIP2_MAX_UPLOAD_MB": "2", "BLIP2_MAX_WAITING": "3"}, limits)
    assert (made.max_upload_mb, made.max_waiting, made.deadline) == (1, 3, 7.5)
    assert made.api_rate == Settings().api_rate


@pytest.mark.parametrize(
    ("limits", "said"),
    [
        ({"host": "0.0.0.0"}, "unknown key limits.host; the nearest allowed one is limits."),
        ({"max_uploads_mb": "5"}, "the nearest allowed one is limits.max_upload_mb"),
        ({"max_upload_mb": "2.5"}, "limits.max_upload_mb of the Spacefile must be a whole number"),
        ({"max_upload_mb": "0"}, "between 1"),
    ],
)
def test_limits_that_are_none_are_refused(limits: dict[str, str], said: str) -> None:
    with pytest.raises(BadSetting, match=said):
        settings.load({}, {}, limits)


def test_a_space_that_lends_gpus_is_known_unless_one_says_otherwise() -> None:
    assert settings.load({}, {"SPACES_ZERO_GPU": "true"}).zerogpu
    assert not settings.load({}, {"SPACES_ZERO_GPU": "false"}).zerogpu
    assert not settings.load({}, {"SPACES_ZERO_GPU": "true", "BLIP2_ZEROGPU": "no"}).zerogpu
    assert not settings.load({"zerogpu": "no"}, {"SPACES_ZERO_GPU": "true", "BLIP2_ZEROGPU": "yes"}).zerogpu
    assert not Settings().zerogpu


def test_other_variables_and_empty_ones_are_passed_over() -> None:
    assert settings.load({}, {"PORT": "1", "HOME": "/", "BLIP2_PORT": ""}) == Settings()


def test_values_take_the_type_of_the_default() -> None:
    made = settings.load({}, {"BLIP2_MODELS": "a/b, ./c ,", "BLIP2_DEADLINE": "2.5", "BLIP2_CACHE_MB": " 7 "})
    assert (made.models, made.deadline, made.cache_mb) == (("a/b", "./c"), 2.5, 7)


@pytest.mark.parametrize(
    ("typed", "meant"), [("yes", True), ("On", True), ("1", True), ("no", False), ("false", False)]
)
def test_yes_and_no(typed: str, meant: bool) -> None:
    assert settings.load({}, {"BLIP2_LOG_JSON": typed}).log_json is meant
    with pytest.raises(BadSetting, match="must be yes or no, not 'perhaps'"):
        settings.load({"log_json": "perhaps"}, {})


def test_a_yes_or_no_flag_alone_means_yes() -> None:
    parser = argparse.ArgumentParser()
    settings.add_flags(parser, ("log_json",))
    assert [vars(parser.parse_args(typed)) for typed in (["--log-json"], ["--log-json", "no"])] == [
        {"log_json": "yes"},
        {"log_json": "no"},
    ]


def test_an_unknown_variable_is_refused_with_the_nearest() -> None:
    with pytest.raises(BadSetting, match=r"BLIP2_DEVCE is unknown. Did you mean BLIP2_DEVICE\?"):
        settings.load({}, {"BLIP2_DEVCE": "cpu"})


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("port", "70000", "port is 70000.*between 0 and 65535"),
        ("port", "many", "--port must be a whole number, not 'many'"),
        ("port", "1.5", "whole number"),
        ("deadline", "soon", "--deadline must be a number"),
        ("deadline", "nan", "between"),
        ("device", "gpu", "device is 'gpu'; choose one of auto, cpu, cuda, mps"),
        ("dtype", "fp16", "choose one of auto, float32"),
        ("models", " , ", "no model"),
        ("root_path", "studio/", "write it like /studio"),
        ("max_upload_mb", "0", "between 1"),
        ("cors_origins", "*", r"cors_origins has '\*'; name each like"),
        ("cors_origins", "https://a.example,b.example", "cors_origins has 'b.example'"),
        ("cors_origins", "https://a.example/", "cors_origins has 'https://a.example/'"),
        ("hosts", "a.example,http://b.example", "hosts has 'http://b.example'; name each like studio.example.org"),
        ("hosts", "a.example:7860", "hosts has 'a.example:7860'"),
    ],
)
def test_bad_values_are_named_with_the_remedy(name: str, value: str, said: str) -> None:
    with pytest.raises(BadSetting, match=said):
        settings.load({name: value}, {})


def test_every_setting_has_a_flag_and_a_row() -> None:
    parser = argparse.ArgumentParser()
    settings.add_flags(parser)
    typed = vars(parser.parse_args(["--max-upload-mb", "5", "--host", "0.0.0.0"]))
    made = settings.load(typed, {})
    assert (made.max_upload_mb, made.host) == (5, "0.0.0.0")
    assert set(typed) == {each.name for each in fields(Settings)}
    rows = settings.table().splitlines()[2:]
    assert [row.split("`")[1] for row in rows] == [settings.flag(each.name) for each in fields(Settings)]


def test_some_flags_only() -> None:
    parser = argparse.ArgumentParser()
    settings.add_flags(parser, ("device", "dtype"))
    assert set(vars(parser.parse_args([]))) == {"device", "dtype"}


def test_people_are_read_from_the_file(tmp_path: Path) -> None:
    names = tmp_path / "names"
    names.write_text(make_line("ann", "se:cret-word") + "\n", encoding="utf-8")
    people = Settings(auth_file=str(names)).people()
    assert people is not None
    assert people.admits("ann", "se:cret-word")
    assert Settings().people() is None


def test_a_missing_file_of_names_is_said() -> None:
    with pytest.raises(BadSetting, match="cannot be read"):
        Settings(auth_file="nowhere").people()


def test_mcp_is_not_served_beside_a_sign_in() -> None:
    with pytest.raises(BadSetting, match="pass by the sign-in"):
        Settings(mcp=True, auth_file="people.txt")
