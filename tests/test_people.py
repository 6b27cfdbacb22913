"""Passwords are kept hashed, checked, and refused in the open."""

from pathlib import Path

import pytest

from blip2.errors import BadSetting
from blip2.people import make_line, read_people


def written(tmp_path: Path, text: str) -> Path:
    (tmp_path / "people.txt").write_text(text, encoding="utf-8")
    return tmp_path / "people.txt"


def test_a_person_is_admitted_with_their_own_password_only(tmp_path: Path) -> None:
    lines = [make_line("ada", "correct horse"), "", "# gone", make_line("bob", "correct horse")]
    assert "horse" not in "".join(lines)
    assert lines[0].split("$")[1:] != lines[3].split("$")[1:], "two hashes of one password must differ"
    people = read_people(written(tmp_path, "\n".join(lines)))
    assert people.admits("ada", "correct horse")
    assert not people.admits("ada", "correct hors")
    assert not people.admits("eve", "correct horse")
    assert not people.admits("", "")


@pytest.mark.parametrize(
    "line", ["ada:plainsecret", "ada", ":scrypt$AA==$AA==", "ada:scrypt$AA==$AA==", "ada:scrypt$*$*"]
)
def test_a_plain_or_broken_line_is_refused_with_the_remedy_and_not_shown(tmp_path: Path, line: str) -> None:
    with pytest.raises(BadSetting, match=r"Line 1 .* password NAME") as told:
        read_people(written(tmp_path, line))
    assert "plainsecret" not in str(told.value)


def test_an_empty_file_lets_nobody_in_and_a_name_stands_once(tmp_path: Path) -> None:
    with pytest.raises(BadSetting, match="holds nobody"):
        read_people(written(tmp_path, "\n"))
    with pytest.raises(BadSetting, match="'ada' twice"):
        read_people(written(tmp_path, "\n".join([make_line("ada", "one word long")] * 2)))


def test_short_passwords_and_odd_names_are_refused() -> None:
    with pytest.raises(BadSetting, match="at least 8"):
        make_line("ada", "short")
    with pytest.raises(BadSetting, match="letters"):
        make_line("a:b", "long enough")
