"""Each kind of task from its files to its figures: captions, NoCaps, GQA, OK-VQA, the bundled world."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from blip2.backends.scripted import ScriptedBackend
from blip2.evaluation import lemmas, pocket_task, scoring
from blip2.evaluation.examples import Example
from blip2.evaluation.protocols import find
from blip2.evaluation.run import Plan, run
from blip2.pocket.sprites import FontMissing

Write = Callable[[str, Any], Path]
Draw = Callable[..., Path]


def test_nocaps_by_domain(write: Write, draw: Draw, tmp_path: Path) -> None:
    domains = ["in-domain", "in-domain", "out-domain", "out-domain"]
    images = [{"id": at, "file_name": f"{at}.png", "domain": domain} for at, domain in enumerate(domains)]
    rows = [{"image_id": at, "caption": text} for at in range(4) for text in (f"a dog and ball {at}", "a red car")]
    write("nocaps_val_4500_captions.json", {"images": images, "annotations": rows})
    for at in range(4):
        draw(f"images/{at}.png", at)
    plan = Plan("nocaps", "scripted/opt", tmp_path, out=tmp_path / "run", use_java=False)
    made = run(plan, ScriptedBackend(default="a dog and ball 0"))
    assert made is not None
    assert set(made["tables"]["by domain"]) == {"in-domain", "out-domain"}
    assert made["figures"]["CIDEr in-domain"] > made["figures"]["CIDEr out-domain"]
    assert made["headline"] == "CIDEr"
    assert "METEOR" not in made["figures"]
    assert any("METEOR is left out" in note for note in made["notes"])
    assert made["calibration"]["n"] == 4


def test_gqa(write: Write, draw: Draw, tmp_path: Path) -> None:
    asked = {
        str(at): {"imageId": "1", "question": f"{at}?", "answer": answer, "types": {"structural": kind}}
        for at, (answer, kind) in enumerate([("yes", "verify"), ("dog", "query")])
    }
    write("testdev_balanced_questions.json", asked)
    draw("images/1.jpg")
    made = run(Plan("gqa", "scripted/t5", tmp_path, out=tmp_path / "run"), ScriptedBackend(default="The dog."))
    assert made is not None
    assert made["figures"] == {"gqa": 50.0, "to_the_letter": 0.0}
    assert made["tables"]["by kind of question"]["query"]["gqa"] == 100.0


def test_lemmas_of_nouns_and_verbs_only() -> None:
    words = [("dog", "dogs", "NOUN"), ("be", "is", "AUX"), ("run", "running", "VERB"), ("quick", "Quick", "ADJ")]
    assert lemmas.joined(words) == "dog is run Quick"


def test_okvqa_without_the_lemmatiser_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    example = Example("1", "x", lambda: pytest.fail("no picture is needed"), ("race",) * 10, "why?")
    rows = {"1": {"id": "1", "answer": "racing", "confidence": 0.5}}
    monkeypatch.setattr(lemmas, "installed", lambda: False)
    plain = scoring.score(find("okvqa", "lavis", "t5"), [example], rows)
    assert plain.figures["vqa_lavis"] == 0.0
    assert "not lemmatised" in plain.notes[0]
    monkeypatch.setattr(lemmas, "installed", lambda: True)
    monkeypatch.setattr(lemmas, "lemmatiser", lambda: lambda answer: {"racing": "race"}[answer])
    assert scoring.score(find("okvqa", "lavis", "t5"), [example], rows).figures["vqa_lavis"] == 100.0
    assert scoring.score(find("okvqa", "paper", "t5"), [example], rows).figures["vqa_official"] == 0.0


def without_font() -> Path:
    raise FontMissing("Drawing needs the font; get it with apt.")


def test_pocket_without_the_font_takes_the_committed_scenes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(pocket_task, "font_file", without_font)
    dataset = pocket_task.pocket("opt", 2)
    assert dataset.split == "committed scenes"
    assert "get it with" in dataset.notes[0]
    right = {example.prompt: example.references[0] for example in dataset.examples}
    made = run(
        Plan("pocket", "scripted/opt", out=tmp_path / "run", limit=2), ScriptedBackend(lambda prompt: right[prompt])
    )
    assert made is not None
    assert made["figures"] == {"exact": 100.0}
    assert {"talk", "caption", "unknowable", "unseen wording"} == set(made["tables"]["by kind of answer"])
    wrong = run(Plan("pocket", "scripted/opt", out=tmp_path / "wrong", limit=2), ScriptedBackend(default="a dog"))
    assert wrong is not None
    assert wrong["figures"]["exact"] < 50


def test_pocket_matching_judges_each_sentence(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(pocket_task, "font_file", without_font)
    made = run(Plan("pocket", "scripted/itm", out=tmp_path / "run", limit=3), ScriptedBackend())
    assert made is not None
    rows = [json.loads(line) for line in (tmp_path / "run" / "predictions.jsonl").read_text().splitlines()]
    hits = sum((row["itm"][0] >= 0.5) + (row["itm"][1] < 0.5) for row in rows)
    assert made["figures"]["itm"] == pytest.approx(100 * hits / (2 * len(rows)))
    assert made["calibration"]["n"] == 2 * len(rows)
    assert set(made["tables"]["by swapped word"]) <= {"colour", "thing", "count", "relation"}


def test_a_turn_is_asked_after_the_right_answers_before_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pocket_task, "font_file", without_font)
    first, second = pocket_task.pocket("t5", 1).examples[:2]
    assert first.prompt == f"Question: {first.question.strip()} Answer:"
    assert second.prompt is not None
    assert second.prompt.startswith(f"Question: {first.question} Answer: {first.references[0]}")
