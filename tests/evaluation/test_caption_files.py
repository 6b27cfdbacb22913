"""Caption and retrieval data as distributed."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from blip2.errors import BadInput
from blip2.evaluation import caption_files
from blip2.evaluation.caption_files import captioned, pairs_of

Write = Callable[[str, Any], Path]
NAME = "COCO_val2014_000000391895.jpg"
KARPATHY = {
    "images": [
        {
            "cocoid": 391895,
            "filename": NAME,
            "filepath": "val2014",
            "split": "test",
            "sentences": [{"raw": "a man"}, {"raw": "a bike"}],
        },
        {"cocoid": 1, "filename": "COCO_val2014_000000000001.jpg", "split": "val", "sentences": [{"raw": "no"}]},
    ]
}
LAVIS = [{"image": f"val2014/{NAME}", "caption": ["a man", "a bike"]}]
COCO = {
    "images": [{"id": 391895}],
    "annotations": [
        {"id": 1, "image_id": 391895, "caption": "a man"},
        {"id": 2, "image_id": 391895, "caption": "a bike"},
    ],
}


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("dataset_coco.json", KARPATHY),
        ("annotations/coco_karpathy_test.json", LAVIS),
        ("coco_karpathy_test_gt.json", COCO),
    ],
)
def test_the_karpathy_split_in_three_forms(
    write: Write, draw: Callable[..., Path], tmp_path: Path, name: str, data: Any
) -> None:
    draw(f"val2014/{NAME}")
    write(name, data)
    (example,) = caption_files.coco_caption(tmp_path).examples
    assert (example.id, example.image, example.references) == ("391895", NAME, ("a man", "a bike"))
    assert example.picture().size == (40, 30)
    assert caption_files.coco_retrieval(tmp_path).examples == (example,)


def test_nocaps_domains_come_from_the_file(write: Write, draw: Callable[..., Path], tmp_path: Path) -> None:
    domains = ("in-domain", "near-domain", "out-domain")
    images = [{"id": at, "file_name": f"{at:016x}.jpg", "domain": domain} for at, domain in enumerate(domains)]
    rows = [{"image_id": at, "id": at, "caption": f"thing {at}"} for at in range(3)]
    draw(f"images/{0:016x}.jpg")
    write("nocaps_val_4500_captions.json", {"images": images, "annotations": rows})
    dataset = caption_files.nocaps(tmp_path)
    assert [example.type for example in dataset.examples] == list(domains)
    write("nocaps_val_4500_captions.json", {"images": [{"id": 0}], "annotations": rows[:1]})
    with pytest.raises(BadInput, match="gives no `domain`"):
        caption_files.nocaps(tmp_path)


def test_flickr_texts_are_numbered_in_the_order_of_the_pictures(write: Write, tmp_path: Path) -> None:
    (tmp_path / "flickr30k-images").mkdir()
    write(
        "flickr30k_test.json",
        [{"image": "flickr30k-images/7.jpg", "caption": ["a", "b"]}, {"image": "8.jpg", "caption": "c"}],
    )
    examples = caption_files.flickr_retrieval(tmp_path).examples
    assert [example.id for example in examples] == ["7", "8"]
    pairs = pairs_of(examples)
    assert (pairs.texts_of, pairs.image_of) == (((0, 1), (2,)), (0, 0, 1))


@pytest.mark.parametrize("reader", [caption_files.coco_caption, caption_files.nocaps, caption_files.flickr_retrieval])
def test_every_reader_names_what_is_missing(reader: Callable[[Path], Any], tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"is missing from .*; get it from http"):
        reader(tmp_path)


@pytest.mark.parametrize(
    "data", [[{"image": "x.jpg"}], {"images": [{"filename": "x.jpg"}]}, {"annotations": [{"caption": "x"}]}]
)
def test_a_wrong_file_is_named(write: Write, data: Any) -> None:
    with pytest.raises(BadInput, match=r"wrong\.json"):
        captioned(write("wrong.json", data))


def test_the_karpathy_test_split_is_whole(anchors: Path) -> None:
    rows = captioned(anchors / "caption_anchor" / "coco_karpathy_test_gt.json")
    assert (len(rows), sum(len(row.captions) for row in rows)) == (5000, 25_010)
    assert sum(len(row.captions) == 6 for row in rows) == 10
