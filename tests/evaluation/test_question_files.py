"""Question data as distributed, read from files of the official forms."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from blip2.errors import BadImage, BadInput
from blip2.evaluation import question_files
from blip2.evaluation.examples import shard

Write = Callable[[str, Any], Path]
Draw = Callable[..., Path]


def test_vqav2(vqa_data: Path) -> None:
    dataset = question_files.vqav2(vqa_data)
    assert (dataset.name, dataset.split, len(dataset.examples)) == ("VQAv2", "val2014", 15)
    first = dataset.examples[0]
    assert (first.id, first.image) == ("100", "COCO_val2014_000000000001.jpg")
    assert (first.question, first.type, first.answer_type) == ("What (really) is number 0?", "what is", "yes/no")
    assert first.references == ("it is 0",) * 10
    assert first.picture().size == (40, 30)
    with pytest.raises(BadImage):
        dataset.examples[-1].picture()
    assert len(dataset.limited(4).examples) == 4


def test_a_missing_file_says_where_to_get_it_and_where_to_put_it(vqa_data: Path) -> None:
    (vqa_data / "v2_mscoco_val2014_annotations.json").unlink()
    with pytest.raises(BadInput) as caught:
        question_files.vqav2(vqa_data)
    told = str(caught.value)
    assert "v2_Annotations_Val_mscoco.zip" in told
    assert str(vqa_data / "v2_mscoco_val2014_annotations.json") in told


@pytest.mark.parametrize(
    "reader", [question_files.okvqa, question_files.gqa, question_files.textvqa, question_files.vizwiz]
)
def test_every_reader_names_what_is_missing(reader: Callable[[Path], Any], tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"is missing from .*; get it from http"):
        reader(tmp_path)


def test_okvqa_is_read_from_a_folder_of_its_own(write: Write, draw: Draw, tmp_path: Path) -> None:
    draw("coco/val2014/COCO_val2014_000000000007.jpg")
    asked = {"question_id": 70, "image_id": 7, "question": "Why?"}
    write("okvqa/OpenEnded_mscoco_val2014_questions.json", {"questions": [asked]})
    truth = {"question_id": 70, "answers": [{"answer": "race", "answer_id": 1, "raw_answer": "racing"}]}
    write("okvqa/mscoco_val2014_annotations.json", {"annotations": [truth]})
    (example,) = question_files.okvqa(tmp_path).examples
    assert (example.question, example.references, example.picture().size) == ("Why?", ("race",), (40, 30))


def test_gqa(write: Write, draw: Draw, tmp_path: Path) -> None:
    draw("images/n161.jpg")
    asked = {"imageId": "n161", "question": "Is it red?", "answer": "no", "types": {"structural": "verify"}}
    write("testdev_balanced_questions.json", {"2019": asked})
    (example,) = question_files.gqa(tmp_path).examples
    assert (example.id, example.image, example.references, example.type) == ("2019", "n161.jpg", ("no",), "verify")


def test_textvqa_in_both_forms(write: Write, tmp_path: Path) -> None:
    (tmp_path / "train_images").mkdir()
    asked = {"question_id": 3, "image_id": "ab", "question": "what brand?"}
    write("textvqa_val_questions.json", {"questions": [asked]})
    write("textvqa_val_annotations.json", {"annotations": [{"question_id": 3, "answers": [{"answer": "acme"}]}]})
    second = question_files.textvqa(tmp_path)
    write("TextVQA_0.5.1_val.json", {"data": [{**asked, "answers": ["acme"]}]})
    first = question_files.textvqa(tmp_path)
    assert first.examples == second.examples
    assert second.notes
    assert not first.notes


def test_vizwiz_in_both_forms(write: Write, tmp_path: Path) -> None:
    (tmp_path / "val").mkdir()
    answers = [{"answer": "unanswerable", "answer_confidence": "yes"}] * 10
    asked = {"question_id": 0, "image_id": "VizWiz_val_00000000.jpg", "question": "What is it?"}
    write("vizwiz_val_questions.json", {"questions": [asked]})
    write("vizwiz_val_annotations.json", {"annotations": [{"question_id": 0, "answers": answers}]})
    (second,) = question_files.vizwiz(tmp_path).examples
    row = {
        "image": "VizWiz_val_00000000.jpg",
        "question": "What is it?",
        "answers": answers,
        "answer_type": "unanswerable",
    }
    write("val.json", [row])
    (first,) = question_files.vizwiz(tmp_path).examples
    assert len(first.references) == len(second.references) == 10
    assert (first.image, first.answer_type) == (second.image, "unanswerable")


@pytest.mark.parametrize(
    ("data", "told"),
    [
        ({"questions": [{"question_id": 1}]}, "has no 'question'"),
        ([1, 2], "has no 'questions'"),
        ({"questions": [{"question_id": 1, "image_id": 1, "question": "?"}]}, "has no answers"),
    ],
)
def test_a_wrong_file_is_named(vqa_data: Path, write: Write, data: Any, told: str) -> None:
    write("v2_OpenEnded_mscoco_val2014_questions.json", data)
    with pytest.raises(BadInput, match=told):
        question_files.vqav2(vqa_data)


def test_parts_are_whole_and_keep_the_questions_of_a_picture_together(vqa_data: Path) -> None:
    examples = question_files.vqav2(vqa_data).examples
    parts = [shard(examples, number, 2) for number in (1, 2)]
    assert sorted(example.id for part in parts for example in part) == [example.id for example in examples]
    assert not {example.image for example in parts[0]} & {example.image for example in parts[1]}
    assert shard(examples, 1, 1) == list(examples)
