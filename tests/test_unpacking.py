"""ZIP files made by strangers: names that lead elsewhere, links, locks, bombs and damage."""

import io
import stat
import struct
import warnings
import zipfile
from pathlib import Path

import pytest
from PIL import Image

from blip2.errors import BadInput
from blip2.images import open_picture
from blip2.unpacking import Limits, clean, unpacked


def png(shade: int = 9) -> bytes:
    data = io.BytesIO()
    Image.new("RGB", (8, 6), (shade, 9, 9)).save(data, "PNG")
    return data.getvalue()


def archive(path: Path, members: dict[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", compression) as made:
        for name, data in members.items():
            made.writestr(name, data)
    return path


def written(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def test_pictures_come_out_sorted_and_other_files_are_counted(tmp_path: Path) -> None:
    members = {"b/2.png": png(2), "a.jpg": png(1), "notes.txt": b"x", "inner.zip": b"PK", "b/": b""}
    hidden = {"__MACOSX/a.jpg": b"x", ".DS_Store": b"x", "b/._2.png": b"x"}
    found, others = unpacked(archive(tmp_path / "z.zip", members | hidden), tmp_path / "out")
    assert [each.name for each in found] == ["a.jpg", "b/2.png"]
    assert others == 2
    assert [open_picture(each.file).image.getpixel((0, 0)) for each in found] == [(1, 9, 9), (2, 9, 9)]


@pytest.mark.parametrize(
    "name",
    ["../../escape.png", "/etc/escape.png", "C:\\Windows\\escape.png", "a/../../../escape.png", "..\\escape.png"],
)
def test_a_name_decides_nothing_about_where_a_file_lands(tmp_path: Path, name: str) -> None:
    inside = tmp_path / "deep" / "er" / "out"
    (found,), _ = unpacked(archive(tmp_path / "z.zip", {name: png()}), inside)
    assert written(inside) == ["000000.png"]
    assert Path(found.file) == inside / "000000.png"
    assert written(tmp_path / "deep") == ["er", "er/out", "er/out/000000.png"]
    assert ".." not in found.name
    assert "\\" not in found.name
    assert not found.name.startswith("/")
    assert found.name.endswith("escape.png")


def test_names_lose_what_cannot_be_seen_and_keep_what_can() -> None:
    assert clean("a/./b//c d.png") == "a/b/c d.png"
    assert clean("fdp.\u202egpj.png") == "fdp.gpj.png"
    assert clean("bad\x00\n.png") == "bad.png"
    assert clean("été/…雪.png") == "été/…雪.png"
    assert clean("../..") == ""


def test_utf8_names_that_are_not_marked_as_such(tmp_path: Path) -> None:
    path = archive(tmp_path / "z.zip", {"abcd.png": png()})
    path.write_bytes(path.read_bytes().replace(b"abcd.png", "éé".encode() + b".png"))
    assert unpacked(path, tmp_path / "out")[0][0].name == "éé.png"


def test_links_and_devices_are_left_out(tmp_path: Path) -> None:
    path = tmp_path / "z.zip"
    with zipfile.ZipFile(path, "w") as made:
        for name, kind in (("link.png", stat.S_IFLNK), ("pipe.png", stat.S_IFIFO), ("plain.png", stat.S_IFREG)):
            info = zipfile.ZipInfo(name)
            info.create_system = 3
            info.external_attr = (kind | 0o777) << 16
            made.writestr(info, b"/etc/passwd" if name != "plain.png" else png())
    found, others = unpacked(path, tmp_path / "out")
    assert [each.name for each in found] == ["plain.png"]
    assert others == 2
    assert not any(path.is_symlink() for path in (tmp_path / "out").iterdir())


def locked(path: Path, names: set[str]) -> Path:
    """The archive with the mark of a password on some members."""
    data = bytearray(path.read_bytes())
    for at in range(len(data) - 46):
        if data[at : at + 4] == b"PK\x01\x02":
            length = struct.unpack_from("<H", data, at + 28)[0]
            if data[at + 46 : at + 46 + length].decode() in names:
                data[at + 8] |= 1
    path.write_bytes(data)
    return path


def test_a_locked_member_is_a_row_and_a_locked_archive_is_refused(tmp_path: Path) -> None:
    path = archive(tmp_path / "z.zip", {"a.png": png(), "b.png": png()})
    found, _ = unpacked(locked(path, {"a.png"}), tmp_path / "out")
    assert "password" in found[0].problem
    assert not found[0].file
    assert not found[1].problem
    with pytest.raises(BadInput, match="password"):
        unpacked(locked(path, {"a.png", "b.png"}), tmp_path / "out2")


def test_a_damaged_member_is_a_row_and_the_rest_goes_on(tmp_path: Path) -> None:
    path = archive(tmp_path / "z.zip", {"a.png": png(1), "b.png": png(2)}, zipfile.ZIP_STORED)
    path.write_bytes(path.read_bytes().replace(png(1), png(1)[:-5] + b"12345"))
    found, _ = unpacked(path, tmp_path / "out")
    assert [each.name for each in found] == ["a.png", "b.png"]
    assert "damaged" in found[0].problem
    assert written(tmp_path / "out") == ["000001.png"]


def test_a_compression_that_is_not_known_is_a_row(tmp_path: Path) -> None:
    path = archive(tmp_path / "z.zip", {"a.png": png()}, zipfile.ZIP_STORED)
    data = bytearray(path.read_bytes())
    at = data.index(b"PK\x01\x02")
    data[at + 10] = data[8] = 97
    path.write_bytes(data)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        (found,), _ = unpacked(path, tmp_path / "out")
    assert found.problem


def test_a_member_larger_than_a_picture_may_be_is_a_row_that_is_never_written(tmp_path: Path) -> None:
    path = archive(tmp_path / "z.zip", {"a.png": png(), "b.bmp": b"\0" * 5000})
    found, _ = unpacked(path, tmp_path / "out", Limits(file_bytes=4000))
    assert [bool(each.problem) for each in found] == [False, True]
    assert written(tmp_path / "out") == ["000000.png"]


def test_a_member_that_lies_about_its_size_ends_at_what_it_says(tmp_path: Path) -> None:
    path = archive(tmp_path / "z.zip", {"a.bmp": b"\0" * 1_000_000})
    data = bytearray(path.read_bytes())
    at = data.index(b"PK\x01\x02")
    data[at + 24 : at + 28] = (100).to_bytes(4, "little")
    path.write_bytes(data)
    (found,), _ = unpacked(path, tmp_path / "out", Limits(file_bytes=1000))
    assert found.problem
    assert written(tmp_path / "out") == []


def test_bombs_are_refused_before_anything_is_written(tmp_path: Path) -> None:
    flat = {f"{at}.bmp": b"\0" * 3_000_000 for at in range(20)}
    bomb = archive(tmp_path / "bomb.zip", flat)
    with pytest.raises(BadInput, match="far more"):
        unpacked(bomb, tmp_path / "out")
    with pytest.raises(BadInput, match="60 MB"):
        unpacked(bomb, tmp_path / "out", Limits(total_bytes=10_000_000))
    with pytest.raises(BadInput, match="at most 10"):
        unpacked(archive(tmp_path / "many.zip", {f"{at}.png": b"" for at in range(11)}), tmp_path, Limits(files=10))
    assert not (tmp_path / "out").exists()


def test_a_huge_table_of_contents_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = archive(tmp_path / "z.zip", {"x" * 700 + str(at): b"" for at in range(20)})
    monkeypatch.setattr(zipfile, "ZipFile", lambda *_: pytest.fail("the table was read"))
    with pytest.raises(BadInput, match="more than 10 files"):
        unpacked(path, tmp_path, Limits(files=10))


@pytest.mark.parametrize(
    ("data", "part"),
    [(b"", "not a ZIP"), (b"PK\x03\x04rest", "not a ZIP"), (png(), "not a ZIP")],
)
def test_what_is_no_zip_is_a_sentence(tmp_path: Path, data: bytes, part: str) -> None:
    (tmp_path / "z.zip").write_bytes(data)
    with pytest.raises(BadInput, match=part):
        unpacked(tmp_path / "z.zip", tmp_path / "out")


def test_an_archive_without_pictures_says_what_it_holds(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="none of its 2 files"):
        unpacked(archive(tmp_path / "z.zip", {"a.txt": b"", "b.zip": b""}), tmp_path / "out")
    with pytest.raises(BadInput, match="empty"):
        unpacked(archive(tmp_path / "z.zip", {}), tmp_path / "out")


def test_every_prefix_of_an_archive_gives_rows_or_a_sentence(tmp_path: Path) -> None:
    sentences = set()
    whole = archive(tmp_path / "whole.zip", {"a.png": png(1), "b.png": png(2)}).read_bytes()
    for at in range(0, len(whole), 7):
        for number, data in enumerate((whole[:at], whole[:at] + b"\xff" + whole[at + 1 :])):
            path = tmp_path / "cut.zip"
            path.write_bytes(data)
            try:
                unpacked(path, tmp_path / f"{at}-{number}")
            except BadInput as error:
                sentences.add(str(error))
    assert sentences
    assert all(sentence.endswith(".") for sentence in sentences)
