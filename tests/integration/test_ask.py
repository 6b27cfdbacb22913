"""`ask` with the bundled OPT model, as a user types it: committed scenes, whole conversations, right answers."""

import json

import pytest

from blip2 import cli
from blip2.pocket.committed import FOLDER, load_committed
from blip2.pocket.marking import right

SCENES = 8
ENOUGH = 0.8  # of the turns; the accuracy report has the exact share on far more scenes


def test_conversations_about_committed_scenes(capsys: pytest.CaptureFixture[str]) -> None:
    marks = []
    for sheet, picture in load_committed(SCENES):
        questions = [asked.question for asked in sheet.talk]
        assert cli.main(["ask", str(FOLDER / picture.name), *questions, "--json", "--device", "cpu"]) == 0
        data = json.loads(capsys.readouterr().out)
        assert data["model"] == "blip2_opt/pocket_opt"
        for number, (turn, asked) in enumerate(zip(data["turns"], sheet.talk, strict=True)):
            assert turn["prompt"].count("Question:") == number + 1 - turn["dropped"]
            marks.append(right(turn["answer"], asked.answer))
    assert sum(marks) >= ENOUGH * len(marks), f"{sum(marks)} of {len(marks)} right"
