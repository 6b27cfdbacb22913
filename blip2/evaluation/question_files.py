"""Readers of question data as distributed: VQAv2, OK-VQA, TextVQA, VizWiz and GQA."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from blip2.errors import BadInput
from blip2.evaluation import files
from blip2.evaluation.examples import Dataset, Example, opener
from blip2.evaluation.files import Wanted

COCO_VAL = Wanted(
    ("val2014", "images/val2014", "coco/val2014", "coco/images/val2014"),
    "http://images.cocodataset.org/zips/val2014.zip",
)
VQA_ZIP = "https://s3.amazonaws.com/cvmlp/vqa/mscoco/vqa/v2_{}_mscoco.zip"
OKVQA_ZIP = "https://okvqa.allenai.org/static/data/{}.zip"
QUESTIONS = {
    "vqav2": Wanted(
        ("v2_OpenEnded_mscoco_val2014_questions.json", "questions/v2_OpenEnded_mscoco_val2014_questions.json"),
        VQA_ZIP.format("Questions_Val"),
    ),
    "okvqa": Wanted(
        ("OpenEnded_mscoco_val2014_questions.json", "okvqa/OpenEnded_mscoco_val2014_questions.json"),
        OKVQA_ZIP.format("OpenEnded_mscoco_val2014_questions.json"),
    ),
}
ANNOTATIONS = {
    "vqav2": Wanted(
        ("v2_mscoco_val2014_annotations.json", "annotations/v2_mscoco_val2014_annotations.json"),
        VQA_ZIP.format("Annotations_Val"),
    ),
    "okvqa": Wanted(
        ("mscoco_val2014_annotations.json", "okvqa/mscoco_val2014_annotations.json"),
        OKVQA_ZIP.format("mscoco_val2014_annotations.json"),
    ),
}
GQA = Wanted(
    ("testdev_balanced_questions.json", "questions1.2/testdev_balanced_questions.json"),
    "https://downloads.cs.stanford.edu/nlp/data/gqa/questions1.2.zip",
)
GQA_IMAGES = Wanted(("images", "gqa/images"), "https://downloads.cs.stanford.edu/nlp/data/gqa/images.zip")
TEXTVQA = Wanted(("TextVQA_0.5.1_val.json", "textvqa/TextVQA_0.5.1_val.json"), "https://textvqa.org/dataset")
TEXTVQA_IMAGES = Wanted(("train_images", "train_val_images/train_images"), "https://textvqa.org/dataset")
VIZWIZ = Wanted(("val.json", "Annotations/val.json", "vizwiz/val.json"), "https://vizwiz.org/tasks-and-datasets/vqa")
VIZWIZ_IMAGES = Wanted(("val", "vizwiz/val", "images"), "https://vizwiz.org/tasks-and-datasets/vqa")
# The same data in VQAv2's form, as some projects pass them on.
SECOND_FORM = {
    "textvqa": ("textvqa_val_questions.json", "textvqa_val_annotations.json"),
    "vizwiz": ("vizwiz_val_questions.json", "vizwiz_val_annotations.json"),
}


def vqav2(data: Path) -> Dataset:
    """VQAv2's validation questions on COCO val2014."""
    return _official("vqav2", data)


def okvqa(data: Path) -> Dataset:
    """OK-VQA's questions on COCO val2014, which its papers call the test split."""
    return _official("okvqa", data)


def textvqa(data: Path) -> Dataset:
    """TextVQA's validation questions, in its own form or in VQAv2's."""
    images = files.find(data, TEXTVQA_IMAGES)
    second = _second("textvqa", data, lambda id_: (f"{id_}.jpg", images / f"{id_}.jpg"))
    if second is not None:
        return second
    path = files.find(data, TEXTVQA)
    made = []
    for row in _rows(files.take(files.read(path), "data", path), path, ("question_id", "question", "image_id")):
        name = f"{row['image_id']}.jpg"
        answers = _answers(row.get("answers", ()), path)
        made.append(_example(row["question_id"], name, images / name, row["question"], answers))
    return Dataset("TextVQA", "val", tuple(made), (path,))


def vizwiz(data: Path) -> Dataset:
    """VizWiz-VQA's validation questions, in its own form, where the picture's name is the id, or in VQAv2's."""
    images = files.find(data, VIZWIZ_IMAGES)
    second = _second("vizwiz", data, lambda id_: (str(id_), images / str(id_)))
    if second is not None:
        return second
    path = files.find(data, VIZWIZ)
    made = []
    for row in _rows(files.read(path), path, ("image", "question", "answers")):
        answers, kind = _answers(row["answers"], path), str(row.get("answer_type", ""))
        made.append(_example(row["image"], row["image"], images / row["image"], row["question"], answers, kind, kind))
    return Dataset("VizWiz-VQA", "val", tuple(made), (path,))


def gqa(data: Path) -> Dataset:
    """GQA's balanced test-dev questions."""
    path, images = files.find(data, GQA), files.find(data, GQA_IMAGES)
    rows = files.read(path)
    if not isinstance(rows, dict):
        raise BadInput(f"The file {path} is not GQA's: it must map question ids to questions.")
    made = []
    for key, row in rows.items():
        (row,) = _rows([row], path, ("imageId", "question", "answer"))
        name, kinds = f"{row['imageId']}.jpg", row.get("types") or {}
        kind = str(kinds.get("structural", ""))
        made.append(_example(key, name, images / name, row["question"], (str(row["answer"]),), kind))
    return Dataset("GQA", "testdev_balanced", tuple(made), (path,))


def pair(questions: Path, annotations: Path | None) -> list[dict[str, Any]]:
    """Rows of VQAv2's two files, joined: id, image_id, question, answers, type, answer_type.

    Without annotations the answers are empty. Raises `BadInput` where a file is not of that form.
    """
    truths = truths_of(annotations) if annotations else {}
    asked = files.take(files.read(questions), "questions", questions)
    made = []
    for row in _rows(asked, questions, ("question_id", "question", "image_id")):
        truth = truths.get(str(row["question_id"]))
        if annotations and truth is None:
            raise BadInput(f"Question {row['question_id']} of {questions} has no answers in {annotations}.")
        asked_for = {"id": str(row["question_id"]), "image_id": row["image_id"], "question": row["question"]}
        made.append((truth or {}) | asked_for)
    return made


def truths_of(path: Path) -> dict[str, dict[str, Any]]:
    """VQAv2-formed annotations by question id, in their order: id, answers, type, answer_type."""
    rows = _rows(files.take(files.read(path), "annotations", path), path, ("question_id", "answers"))
    made = {}
    for row in rows:
        kinds = {"type": str(row.get("question_type", "")), "answer_type": str(row.get("answer_type", ""))}
        id_ = str(row["question_id"])
        made[id_] = {"id": id_, "answers": _answers(row["answers"], path), **kinds}
    return made


def _official(task: str, data: Path) -> Dataset:
    questions, annotations = files.find(data, QUESTIONS[task]), files.find(data, ANNOTATIONS[task])
    images = files.find(data, COCO_VAL)
    made = []
    for row in pair(questions, annotations):
        name = f"COCO_val2014_{int(row['image_id']):012d}.jpg"
        made.append(_joined(row, name, images / name))
    return Dataset({"vqav2": "VQAv2", "okvqa": "OK-VQA"}[task], "val2014", tuple(made), (questions, annotations))


def _second(task: str, data: Path, place: Any) -> Dataset | None:
    """The data in VQAv2's form, where both files are there and the official one is not."""
    found = [files.first(data, (name, f"{task}/{name}")) for name in SECOND_FORM[task]]
    official = files.first(data, {"textvqa": TEXTVQA, "vizwiz": VIZWIZ}[task].places)
    if official is not None or found[0] is None or found[1] is None:
        return None
    made = [_joined(row, *place(row["image_id"])) for row in pair(found[0], found[1])]
    title = {"textvqa": "TextVQA", "vizwiz": "VizWiz-VQA"}[task]
    return Dataset(title, "val", tuple(made), (found[0], found[1]), ("Read from files in VQAv2's form.",))


def _joined(row: dict[str, Any], name: str, path: Path) -> Example:
    return _example(row["id"], name, path, row["question"], row["answers"], row["type"], row["answer_type"])


def _example(
    id_: Any, name: str, path: Path, question: str, answers: tuple[str, ...], kind: str = "", answer_kind: str = ""
) -> Example:
    return Example(str(id_), name, opener(path), answers, str(question), type=kind, answer_type=answer_kind)


def _answers(rows: Any, path: Path) -> tuple[str, ...]:
    """Answers given as strings or as records with an `answer`."""
    try:
        return tuple(str(row["answer"] if isinstance(row, dict) else row) for row in rows)
    except (KeyError, TypeError) as error:
        raise BadInput(f"{path} has answers of an unknown form; check that it is the official file.") from error


def _rows(rows: Any, path: Path, keys: Sequence[str]) -> list[dict[str, Any]]:
    """The rows, each of which must have these keys."""
    if not isinstance(rows, list):
        raise BadInput(f"The file {path} is not a list of entries; check that it is the official file.")
    for number, row in enumerate(rows):
        lacking = [key for key in keys if not isinstance(row, dict) or key not in row]
        if lacking:
            raise BadInput(f"Entry {number} of {path} has no {lacking[0]!r}; check that it is the official file.")
    return rows
