import json
import subprocess
import sys
from pathlib import Path

import pytest

from blip2 import zoo
from blip2.errors import UnknownModel
from blip2.memory import Parts

LAVIS = {
    "blip2_opt": {"pretrain_opt2.7b", "caption_coco_opt2.7b", "pretrain_opt6.7b", "caption_coco_opt6.7b"},
    "blip2_t5": {"pretrain_flant5xl", "caption_coco_flant5xl", "pretrain_flant5xxl"},
    "blip2": {"pretrain", "coco"},
}


def test_every_lavis_row_is_there_with_its_facts() -> None:
    rows = [row for row in zoo.ROWS if not row.pocket]
    assert {name: {row.type for row in rows if row.name == name} for name in LAVIS} == LAVIS
    for row in rows:
        tuned = "coco" in row.type
        assert row.image_size == (364 if tuned else 224)
        assert row.hub.endswith("-coco") == tuned
        assert row.prompt == ("a photo of" if row.type.startswith("caption") else "")
        assert row.dtype == ("bfloat16" if row.family == "t5" else "float16")
        assert ("float16" in row.memory) == (row.family != "t5")


def test_the_bundled_rows_are_folders_of_the_repository() -> None:
    rows = [row for row in zoo.ROWS if row.pocket]
    assert [row.key for row in rows] == ["blip2_opt/pocket_opt", "blip2_t5/pocket_flant5", "blip2/pocket"]
    assert [row.to_json()["folder"] for row in rows] == [
        "assets/pocket/pocket_opt",
        "assets/pocket/pocket_flant5",
        "assets/pocket/pocket_itm",
    ]


@pytest.mark.parametrize(
    ("asked", "key"),
    [
        (("blip2_opt/pretrain_opt2.7b",), "blip2_opt/pretrain_opt2.7b"),
        (("blip2_opt", "pretrain_opt2.7b"), "blip2_opt/pretrain_opt2.7b"),
        (("Salesforce/blip2-flan-t5-xl-coco",), "blip2_t5/caption_coco_flant5xl"),
        (("pretrain_flant5xxl",), "blip2_t5/pretrain_flant5xxl"),
        (("blip2_feature_extractor", "pretrain"), "blip2/pretrain"),
        (("blip2_image_text_matching", "coco"), "blip2/coco"),
        (("blip2_feature_extractor", "pretrained"), "blip2/pretrain"),
        (("blip2/pretrained",), "blip2/pretrain"),
        (("pocket",), "blip2/pocket"),
        (("blip2_opt", "pocket_opt"), "blip2_opt/pocket_opt"),
    ],
)
def test_a_row_is_found_by_each_of_its_names(asked: tuple[str, ...], key: str) -> None:
    assert zoo.find(*asked).key == key


def test_a_hub_id_becomes_a_row_of_its_own() -> None:
    row = zoo.find("someone/blip2-tuned")
    assert (row.key, row.hub, row.family, row.pocket) == ("someone/blip2-tuned", "someone/blip2-tuned", None, False)


def test_a_folder_becomes_a_row_with_what_its_config_says(opt_folder: Path, t5_folder: Path, itm_folder: Path) -> None:
    for folder, family in ((opt_folder, "opt"), (t5_folder, "t5"), (itm_folder, "itm")):
        row = zoo.find(str(folder))
        assert (row.key, row.family, row.image_size, row.title) == (str(folder), family, 56, folder.name)
    assert zoo.find("blip2_opt", str(t5_folder)).family == "t5"  # the folder decides, not the name beside it


def test_a_folder_without_a_config_is_still_a_row(tmp_path: Path) -> None:
    assert zoo.find(str(tmp_path)).family is None


@pytest.mark.parametrize(
    ("asked", "meant"),
    [
        (("blip2_opt/pretrain_opt27b",), "blip2_opt/pretrain_opt2.7b"),
        (("blip2_t5", "pretrain_flant5-xl"), "blip2_t5/pretrain_flant5xl"),
        (("pocket_op",), "blip2_opt/pocket_opt"),
    ],
)
def test_a_misspelt_name_is_answered_with_the_near_ones(asked: tuple[str, ...], meant: str) -> None:
    with pytest.raises(UnknownModel, match=f"Did you mean .*{meant}"):
        zoo.find(*asked)


@pytest.mark.parametrize("asked", ["", "   ", "nothing-like-it", "/no/such/folder", "a/b/c"])
def test_what_is_no_name_is_unknown(asked: str) -> None:
    with pytest.raises(UnknownModel, match="Give a row of the zoo"):
        zoo.find(asked)


def test_the_table_has_a_line_for_each_row_and_the_json_too() -> None:
    lines = zoo.table().splitlines()
    assert len(lines) == len(zoo.ROWS) + 2
    assert len({line.count("|") for line in lines}) == 1
    assert "| `blip2_opt/pretrain_opt6.7b` | Salesforce/blip2-opt-6.7b | 224 px |" in zoo.table()
    rows = json.loads(json.dumps(zoo.to_json()))
    assert [row["model"] for row in rows] == [row.key for row in zoo.ROWS]
    assert all(str(zoo.ROOT) not in json.dumps(row) for row in rows)


def test_memory_follows_from_the_parameters() -> None:
    row = zoo.find("pretrain_flant5xxl")
    assert isinstance(row.parts, Parts)
    assert row.memory["float32"] == 4 * row.parts.total
    assert 24e9 < row.memory["bfloat16"] < 25e9
    assert row.memory["nf4"] < row.memory["int8"] < row.memory["bfloat16"]


def test_the_zoo_needs_no_torch() -> None:
    code = "import sys, blip2.zoo, blip2.published; blip2.zoo.table(); sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=zoo.ROOT, check=False).returncode == 0
