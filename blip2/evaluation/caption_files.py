"""Readers of caption and retrieval data as distributed: COCO's Karpathy test split, NoCaps and Flickr30k."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from blip2.errors import BadInput
from blip2.evaluation import files
from blip2.evaluation.examples import Dataset, Example, opener
from blip2.evaluation.files import Wanted
from blip2.evaluation.question_files import COCO_VAL
from blip2.evaluation.recall import Pairs

KARPATHY = "https://cs.stanford.edu/people/karpathy/deepimagesent/caption_datasets.zip"
LAVIS = "https://storage.googleapis.com/sfr-vision-language-research/datasets/{}"
COCO_FORMS = ("coco_karpathy_test.json", "dataset_coco.json", "coco_karpathy_test_gt.json")
COCO = Wanted(
    tuple(f"{folder}{name}" for name in COCO_FORMS for folder in ("", "annotations/")),
    f"{LAVIS.format(COCO_FORMS[0])} or, as dataset_coco.json, from {KARPATHY}",
)
FLICKR_FORMS = ("flickr30k_test.json", "dataset_flickr30k.json")
FLICKR = Wanted(
    tuple(f"{folder}{name}" for name in FLICKR_FORMS for folder in ("", "annotations/")),
    f"{LAVIS.format(FLICKR_FORMS[0])} or, as dataset_flickr30k.json, from {KARPATHY}",
)
FLICKR_IMAGES = Wanted(
    ("flickr30k-images", "flickr30k/images", "images"), "https://shannon.cs.illinois.edu/DenotationGraph"
)
NOCAPS = Wanted(
    ("nocaps_val_4500_captions.json", "annotations/nocaps_val_4500_captions.json"),
    "https://s3.amazonaws.com/nocaps/nocaps_val_4500_captions.json",
)
NOCAPS_IMAGES = Wanted(("images", "val", "images/val"), "the addresses in that file (`coco_url`, Open Images)")


@dataclass(frozen=True, slots=True)
class Captioned:
    """A picture with its captions; `id` is what references are found by, `group` NoCaps' domain."""

    id: str
    file: str
    captions: tuple[str, ...] = field(repr=False)
    group: str = ""


def coco_caption(data: Path) -> Dataset:
    """COCO's Karpathy test split: 5,000 pictures of val2014, 25,010 captions."""
    return _captions("COCO captions", data, COCO, COCO_VAL)


def nocaps(data: Path) -> Dataset:
    """NoCaps' validation pictures, each with its domain as the annotation file gives it."""
    path, images = files.find(data, NOCAPS), files.find(data, NOCAPS_IMAGES)
    rows = coco_form(path)
    if not any(row.group for row in rows):
        raise BadInput(f"The file {path} gives no `domain` of its pictures; take the validation file with captions.")
    return _dataset("NoCaps", "val", rows, images, (path,))


def coco_retrieval(data: Path) -> Dataset:
    """The Karpathy test split for retrieval: each picture with its texts."""
    return _captions("COCO retrieval", data, COCO, COCO_VAL)


def flickr_retrieval(data: Path) -> Dataset:
    """Flickr30k's Karpathy test split: 1,000 pictures, 5,000 captions."""
    return _captions("Flickr30k retrieval", data, FLICKR, FLICKR_IMAGES)


def captioned(path: Path) -> list[Captioned]:
    """A file of captions in any of the known forms: COCO's, LAVIS's list, or Karpathy's `dataset_….json`."""
    rows = files.read(path)
    if isinstance(rows, list):
        return _lavis(rows, path)
    if isinstance(rows, dict) and "annotations" in rows:
        return coco_form(path)
    return _karpathy(files.take(rows, "images", path), path)


def coco_form(path: Path) -> list[Captioned]:
    """COCO's form: `images` (id, perhaps file_name and domain) and `annotations` (image_id, caption)."""
    rows = files.read(path)
    texts: dict[Any, list[str]] = {}
    try:
        for row in files.take(rows, "annotations", path):
            texts.setdefault(row["image_id"], []).append(row["caption"])
        return [
            Captioned(
                str(row["id"]),
                str(row.get("file_name") or ""),
                tuple(texts.get(row["id"], ())),
                str(row.get("domain") or ""),
            )
            for row in files.take(rows, "images", path)
        ]
    except (KeyError, TypeError) as error:
        raise BadInput(f"An entry of {path} has no {error}; check that it is in COCO's caption form.") from error


def _karpathy(rows: Sequence[Any], path: Path) -> list[Captioned]:
    """The test split of Karpathy's `dataset_….json`."""
    made = []
    for row in rows:
        if not isinstance(row, dict) or "sentences" not in row or "filename" not in row:
            raise BadInput(f"The file {path} is not Karpathy's: a picture has no sentences or no filename.")
        if row.get("split") == "test":
            folder = f"{row['filepath']}/" if row.get("filepath") else ""
            captions = tuple(sentence["raw"] for sentence in row["sentences"])
            made.append(Captioned(_id(row.get("cocoid", row["filename"])), f"{folder}{row['filename']}", captions))
    return made


def _lavis(rows: Sequence[Any], path: Path) -> list[Captioned]:
    """LAVIS's list of `image` and `caption` (one or several)."""
    made = []
    for row in rows:
        if not isinstance(row, dict) or "image" not in row or "caption" not in row:
            raise BadInput(f"The file {path} is not LAVIS's: an entry has no image or no caption.")
        captions = row["caption"] if isinstance(row["caption"], list) else [row["caption"]]
        made.append(Captioned(_id(row["image"]), row["image"], tuple(captions)))
    return made


def _id(name: Any) -> str:
    """COCO's number of a picture from its file name, or the name without its folder and ending."""
    stem = Path(str(name)).stem
    number = stem.rpartition("_")[2]
    return str(int(number)) if stem.startswith("COCO_") and number.isdigit() else stem


def _captions(name: str, data: Path, wanted: Wanted, pictures: Wanted) -> Dataset:
    path, images = files.find(data, wanted), files.find(data, pictures)
    return _dataset(name, "Karpathy test", captioned(path), images, (path,))


def _dataset(name: str, split: str, rows: Sequence[Captioned], images: Path, read: tuple[Path, ...]) -> Dataset:
    """Pictures lie in `images` by their bare file names: lists name folders of other machines."""
    made = []
    for row in rows:
        file = Path(row.file or f"COCO_val2014_{int(row.id):012d}.jpg").name
        made.append(Example(row.id, file, opener(images / file), row.captions, type=row.group))
    if not made:
        raise BadInput(f"The file {read[0]} names no picture of the test split; check that it is the right file.")
    return Dataset(name, split, tuple(made), read)


def pairs_of(examples: Sequence[Example]) -> Pairs:
    """Which texts are whose, texts numbered in the order of the pictures."""
    rows, at = [], 0
    for example in examples:
        rows.append(range(at, at + len(example.references)))
        at += len(example.references)
    return Pairs.of(rows)
