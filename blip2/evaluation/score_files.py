"""Scoring what any system made, from files and without a model: captions, answers to questions, retrieval.

Predictions may be a result file of the task's usual form, a mapping from ids, or the `predictions.jsonl` of a run.
A reference without a prediction counts as wrong, and is counted, unless only what was answered is to be scored.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from blip2.errors import BadInput
from blip2.evaluation import captions, files, journal, question_files, recall, vqa
from blip2.evaluation.caption_files import Captioned, captioned
from blip2.evaluation.scores import Value, means

CAPTION_KEYS, ANSWER_KEYS = ("image_id", "id"), ("question_id", "id", "questionId", "image")
KINDS = ("by kind of answer", "by kind of question")


@dataclass(frozen=True, slots=True)
class FileScores:
    """`figures` in percent, tables as in a report, how much was missing, and each example's values."""

    n: int
    missing: int
    figures: dict[str, float]
    tables: dict[str, dict[str, dict[str, float]]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    values: dict[str, dict[str, Value]] = field(default_factory=dict, repr=False)

    def to_json(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in ("n", "missing", "figures", "tables")} | {
            "notes": list(self.notes)
        }


def score_captions(
    predictions: Path, references: Path, use_java: bool | None = None, with_spice: bool = False, partial: bool = False
) -> FileScores:
    """Caption figures; those of each domain too, where the references give domains."""
    said = read_predictions(predictions, CAPTION_KEYS, ("caption", "answer"))
    rows = _references(references)
    truths = {row.id: row.captions for row in rows}
    said, missing = matched(said, list(truths), predictions, partial)
    found = captions.score(said, truths, use_java, with_spice)
    domains = {row.id: row.group for row in rows if row.group and row.id in said}
    tables = {"by domain": captions.by_group(said, truths, domains, use_java, with_spice)} if domains else {}
    notes = (f"Captions were split by {found.tokenizer}.", *found.notes)
    values: dict[str, dict[str, Value]] = {id_: dict(each) for id_, each in found.by_id.items()}
    return FileScores(len(said), missing, captions.as_percent(found.figures), tables, notes, values)


def score_answers(
    predictions: Path,
    references: Path,
    questions: Path | None = None,
    form: vqa.Form = "official",
    partial: bool = False,
) -> FileScores:
    """VQA accuracy in both forms, `accuracy` the one asked for; GQA's exact match where the references are GQA's."""
    said = read_predictions(predictions, ANSWER_KEYS, ("answer", "prediction"))
    truths = _truths(references, questions)
    said, missing = matched(said, list(truths), predictions, partial)
    measures: dict[str, Callable[[str, Sequence[str]], float]]
    if any(truth.get("gqa") for truth in truths.values()):
        measures = {"accuracy": _exact}
    else:
        measures = {
            "accuracy": vqa.scorer(form),
            "vqa_official": vqa.scorer("official"),
            "vqa_lavis": vqa.scorer("lavis"),
        }
    values: dict[str, dict[str, Value]] = {
        id_: {name: measure(given, truths[id_]["answers"]) for name, measure in measures.items()}
        for id_, given in said.items()
    }
    tables = {}
    for title, key in zip(KINDS, ("answer_type", "type"), strict=True):
        groups: dict[str, list[str]] = {}
        for id_ in values:
            groups.setdefault(truths[id_].get(key) or "", []).append(id_)
        if any(groups):
            tables[title] = {
                name or "(none)": means({id_: values[id_] for id_ in ids}) | {"n": len(ids)}
                for name, ids in sorted(groups.items(), key=lambda each: -len(each[1]))
            }
    return FileScores(len(said), missing, means(values), tables, (), values)


def score_retrieval(predictions: Path, references: Path) -> FileScores:
    """Recall both ways, from score matrices (`.npz` with `i2t` [images, texts] and `t2i` [texts, images]; `.json` with
    the same keys) or from rankings (`.json`, `i2t` and `t2i` mapping places to lists of places, best first)."""
    pairs = _pairs(references)
    by_image, by_text = _both(predictions)
    images, texts = len(pairs.texts_of), len(pairs.image_of)
    right_images = [(image,) for image in pairs.image_of]
    text_ranks = _ranks(by_image, pairs.texts_of, (images, texts), predictions, "i2t")
    image_ranks = _ranks(by_text, right_images, (texts, images), predictions, "t2i")
    return FileScores(images + texts, 0, recall.figures(text_ranks, image_ranks))


def read_predictions(path: Path, ids: Sequence[str], texts: Sequence[str]) -> dict[str, str]:
    """Predictions by id, from a list of records, a mapping, or a run's rows. Raises `BadInput`."""
    rows: Any = list(journal.read(path)) if path.suffix == ".jsonl" else files.read(path)
    if isinstance(rows, dict):
        if all(isinstance(value, str) for value in rows.values()):
            return dict(rows)
        rows = next((value for value in rows.values() if isinstance(value, list)), None)
    if not isinstance(rows, list):
        raise BadInput(f"The file {path} holds no predictions: a list of records or a mapping from ids is wanted.")
    made: dict[str, str] = {}
    for number, row in enumerate(rows):
        id_ = next((row[key] for key in ids if key in row), None) if isinstance(row, dict) else None
        text = "" if isinstance(row, dict) and "error" in row else None
        text = text if text is not None or id_ is None else next((row[key] for key in texts if key in row), None)
        if id_ is None or text is None:
            raise BadInput(f"Entry {number} of {path} needs {' or '.join(ids[:1])} and {' or '.join(texts[:1])}.")
        if str(id_) in made:
            raise BadInput(f"The file {path} has two predictions for {id_}; keep one.")
        made[str(id_)] = str(text)
    return made


def matched(said: Mapping[str, str], wanted: Sequence[str], path: Path, partial: bool) -> tuple[dict[str, str], int]:
    """The predictions in the order of the references, empty for what is missing (left out if `partial`); how many."""
    known = set(wanted)
    strangers = [id_ for id_ in said if id_ not in known]
    if strangers:
        raise BadInput(
            f"{len(strangers)} predictions of {path} are of nothing in the references, the first being "
            f"{strangers[0]!r}; check that both files are of the same data."
        )
    missing = len(known) - len(said)
    if partial:
        return {id_: said[id_] for id_ in wanted if id_ in said}, missing
    return {id_: said.get(id_, "") for id_ in wanted}, missing


def card(made: FileScores) -> str:
    """The figures for a terminal."""
    lines = [f"{made.n} scored, {made.missing} without a prediction"]
    lines += [f"{name:22} {value:7.2f}" for name, value in made.figures.items()]
    for title, groups in made.tables.items():
        lines += ["", title]
        for group, each in groups.items():
            name = next(iter(each))
            lines.append(f"  {group:30} {each[name]:7.2f} {name}, {each['n']:.0f}")
    return "\n".join([*lines, *(f"note: {text}" for text in made.notes)])


def _exact(given: str, right: Sequence[str]) -> float:
    return vqa.exact(given, right[0])


def _references(path: Path) -> list[Captioned]:
    """Captions of any known form, or a mapping from ids to lists of captions."""
    rows = files.read(path)
    plain = isinstance(rows, dict) and rows and all(isinstance(value, list) for value in rows.values())
    if plain and all(isinstance(text, str) for value in rows.values() for text in value):
        return [Captioned(str(id_), "", tuple(value)) for id_, value in rows.items()]
    return captioned(path)


def _truths(path: Path, questions: Path | None) -> dict[str, dict[str, Any]]:
    """Answers by question id, from VQAv2's form, GQA's, TextVQA's or VizWiz's."""
    rows = files.read(path)
    if isinstance(rows, dict) and "annotations" in rows:
        return (
            {row["id"]: row for row in question_files.pair(questions, path)}
            if questions
            else question_files.truths_of(path)
        )
    if isinstance(rows, dict) and "data" in rows:
        return {str(row["question_id"]): {"answers": tuple(row["answers"])} for row in rows["data"]}
    if isinstance(rows, list) and rows and isinstance(rows[0], dict) and "answers" in rows[0]:
        return {
            str(row["image"]): {
                "answers": tuple(one["answer"] for one in row["answers"]),
                "type": row.get("answer_type", ""),
            }
            for row in rows
        }
    if isinstance(rows, dict) and rows and all(isinstance(row, dict) and "answer" in row for row in rows.values()):
        kinds = {id_: str((row.get("types") or {}).get("structural", "")) for id_, row in rows.items()}
        return {id_: {"answers": (str(row["answer"]),), "type": kinds[id_], "gqa": True} for id_, row in rows.items()}
    raise BadInput(f"The file {path} holds no answers of a known form (VQAv2, GQA, TextVQA or VizWiz).")


def _pairs(path: Path) -> recall.Pairs:
    """From `img2txt` (a list of lists), `txt2img` (a list), or a caption file, texts numbered in its order."""
    rows = files.read(path)
    try:
        if isinstance(rows, dict) and "img2txt" in rows:
            return recall.Pairs.of(rows["img2txt"])
        if isinstance(rows, dict) and "txt2img" in rows:
            owner = [int(image) for image in rows["txt2img"]]
            count = max(owner, default=-1) + 1
            return recall.Pairs.of([[text for text, own in enumerate(owner) if own == image] for image in range(count)])
    except (TypeError, ValueError, KeyError) as error:
        raise BadInput(f"The file {path} does not say which texts belong to which pictures ({error}).") from error
    made, at = [], 0
    for row in captioned(path):
        made.append(range(at, at + len(row.captions)))
        at += len(row.captions)
    return recall.Pairs.of(made)


def _both(path: Path) -> tuple[Any, Any]:
    """`i2t` and `t2i` of a file; `t2i` is the transpose of `i2t` where the file leaves it out."""
    try:
        held: Any = np.load(path, allow_pickle=False) if path.suffix == ".npz" else json.loads(path.read_text("utf-8"))
        by_image = held["i2t"]
        by_text = held["t2i"] if "t2i" in held else np.asarray(by_image, float).T
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BadInput(f"The file {path} holds no `i2t` and `t2i` scores or rankings ({error}).") from error
    return by_image, by_text


def _ranks(given: Any, right: Sequence[Sequence[int]], shape: tuple[int, int], path: Path, name: str) -> recall.Array:
    """Ranks from a matrix of this shape, or from a mapping of rankings."""
    if isinstance(given, dict):
        made = []
        for query, own in enumerate(right):
            order = [int(place) for place in given.get(str(query), ())]
            made.append(next((at for at, place in enumerate(order) if place in own), recall.MISSED))
        return np.array(made, np.int64)
    matrix = np.asarray(given)
    if matrix.shape != shape:
        raise BadInput(f"The scores {name} of {path} have the shape {matrix.shape}; the references need {shape}.")
    return recall.ranks(matrix, right)
