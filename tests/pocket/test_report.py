"""The report on scripted models: one that knows every answer, one that knows one answer, one that reads its prompt."""

import json
import random
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from PIL import Image

from blip2.backends.scripted import ScriptedBackend
from blip2.images import picture_from
from blip2.pocket import report, report_card
from blip2.pocket.captions import caption
from blip2.pocket.exam import Sheet, draw_sheets, sheet, sheet_from_json, sheet_to_json
from blip2.pocket.examiner import Candidate, examine
from blip2.pocket.marking import right
from blip2.pocket.matching_exam import Matching
from blip2.pocket.reading import read, shown
from blip2.pocket.world import EVAL_SEEDS, TRAIN_SEEDS, scene_at
from blip2.values import EmbedMode, Features, Match, ModelInfo, Picture, Request

MODELS = {"opt": "scripted/opt", "t5": "scripted/t5", "itm": "scripted/itm"}
Asked = tuple[Sheet, Picture]


def asked(scenes: int, seed: int = 5) -> list[Asked]:
    """Sheets with a picture each that tells a test double which sheet it belongs to: its first pixel is the number."""
    pairs = []
    for number, each in enumerate(draw_sheets(scenes, seed)):
        image = Image.new("RGB", (8, 8), (number // 256, number % 256, 0))
        pairs.append((each, picture_from(image)))
    return pairs


def number_of(picture: Picture) -> int:
    high, low, _ = np.asarray(picture.image)[0, 0].tolist()
    return int(high) * 256 + int(low)


class Oracle(ScriptedBackend):
    """Knows the right answer to every question, given the right history, and the truth of every sentence."""

    def __init__(self, sheets: Sequence[Asked]) -> None:
        super().__init__(
            models=[ModelInfo(f"scripted/{f}", f, f, "", prompt_budget=10_000) for f in ("opt", "t5", "itm")]
        )
        self.sheets = [each for each, _ in sheets]

    def generate(self, request: Request):  # type: ignore[no-untyped-def]
        each = self.sheets[number_of(request.picture)]
        known = {each.caption_prompt: caption(each.scene).text}
        for asks in (each.talk, each.unseen, each.long, (each.unknowable,)):
            past = ""
            for ask in asks:
                known[f"{past}Question: {' '.join(ask.question.split())} Answer:"] = ask.answer
                past += f"Question: {' '.join(ask.question.split())} Answer: {ask.answer}. "
        oracle = ScriptedBackend(known, default="no idea", models=self.models())
        yield from oracle.generate(request)

    def match(self, model: str, images: Sequence[Picture], texts: Sequence[str]) -> Match:
        each = self.sheets[number_of(images[0])]
        true = {pair.true for pair in each.pairs}
        itm = np.asarray([[float(text in true) for text in texts]], np.float32)
        return Match(itm, itm)

    def embed(self, model: str, images: Sequence[Picture], texts: Sequence[str], mode: EmbedMode) -> Features:
        axis = {caption(each.scene).text: at for at, each in enumerate(self.sheets)}
        eye = np.eye(len(self.sheets), dtype=np.float32)
        if mode == "image":
            rows = [eye[axis[caption(self.sheets[number_of(picture)].scene).text]] for picture in images]
            return Features(image_embeds_proj=np.stack([np.stack([-row, row]) for row in rows]))
        return Features(text_embeds_proj=np.stack([eye[axis[text]][None] for text in texts]))


@pytest.fixture(scope="module")
def sheets() -> list[Asked]:
    return asked(120)


def test_an_oracle_scores_everything(sheets: list[Asked]) -> None:
    oracle = Oracle(sheets)
    made = report.report(oracle, sheets, MODELS)
    for key in ("opt", "t5"):
        figures = made[key]
        for name in (
            "all",
            "worst_type",
            "history",
            "unseen_wordings",
            "unknowable",
            "captions",
            "captions_with_place",
        ):
            assert figures[name] == 1.0, (key, name)
        assert figures["by_turn"] == [1.0] * 8
        assert set(figures["by_type"].values()) == {1.0}
        assert figures["n"]["all"] == 4 * 120
        assert figures["n"]["by_turn"] == [30] * 8
    assert made["itm"]["hard_negatives"] == 1.0
    assert made["itc"]["r1_of_100"] == 1.0
    assert made["itc"]["n"] == 100
    assert made["scenes"] == 120


def test_an_oracle_that_is_not_told_the_history_does_not_know_follow_ups(sheets: list[Asked]) -> None:
    made = report.report(Oracle(sheets), sheets, {"opt": "scripted/opt"})
    assert made["opt"]["n"]["history_withheld"] == made["opt"]["n"]["history"] > 30
    assert made["opt"]["history_withheld"] < 0.1


def test_a_model_of_one_answer_scores_that_answers_share(sheets: list[Asked]) -> None:
    made = report.report(ScriptedBackend(default="yes"), sheets, {"opt": "scripted/opt"})["opt"]
    asks = [ask for each, _ in sheets for ask in each.talk]
    assert made["all"] == round(sum(ask.answer == "yes" for ask in asks) / len(asks), 4)
    assert made["worst_type"] == 0.0
    assert made["unknowable"] == 0.0
    assert made["captions"] == 0.0


def test_conversations_carry_the_models_own_answers() -> None:
    prompts: list[str] = []

    def answer(prompt: str) -> str:
        prompts.append(prompt)
        return "a zebra"

    (each, picture), *_ = asked(1)
    backend = ScriptedBackend(answer)
    candidate = Candidate(backend, "scripted/opt")
    candidate.converse(picture, each.long)
    assert len(prompts) == len(each.long) == 8
    assert prompts[-1].count("Answer: a zebra.") == 7


def test_requests_are_in_flight_together(sheets: list[Asked]) -> None:
    arrived: list[str] = []
    enough = threading.Event()

    def answer(prompt: str) -> str:
        arrived.append(prompt)
        if len(arrived) >= 8:
            enough.set()
        return "met" if enough.wait(20) else "alone"

    candidate = Candidate(ScriptedBackend(answer), "scripted/opt")
    with ThreadPoolExecutor(8) as pool:
        examine([candidate], sheets[:3], pool)
    assert {mistake["given"] for mistake in candidate.paper.mistakes} == {"met"}


def test_mistakes_are_kept_with_what_was_expected(sheets: list[Asked]) -> None:
    made = report.report(ScriptedBackend(default="yes"), sheets[:5], {"opt": "scripted/opt"})
    first = made["mistakes"]["opt"][0]
    assert first["given"] == "yes" != first["expected"]


def test_a_matcher_at_chance_scores_chance(sheets: list[Asked]) -> None:
    matching = Matching(ScriptedBackend(), "scripted/itm")
    matching.add(sheets)
    figures = matching.figures()
    assert 0.35 < figures["itm"]["hard_negatives"] < 0.65
    assert figures["itc"]["r1_of_100"] < 0.1


def test_scenes_are_never_those_of_training_and_follow_from_the_seed() -> None:
    first, again, other = (list(draw_sheets(12, seed)) for seed in (3, 3, 4))
    assert first == again != other
    assert EVAL_SEEDS.start >= TRAIN_SEEDS.stop
    assert any(each.long for each in first)


def test_sheets_survive_json() -> None:
    each = sheet(scene_at(EVAL_SEEDS.start), random.Random(1), long=True)
    assert sheet_from_json(json.loads(json.dumps(sheet_to_json(each)))) == each


@pytest.mark.parametrize(
    ("given", "expected", "hit"),
    [
        ("a dog", "a dog", True),
        (" A dog. ", "a dog", True),
        ("a dog and a cat", "a dog", False),
        ("", "a dog", False),
        ("dog", "a dog", False),
    ],
)
def test_an_answer_is_right_to_the_letter(given: str, expected: str, hit: bool) -> None:
    assert right(given, expected) is hit


def test_every_true_caption_reads_as_its_scene() -> None:
    for seed in range(EVAL_SEEDS.start, EVAL_SEEDS.start + 400):
        scene = scene_at(seed)
        assert read(caption(scene).text) == shown(scene)


@pytest.mark.parametrize(
    ("said", "same"),
    [
        ("two dogs and a red ball on a beach", True),
        ("a red ball and two puppies on a beach.", True),
        ("a photo of two dogs and a red ball on a beach", True),
        ("three dogs and a red ball on a beach", False),
        ("two dogs and a blue ball on a beach", False),
        ("two dogs and a ball on a beach", False),
        ("two cats and a red ball on a beach", False),
        ("two dogs on a beach", False),
        ("two dogs, a red ball and a zebra on a beach", False),
        ("two dog and a red ball on a beach", False),
        ("two dogs and a red ball in the snow", False),
    ],
)
def test_captions_are_read_by_meaning(said: str, same: bool) -> None:
    assert (read(said) == read("two dogs and a red ball on a beach")) is same


def test_a_colour_that_goes_without_saying_may_be_said() -> None:
    assert read("a yellow banana in a room") == read("a banana in a room")
    assert read("a blue banana in a room") != read("a banana in a room")


def test_the_card_shows_every_figure(sheets: list[Asked]) -> None:
    made = report.report(Oracle(sheets), sheets, MODELS) | {"source": "fresh", "seed": 5}
    text = report_card.card(made)
    assert "Pocket OPT" in text
    assert "100.0%" in text
    for name in made["opt"]["by_type"]:
        assert f"| {name}" in text
