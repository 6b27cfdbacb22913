"""Caption metrics against written-out ones on small data, and against published scores."""

import json
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from blip2.errors import BadInput, ModelUnusable
from blip2.evaluation import captions, ptb

needs_java = pytest.mark.skipif(ptb.java() is None, reason="NOT CHECKED with METEOR: there is no Java")
SAID = {"1": "a dog on a beach", "2": "two cats sleep", "3": "a red ball and a blue ball"}
TRUE = {
    "1": ["a brown dog on the beach", "a dog runs on a sandy beach"],
    "2": ["two cats sleep on a bed", "cats", "a pair of cats asleep"],
    "3": ["a red ball beside a blue ball", "two balls"],
}


def grams(text: str, n: int) -> Counter[tuple[str, ...]]:
    words = text.split()
    return Counter(tuple(words[at : at + n]) for at in range(len(words) - n + 1))


def slow_bleu(said: Mapping[str, str], true: Mapping[str, Sequence[str]], most: int) -> float:
    """Papineni et al. 2002 over the whole corpus, the closest reference length, shorter on a tie."""
    long = sum(len(text.split()) for text in said.values())
    wanted = sum(
        min((abs(len(r.split()) - len(said[id_].split())), len(r.split())) for r in refs)[1]
        for id_, refs in true.items()
    )
    logs = 0.0
    for n in range(1, most + 1):
        hits, total = 0, 0
        for id_, text in said.items():
            mine = grams(text, n)
            best: Counter[tuple[str, ...]] = Counter()
            for reference in true[id_]:
                best |= grams(reference, n)
            hits += sum((mine & best).values())
            total += sum(mine.values())
        logs += math.log(hits / total)
    return math.exp(logs / most) * (1.0 if long >= wanted else math.exp(1 - wanted / long))


def slow_rouge(said: str, references: Sequence[str]) -> float:
    """Longest common subsequence by trying every subsequence of the caption; beta 1.2."""
    words = said.split()

    def common(other: list[str]) -> int:
        best = 0
        for mask in range(1 << len(words)):
            kept = [word for at, word in enumerate(words) if mask >> at & 1]
            rest = iter(other)
            if all(word in rest for word in kept):
                best = max(best, len(kept))
        return best

    lengths = [(common(r.split()), len(r.split())) for r in references]
    precision = max(hit / len(words) for hit, _ in lengths)
    recall = max(hit / n for hit, n in lengths)
    return 0.0 if not precision or not recall else (1 + 1.44) * precision * recall / (recall + 1.44 * precision)


def slow_cider(id_: str, said: Mapping[str, str], true: Mapping[str, Sequence[str]]) -> float:
    """CIDEr-D (Vedantam et al. 2015): clipped TF-IDF cosine with a penalty of length, the mean over n, times ten."""
    total = 0.0
    for n in range(1, 5):
        frequency = Counter(gram for refs in true.values() for gram in set().union(*(grams(r, n) for r in refs)))

        def vector(
            text: str, n: int = n, frequency: Counter[tuple[str, ...]] = frequency
        ) -> dict[tuple[str, ...], float]:
            return {g: c * (math.log(len(true)) - math.log(max(1, frequency[g]))) for g, c in grams(text, n).items()}

        mine = vector(said[id_])
        for reference in true[id_]:
            other = vector(reference)
            dot = sum(min(weight, other.get(gram, 0.0)) * other.get(gram, 0.0) for gram, weight in mine.items())
            norms = math.sqrt(sum(w * w for w in mine.values())) * math.sqrt(sum(w * w for w in other.values()))
            gap = len(said[id_].split()) - len(reference.split())
            total += (dot / norms if norms else 0.0) * math.exp(-(gap**2) / 72) / len(true[id_])
    return 10 * total / 4


def test_the_scorers_equal_their_definitions() -> None:
    found = captions.score(SAID, TRUE, use_java=False)
    for n in (1, 2):  # no three words in a row are right in all of them
        assert found.figures[f"Bleu_{n}"] == pytest.approx(slow_bleu(SAID, TRUE, n), abs=1e-6)
    rouge = {id_: slow_rouge(SAID[id_], TRUE[id_]) for id_ in SAID}
    cider = {id_: slow_cider(id_, SAID, TRUE) for id_ in SAID}
    for id_ in SAID:
        assert found.by_id[id_]["ROUGE_L"] == pytest.approx(rouge[id_])
        assert found.by_id[id_]["CIDEr"] == pytest.approx(cider[id_])
    assert found.figures["ROUGE_L"] == pytest.approx(sum(rouge.values()) / 3)
    assert found.figures["CIDEr"] == pytest.approx(sum(cider.values()) / 3)
    assert min(cider.values()) > 0.5


def test_without_java_the_rest_is_scored_and_said() -> None:
    found = captions.score(SAID, TRUE, use_java=False)
    assert "METEOR" not in found.figures
    assert "CIDEr" in found.figures
    assert any("METEOR is left out" in note for note in found.notes)


def test_groups_are_scored_by_themselves() -> None:
    groups = captions.by_group(SAID, TRUE, {"1": "near", "2": "near", "3": "out"}, use_java=False)
    assert groups["near"]["n"] == 2
    near = {id_: SAID[id_] for id_ in ("1", "2")}
    alone = captions.score(near, TRUE, use_java=False).figures["CIDEr"]
    assert groups["near"]["CIDEr"] == pytest.approx(100 * alone)


def test_what_cannot_be_scored() -> None:
    with pytest.raises(BadInput, match="no references"):
        captions.score({"9": "a dog"}, TRUE, use_java=False)
    with pytest.raises(BadInput, match="no captions"):
        captions.score({}, TRUE, use_java=False)


def test_without_the_package_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ptb, "package", lambda: None)
    with pytest.raises(ModelUnusable, match="pip install pycocoevalcap"):
        captions.score(SAID, TRUE)


@needs_java
def test_clipscore_example(anchors: Path) -> None:
    folder = anchors / "caption_anchor"
    true = json.loads((folder / "refs.json").read_text())
    good, bad = (
        captions.score(json.loads((folder / f"{name}_captions.json").read_text()), true, with_meteor=False).figures
        for name in ("good", "bad")
    )
    names = ("Bleu_1", "Bleu_2", "Bleu_3", "ROUGE_L", "CIDEr")
    assert [round(good[name], 4) for name in names] == [0.6667, 0.4899, 0.3469, 0.4280, 0.5637]
    assert (round(bad["Bleu_1"], 4), round(bad["CIDEr"], 4)) == (0.4815, 0.2790)


@needs_java
def test_nlg_eval_example(anchors: Path) -> None:
    folder = anchors / "caption_anchor"
    lines = [(folder / f"{name}.txt").read_text().splitlines() for name in ("hyp", "ref1", "ref2")]
    said = {str(at): text for at, text in enumerate(lines[0])}
    true = {str(at): [lines[1][at], lines[2][at]] for at in range(len(lines[0]))}
    found = captions.score(said, true).figures
    expected = (0.55, 0.428174, 0.284043, 0.201143, 0.295797, 0.522104, 1.242192)
    assert [round(found[name], 6) for name in captions.NAMES[:7]] == list(expected)


@needs_java
def test_vinvl_on_the_karpathy_test_split(anchors: Path) -> None:
    """The row of VinVL in the BLIP-2 paper's table 3: B@4 38.2, CIDEr 129.3."""
    folder = anchors / "caption_anchor"
    true: dict[str, list[str]] = {}
    for row in json.loads((folder / "coco_karpathy_test_gt.json").read_text())["annotations"]:
        true.setdefault(str(row["image_id"]), []).append(row["caption"])
    rows = json.loads((folder / "vinvl_base_karpathy_test_results.json").read_text())
    found = captions.score({str(row["image_id"]): row["caption"] for row in rows}, true, with_meteor=False).figures
    expected = json.loads((folder / "vinvl_expected.json").read_text())["reproduced_pycocoevalcap_1.2_java17"]
    assert {name: round(value, 5) for name, value in found.items()} == {name: expected[name] for name in found}
    assert (round(100 * found["Bleu_4"], 2), round(100 * found["CIDEr"], 2)) == (38.18, 129.26)
