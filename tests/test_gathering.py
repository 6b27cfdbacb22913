"""Where pictures come from: names that never collide, folders that nobody gets out of, and shelves that are cleared."""

import copy
import gc
import zipfile
from pathlib import Path

import pytest
from PIL import Image

from blip2.errors import BadImage, BadInput
from blip2.gathering import NOTHING, Gathered, allowed_folder, folder_names, gathered, sidecars
from blip2.unpacking import Limits


def picture(path: Path, shade: int = 1) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (6, 5), (shade, 0, 0)).save(path, "PNG")
    return path


@pytest.fixture
def album(tmp_path: Path) -> Path:
    """An allowed folder with a folder in it, beside one that is not allowed."""
    for name in ("b.png", "a.JPG", "deeper/c.png", ".hidden/d.png"):
        picture(tmp_path / "album" / name)
    (tmp_path / "album" / "notes.txt").write_text("x")
    picture(tmp_path / "secret" / "s.png")
    return tmp_path / "album"


def packed(path: Path, *files: Path) -> Path:
    with zipfile.ZipFile(path, "w") as made:
        for file in files:
            made.write(file, file.name)
    return path


def names(found: Gathered) -> list[str]:
    return [each.name for each in found]


def test_files_keep_their_order_and_equal_names_are_told_apart(tmp_path: Path) -> None:
    sent = [picture(tmp_path / part) for part in ("1/x.png", "2/X.png", "3/x.png", "3/w.png", "4/x (2).png")]
    found = gathered(sent)
    assert names(found) == ["x.png", "X (2).png", "x (3).png", "w.png", "x (2) (2).png"]
    assert [Path(each.file) for each in found] == sent
    assert found.files[0].open().name == "x.png"


def test_one_archive_gives_its_own_names_and_several_sources_say_which(tmp_path: Path, album: Path) -> None:
    first = packed(tmp_path / "first.zip", picture(tmp_path / "n.png"))
    second = packed(tmp_path / "second.ZIP", picture(tmp_path / "n.png", 2))
    assert names(gathered([first])) == ["n.png"]
    found = gathered([first, second, tmp_path / "n.png"], "album", [album])
    assert names(found) == [
        "n.png", "first/n.png", "second/n.png", "album/a.JPG", "album/b.png", "album/deeper/c.png",
    ]  # fmt: skip
    assert found.files[1].open().digest != found.files[2].open().digest
    assert found.skipped == 1
    assert found.summary() == "6 pictures · 1 other file left out"


def test_a_broken_archive_is_a_row_and_the_rest_is_there(tmp_path: Path) -> None:
    (tmp_path / "z.zip").write_bytes(b"no archive")
    found = gathered([tmp_path / "z.zip", picture(tmp_path / "a.png")])
    assert names(found) == ["a.png", "z.zip"]
    with pytest.raises(BadImage, match="not a ZIP"):
        found.files[1].open()
    assert "1 of them cannot be opened" in found.summary()


def test_unpacked_files_go_when_nobody_holds_the_gathering(tmp_path: Path) -> None:
    found = gathered([packed(tmp_path / "z.zip", picture(tmp_path / "a.png"))])
    file = Path(found.files[0].file)
    kept = copy.deepcopy(found)
    del found
    gc.collect()
    assert file.is_file()
    del kept
    gc.collect()
    assert not file.parent.parent.exists()


def test_a_folder_is_read_without_hidden_files_and_links_out_of_it(album: Path) -> None:
    (album / "out.png").symlink_to(album.parent / "secret" / "s.png")
    (album / "in.png").symlink_to(album / "b.png")
    (album / "way").symlink_to(album.parent / "secret", target_is_directory=True)
    found = gathered(folder="album", allowed=[album])
    assert names(found) == ["a.JPG", "b.png", "deeper/c.png", "in.png"]
    assert found.skipped == 2
    assert names(gathered(folder="album/deeper", allowed=[album])) == ["c.png"]
    assert names(gathered(folder=str(album / "deeper"), allowed=[album])) == ["c.png"]


@pytest.mark.parametrize(
    "named",
    [
        "secret",
        "../secret",
        "album/../secret",
        "album/deeper/../../secret",
        "album//etc",
        "/etc",
        "/",
        "\0",
        "album/way",
    ],
)
def test_nothing_outside_the_allowed_folders_is_open(album: Path, named: str) -> None:
    (album / "way").symlink_to(album.parent / "secret", target_is_directory=True)
    with pytest.raises(BadInput, match="choose album, or a folder within"):
        gathered(folder=named, allowed=[album])
    with pytest.raises(BadInput, match="not open to visitors"):
        allowed_folder(str(album.parent / "secret"), [album])


def test_a_sentence_says_what_is_allowed_and_how_to_allow_it(album: Path, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="--folders"):
        gathered(folder="album")
    with pytest.raises(BadInput, match="There is no folder 'album/none'; choose album"):
        gathered(folder="album/none", allowed=[album])
    with pytest.raises(BadInput, match="There is no folder"):
        gathered(folder="album/b.png", allowed=[album])
    twin = tmp_path / "other" / "album"
    twin.mkdir(parents=True)
    assert dict(folder_names([album, twin])) == {"album": album, "album (2)": twin}
    assert allowed_folder("album (2)", [album, twin]) == twin


def test_too_many_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="3 files were sent; at most 2"):
        gathered([tmp_path / f"{at}.png" for at in range(3)], limits=Limits(files=2))


def test_text_files_beside_pictures_never_share_a_name() -> None:
    made = sidecars(["a.jpg", "b/a.jpg", "a.png", "A.webp", "c.d.png", "a.png.txt.gif"])
    assert made[:5] == ["a.txt", "b/a.txt", "a.png.txt", "A.webp.txt", "c.d.txt"]
    assert len({name.casefold() for name in made}) == 6


def test_nothing_is_nothing() -> None:
    assert (len(NOTHING), NOTHING.summary()) == (0, "")
    assert names(gathered()) == []
