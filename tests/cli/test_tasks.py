"""`caption`, `match` and `features` on tiny real models."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from blip2 import cli


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two pictures and a file that only says it is one."""
    made = tmp_path / "album"
    made.mkdir()
    for name in ("a", "b"):
        Image.effect_noise((60, 40), 80).convert("RGB").save(made / f"{name}.png")
    (made / "c.jpg").write_bytes(b"no picture")
    return made


def run(capsys: pytest.CaptureFixture[str], *arguments: Any) -> tuple[int, str, str]:
    code = cli.main([str(each) for each in arguments])
    return (code, *capsys.readouterr())


def rows(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def test_captions_go_to_a_file_beside_the_pictures_and_are_resumed(
    folder: Path, tmp_path: Path, opt_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "captions.jsonl"
    command = ["caption", folder, "--model", opt_folder, "--out", out, "--sidecar", "--method", "greedy"]
    code, shown, errors = run(capsys, *command, "--max-new-tokens", 5)
    assert (code, shown) == (2, "")
    assert "c.jpg" in errors
    assert "\r" not in errors
    first = rows(out.read_text())
    assert [Path(row["file"]).name for row in first] == ["a.png", "b.png", "c.jpg"]
    assert (folder / "a.txt").read_text().strip() == first[0]["caption"]
    assert not (folder / "c.txt").exists()
    Image.new("RGB", (8, 8)).save(folder / "c.jpg")
    out.write_text("".join(out.read_text().splitlines(keepends=True)[:1]) + '{"file": "brok')
    code, _, _ = run(capsys, *command, "--max-new-tokens", 5, "--resume")
    assert code == 0
    whole = [line for line in out.read_text().splitlines() if not line.startswith('{"file": "brok')]
    assert [Path(json.loads(line)["file"]).name for line in whole] == ["a.png", "b.png", "c.jpg"]


def test_captions_as_text_and_as_json(folder: Path, opt_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    flags = ("--model", opt_folder, "--max-new-tokens", 4)
    one = run(capsys, "caption", folder / "a.png", *flags)[1].strip()
    (row,) = rows(run(capsys, "caption", folder / "a.png", *flags, "--json", "--n", 2)[1])
    assert row["caption"].strip() == one
    assert len(row["captions"]) == 2


def test_match_and_features(folder: Path, tmp_path: Path, itm_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pictures = (folder / "a.png", folder / "b.png")
    texts = ("--text", "a red ball", "--text", "two dogs")
    code, shown, _ = run(capsys, "match", *pictures, *texts, "--model", itm_folder, "--json")
    assert code == 0
    assert np.shape(json.loads(shown)["itm"]) == (2, 2)
    assert "two dogs" in run(capsys, "match", *pictures, *texts, "--model", itm_folder)[1]
    code, shown, _ = run(capsys, "match", *pictures, "--text", "=a ball", "--model", itm_folder, "--csv")
    assert code == 0
    assert [line.split(",")[1] for line in shown.splitlines()] == ["text", "'=a ball", "'=a ball"]
    labels = ("--labels", "ball, dog", "--template", "one {} here", "--model", itm_folder)
    code, shown, _ = run(capsys, "match", pictures[0], *labels, "--json")
    (image,) = json.loads(shown)["images"]
    assert {each["text"] for each in image["labels"]} == {"one ball here", "one dog here"}
    assert sum(each["share"] for each in image["labels"]) == pytest.approx(1)
    assert len(run(capsys, "match", *pictures, *labels, "--csv")[1].splitlines()) == 5
    assert run(capsys, "match", *pictures, *labels)[1].count("ITM") == 4
    out = tmp_path / "f.npz"
    code, shown, _ = run(capsys, "features", *pictures, *texts, "--model", itm_folder, "--out", out)
    assert code == 0
    assert shown.startswith("multimodal_embeds")
    with np.load(out) as read:
        assert read["multimodal_embeds"].shape[0] == 2


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (("caption", "nowhere.png"), "nowhere.png"),
        (("caption", "x.png", "--resume"), "--out"),
        (("match", "x.png"), "--text"),
        (("match", "x.png", "--text", "a", "--template", "a {}"), "add --labels"),
        (("match", "x.png", "--labels", " , "), "--labels are empty"),
        (("features",), "nothing to make"),
    ],
)
def test_mistakes_are_sentences(arguments: tuple[str, ...], part: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, _, errors = run(capsys, *arguments)
    assert code == 2
    assert part in errors
    assert "Traceback" not in errors


def test_a_folder_without_pictures_is_a_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "notes.txt").write_text("no picture", "utf-8")
    code, shown, errors = run(capsys, "caption", tmp_path)
    assert (code, shown) == (2, "")
    assert "There is no picture in what was named" in errors
