"""Keys: made once, held as hashes, read from lines that say what is wrong with them."""

import os
from pathlib import Path

import pytest

from blip2.api.keys import Holder, KeyFile, make_key, read_keys
from blip2.errors import BadSetting


def test_a_key_is_known_by_its_hash_alone(tmp_path: Path) -> None:
    key, line = make_key("ada", rate=30)
    assert key not in line
    file = tmp_path / "keys"
    file.write_text(line)
    assert KeyFile(file).holder(key) == Holder("ada", 30)
    assert KeyFile(file).holder(line.split(":")[1]) is None
    assert make_key("ada")[0] != key


@pytest.mark.parametrize("line", ["ada", "ada:abc", "a da:" + "0" * 64, "ada:" + "0" * 64 + ":0", ":" + "0" * 64])
def test_a_wrong_line_is_named_by_its_number(tmp_path: Path, line: str) -> None:
    file = tmp_path / "keys"
    file.write_text(f"# comment\n{line}\n")
    with pytest.raises(BadSetting, match="Line 2"):
        read_keys(file)


def test_an_empty_or_missing_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "keys").write_text("# nobody\n")
    with pytest.raises(BadSetting, match="holds no key"):
        read_keys(tmp_path / "keys")
    with pytest.raises(BadSetting, match="cannot be read"):
        KeyFile(tmp_path / "none")


def test_a_change_is_read_and_a_broken_one_leaves_the_keys(tmp_path: Path) -> None:
    (first, one), (second, two) = make_key("ada"), make_key("bob")
    file = tmp_path / "keys"
    file.write_text(one)
    keys = KeyFile(file)
    file.write_text(f"{one}\nbroken")
    os.utime(file, (1, 1))
    assert keys.holder(first) is not None
    file.write_text(two)
    os.utime(file, (2, 2))
    assert keys.holder(first) is None
    assert keys.holder(second) == Holder("bob")


@pytest.mark.parametrize(("name", "rate"), [("", None), ("a:b", None), ("ada", 0)])
def test_names_and_rates_the_file_cannot_hold(name: str, rate: int | None) -> None:
    with pytest.raises(BadSetting):
        make_key(name, rate)
