"""What the tests of evaluation share: pictures, official files in small, and the data that is not ours to ship."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

VARIABLE = "STUDIO_EVAL_DATA"


@pytest.fixture(scope="session")
def anchors() -> Path:
    """Data with known scores; tests that need it are skipped where it is absent."""
    folder = Path(os.environ.get(VARIABLE, ""))
    if not os.environ.get(VARIABLE) or not folder.is_dir():
        pytest.skip(f"NOT CHECKED against others' figures: set {VARIABLE} to the folder that holds caption_anchor/ …")
    return folder


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str, Any], Path]:
    """Write JSON below the test's folder, at a path like `annotations/x.json`."""

    def save(name: str, data: Any) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(data), "utf-8")
        return path

    return save


@pytest.fixture
def draw(tmp_path: Path) -> Callable[..., Path]:
    """Write a small picture below the test's folder; each number gives another colour."""

    def save(name: str, number: int = 0) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        colour = (37 * number % 256, 91 * number % 256, 151 * number % 256)
        Image.new("RGB", (40, 30), colour).save(path)
        return path

    return save


@pytest.fixture
def vqa_data(tmp_path: Path, write: Callable[[str, Any], Path], draw: Callable[..., Path]) -> Path:
    """VQAv2 as distributed, with 12 questions about four pictures, and a fifth picture that is damaged."""
    kinds = ("yes/no", "number", "other")
    questions, annotations = [], []
    for number in range(15):
        image = number // 3 + 1
        asked = {"question_id": 100 + number, "image_id": image, "question": f"What (really) is number {number}?"}
        answers = [{"answer": f"it is {number}", "answer_id": at + 1} for at in range(10)]
        questions.append(asked)
        annotations.append(
            {
                "question_id": 100 + number,
                "image_id": image,
                "answers": answers,
                "question_type": "what is",
                "answer_type": kinds[number % 3],
            }
        )
    write("v2_OpenEnded_mscoco_val2014_questions.json", {"questions": questions})
    write("v2_mscoco_val2014_annotations.json", {"annotations": annotations})
    for image in range(1, 5):
        draw(f"val2014/COCO_val2014_{image:012d}.jpg", image)
    (tmp_path / "val2014" / "COCO_val2014_000000000005.jpg").write_bytes(b"no picture")
    return tmp_path
