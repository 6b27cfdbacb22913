"""What is sent, what is written down, and what happens when a picture or the queue fails."""

from pathlib import Path

import pytest

from blip2.backends.scripted import ScriptedBackend
from blip2.errors import Busy
from blip2.evaluation import question_files
from blip2.evaluation.asking import Asker, ask_all, sessions
from blip2.evaluation.examples import Example
from blip2.evaluation.journal import Journal
from blip2.evaluation.progress import Progress
from blip2.evaluation.protocols import find
from blip2.images import open_picture


def test_the_prompt_is_the_protocols_with_lavis_question() -> None:
    example = Example("1", "x", lambda: open_picture("x"), question="What (really) is it: a dog?")
    paper = Asker(ScriptedBackend(), "scripted/opt", find("vqav2", "paper", "opt"))
    assert paper.prompt(example) == "Question: what really is it a dog? Answer:"
    caption = Asker(ScriptedBackend(), "scripted/opt", find("coco-caption", "paper", "opt"))
    assert caption.prompt(example) == "a photo of"


def test_lavis_reads_only_so_many_tokens_of_an_opt_prompt() -> None:
    example = Example("1", "x", lambda: open_picture("x"), question=" ".join(f"w{at}" for at in range(45)))
    lavis = Asker(ScriptedBackend(), "scripted/opt", find("vqav2", "lavis", "opt"))
    sent = lavis.prompt(example)
    assert len(sent.split()) == 32
    assert sent.startswith("Question: w0 w1")
    assert "Short answer:" not in sent  # it is what LAVIS cuts away
    assert Asker(ScriptedBackend(), "scripted/opt", find("vqav2", "paper", "opt")).prompt(example).endswith(" Answer:")


def test_every_example_gets_one_row_and_a_broken_picture_is_told(vqa_data: Path, tmp_path: Path) -> None:
    dataset = question_files.vqav2(vqa_data)
    backend = ScriptedBackend(lambda prompt: prompt.split()[-2])
    asker = Asker(backend, "scripted/opt", find("vqav2", "paper", "opt"))
    progress = Progress(15)
    with Journal(tmp_path / "rows.jsonl") as written:
        ask_all(asker, dataset.examples, written, progress, at_once=4)
        rows = written.rows
    assert sorted(rows) == sorted(example.id for example in dataset.examples)
    assert (rows["104"]["answer"], rows["104"]["prompt"]) == ("4?", "Question: what really is number 4? Answer:")
    assert rows["104"]["confidence"] == 0.5
    broken = [row for row in rows.values() if "error" in row]
    assert len(broken) == progress.broken == 3
    assert "not a picture" in broken[0]["error"]
    seconds, count = sessions(rows.values())
    assert count == 1
    assert seconds >= 0


def test_a_full_queue_is_waited_for(vqa_data: Path, tmp_path: Path) -> None:
    turns = iter(range(100))

    def answer(prompt: str) -> str:
        if next(turns) < 3:
            raise Busy("The queue is full.")
        return "yes"

    asker = Asker(ScriptedBackend(answer), "scripted/opt", find("vqav2", "paper", "opt"))
    with Journal(tmp_path / "rows.jsonl") as written:
        ask_all(asker, question_files.vqav2(vqa_data).examples[:3], written, Progress(3), at_once=2)
        assert [row["answer"] for row in written.rows.values()] == ["yes"] * 3


def test_any_other_fault_stops_the_run_and_keeps_what_was_answered(vqa_data: Path, tmp_path: Path) -> None:
    def answer(prompt: str) -> str:
        if "number 7" in prompt:
            raise RuntimeError("the card fell off the bus")
        return "yes"

    asker = Asker(ScriptedBackend(answer), "scripted/opt", find("vqav2", "paper", "opt"))
    examples = question_files.vqav2(vqa_data).examples
    with Journal(tmp_path / "rows.jsonl") as written:
        with pytest.raises(RuntimeError, match="fell off"):
            ask_all(asker, examples, written, Progress(15), at_once=1)
        assert "107" not in written.rows
        assert len(written.rows) >= 6


def test_the_seconds_of_several_sessions_add_up() -> None:
    rows = [{"session": 1.0, "at": 5.0}, {"session": 1.0, "at": 7.5}, {"session": 9.0, "at": 2.0}]
    assert sessions(rows) == (9.5, 2)
