"""From a run's rows to its figures: totals in percent, tables by type, and what each example scored.

What was not answered because its picture or prompt could not be used counts as wrong.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from blip2.evaluation import captions, lemmas, vqa
from blip2.evaluation.examples import Example
from blip2.evaluation.protocols import Protocol
from blip2.evaluation.retrieval_scores import score_pairs
from blip2.evaluation.scores import Scores, Value, mean, means, table

Row = Mapping[str, Any]


def score(
    protocol: Protocol,
    examples: Sequence[Example],
    rows: Mapping[str, Row],
    use_java: bool | None = None,
    with_spice: bool = False,
) -> Scores:
    """Score the rows of these examples, which all must have one. The last two are for captions."""
    if protocol.kind == "caption":
        return _captions(examples, rows, use_java, with_spice)
    if protocol.kind == "retrieval":
        return score_pairs(examples, rows)
    if protocol.kind == "pocket":
        return _pocket(protocol, examples, rows)
    return _answers(protocol, examples, rows)


def _answers(protocol: Protocol, examples: Sequence[Example], rows: Mapping[str, Row]) -> Scores:
    measures: dict[str, Callable[[str, Sequence[str]], float]]
    if protocol.metric == "gqa":
        measures = {"gqa": lambda given, truths: vqa.exact(given, truths[0]), "to_the_letter": _letter}
        headline = "gqa"
    else:
        measures = {"vqa_official": vqa.scorer("official"), "vqa_lavis": vqa.scorer("lavis")}
        headline = "vqa_lavis" if protocol.metric == "vqa lavis" else "vqa_official"
    notes: tuple[str, ...] = ()
    tidy: Callable[[str], str] = str
    if protocol.lemmatiser:
        if lemmas.installed():
            tidy = lemmas.lemmatiser()
        else:
            notes = (lemmas.HINT,)
    values: dict[str, dict[str, Value]] = {}
    for example in examples:
        row = rows[example.id]
        given = None if "error" in row else tidy(str(row["answer"]))
        values[example.id] = {
            name: 0.0 if given is None else measure(given, example.references) for name, measure in measures.items()
        }
    return _scores(examples, rows, values, headline, notes)


def _pocket(protocol: Protocol, examples: Sequence[Example], rows: Mapping[str, Row]) -> Scores:
    if protocol.family == "itm":
        return _sentences(examples, rows)
    from blip2.evaluation.pocket_task import is_right

    values: dict[str, dict[str, Value]] = {
        example.id: {"exact": float("error" not in rows[example.id] and is_right(example, rows[example.id]["answer"]))}
        for example in examples
    }
    return _scores(examples, rows, values, "exact")


def _sentences(examples: Sequence[Example], rows: Mapping[str, Row]) -> Scores:
    """Each sentence is judged by itself: true above one half."""
    values: dict[str, dict[str, Value]] = {}
    sure: list[tuple[float, float]] = []
    for example in examples:
        row = rows[example.id]
        chances = row.get("itm", ())
        hits = [(chance >= 0.5) == true for chance, (_, true) in zip(chances, example.texts, strict=False)]
        true = [chance for chance, (_, is_true) in zip(chances, example.texts, strict=False) if is_true]
        false = [chance for chance, (_, is_true) in zip(chances, example.texts, strict=False) if not is_true]
        first = bool(true and false) and min(true) > max(false)
        values[example.id] = {"itm": (float(sum(hits)), len(example.texts)), "true_first": float(first)}
        sure += [(chance, float(is_true)) for chance, (_, is_true) in zip(chances, example.texts, strict=False)]
    tables = {"by swapped word": table(examples, values, lambda example: example.type)}
    return Scores(means(values), "itm", tables, values, tuple(sure), "a match (ITM)")


def _captions(examples: Sequence[Example], rows: Mapping[str, Row], use_java: bool | None, with_spice: bool) -> Scores:
    said = {example.id: str(rows[example.id].get("answer", "")) for example in examples}
    truths = {example.id: example.references for example in examples}
    found = captions.score(said, truths, use_java, with_spice)
    figures = captions.as_percent(found.figures)
    tables = {}
    domains = {example.id: example.type for example in examples if example.type}
    if domains:
        groups = captions.by_group(said, truths, domains, use_java, with_spice)
        tables["by domain"] = groups
        figures |= {
            f"{name} {group}": each[name]
            for group, each in groups.items()
            for name in ("CIDEr", "SPICE")
            if name in each
        }
    values: dict[str, dict[str, Value]] = {id_: dict(each) for id_, each in found.by_id.items()}
    sure = tuple(
        (float(rows[example.id]["confidence"]), min(1.0, found.by_id[example.id]["ROUGE_L"]))
        for example in examples
        if "error" not in rows[example.id]
    )
    notes = (f"Captions were split by {found.tokenizer}.", *found.notes)
    return Scores(figures, "CIDEr", tables, values, sure, "the caption (right as far as ROUGE-L)", notes)


def _scores(
    examples: Sequence[Example],
    rows: Mapping[str, Row],
    values: dict[str, dict[str, Value]],
    headline: str,
    notes: tuple[str, ...] = (),
) -> Scores:
    tables = {}
    if any(example.answer_type for example in examples):
        tables["by kind of answer"] = table(examples, values, lambda example: example.answer_type)
    if any(example.type for example in examples):
        tables["by kind of question"] = table(examples, values, lambda example: example.type)
    sure = tuple(
        (float(rows[example.id]["confidence"]), mean(values[example.id][headline]))
        for example in examples
        if "error" not in rows[example.id]
    )
    return Scores(means(values), headline, tables, values, sure, notes=notes)


def _letter(given: str, truths: Sequence[str]) -> float:
    return float(given.strip() == truths[0])
