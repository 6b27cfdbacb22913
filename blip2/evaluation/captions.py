"""Caption metrics: BLEU, METEOR, ROUGE-L, CIDEr and, where asked for, SPICE, by pycocoevalcap's own scorers.

They are put together here and not by its `COCOEvalCap`, which fetches SPICE's parser from the network before it
computes anything. METEOR and SPICE are Java programs; without Java the other figures are computed and a note says so.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from blip2.errors import BadInput, ModelUnusable
from blip2.evaluation import ptb

NAMES = ("Bleu_1", "Bleu_2", "Bleu_3", "Bleu_4", "METEOR", "ROUGE_L", "CIDEr", "SPICE")
MISSING = "Caption scores need pycocoevalcap; run `pip install pycocoevalcap==1.2` (it is in the extra `eval`)."
NO_JAVA = "Java was not found: METEOR is left out, and captions are split by our own tokenizer instead of Stanford's."


@dataclass(frozen=True, slots=True)
class CaptionScores:
    """Figures as shares (CIDEr up to 10), the same of each picture, the tokenizer, and what a reader should know."""

    figures: dict[str, float]
    by_id: dict[str, dict[str, float]] = field(repr=False)
    tokenizer: str
    notes: tuple[str, ...] = ()


def score(
    captions: Mapping[str, str],
    references: Mapping[str, Sequence[str]],
    use_java: bool | None = None,
    with_spice: bool = False,
    with_meteor: bool = True,
) -> CaptionScores:
    """Score one caption a picture, by picture id, against its references.

    Document frequencies of CIDEr are those of exactly these pictures. `use_java` None takes Java where it is installed;
    METEOR needs it. Raises `BadInput` where a captioned picture has no references, `ModelUnusable` where a package is
    missing.
    """
    ids = list(captions)
    lacking = [id_ for id_ in ids if not references.get(id_)]
    if lacking:
        raise BadInput(f"{len(lacking)} captioned pictures have no references, the first being {lacking[0]!r}.")
    if not ids:
        raise BadInput("There are no captions to score; give a file with at least one.")
    if ptb.package() is None:
        raise ModelUnusable(MISSING)
    if use_java is None:
        use_java = ptb.java() is not None
    words, truths = _tokenized(ids, captions, references, use_java)
    figures: dict[str, float] = {}
    by_id: dict[str, dict[str, float]] = {id_: {} for id_ in ids}
    notes = [] if use_java else [NO_JAVA]
    for names, value, each in _run(words, truths, use_java and with_meteor, with_spice, notes):
        for name, total, single in zip(names, value, each, strict=True):
            figures[name] = float(total)
            for id_, one in zip(ids, single, strict=True):
                by_id[id_][name] = float(one)
    ordered = {name: figures[name] for name in NAMES if name in figures}
    return CaptionScores(ordered, by_id, "Stanford PTB" if use_java else "blip2.evaluation.ptb", tuple(notes))


def by_group(
    captions: Mapping[str, str],
    references: Mapping[str, Sequence[str]],
    groups: Mapping[str, str],
    use_java: bool | None = None,
    with_spice: bool = False,
) -> dict[str, dict[str, float]]:
    """Figures in percent of each group of pictures (`groups`: id to name) by itself, as NoCaps reports its domains;
    `n` is how many pictures it has."""
    made = {}
    for name in sorted(set(groups.values())):
        part = {id_: text for id_, text in captions.items() if groups.get(id_) == name}
        if part:
            found = score(part, references, use_java, with_spice)
            made[name] = {**as_percent(found.figures), "n": len(part)}
    return made


Tokens = dict[str, list[str]]


def _tokenized(
    ids: Sequence[str], captions: Mapping[str, str], references: Mapping[str, Sequence[str]], use_java: bool
) -> tuple[Tokens, Tokens]:
    """Tokenized in one go: a Java program takes longer to start than to split all captions of COCO."""
    flat = [captions[id_] for id_ in ids] + [text for id_ in ids for text in references[id_]]
    words = iter(ptb.tokenize(flat, use_java))
    said = {id_: [next(words)] for id_ in ids}
    return said, {id_: [next(words) for _ in references[id_]] for id_ in ids}


def _run(
    words: Tokens, truths: Tokens, with_meteor: bool, with_spice: bool, notes: list[str]
) -> list[tuple[tuple[str, ...], Sequence[float], Sequence[Sequence[float]]]]:
    """(names, figures, figures by picture) of each scorer."""
    from pycocoevalcap.bleu.bleu import Bleu
    from pycocoevalcap.cider.cider import Cider
    from pycocoevalcap.rouge.rouge import Rouge

    bleu, bleus = Bleu(4).compute_score(truths, words, verbose=0)
    rouge, rouges = Rouge().compute_score(truths, words)
    cider, ciders = Cider().compute_score(truths, words)
    made: list[tuple[tuple[str, ...], Sequence[float], Sequence[Sequence[float]]]] = [
        (NAMES[:4], bleu, bleus),
        (("ROUGE_L",), [rouge], [rouges]),
        (("CIDEr",), [cider], [ciders]),
    ]
    if with_meteor:
        value, each = _meteor(words, truths)
        made.append((("METEOR",), [value], [each]))
    if with_spice:
        found = _spice(words, truths, notes)
        made += [(("SPICE",), [found[0]], [found[1]])] if found else []
    return made


def _meteor(words: Tokens, truths: Tokens) -> tuple[float, list[float]]:
    from pycocoevalcap.meteor.meteor import Meteor

    try:
        value, each = Meteor().compute_score(truths, words)
    except (OSError, ValueError) as error:
        raise ModelUnusable(f"METEOR's Java program failed ({error}); try again with --no-java.") from error
    return float(value), [float(one) for one in each]


def _spice(words: Tokens, truths: Tokens, notes: list[str]) -> tuple[float, list[float]] | None:
    """SPICE, or None with a note: it fetches CoreNLP 3.6.0 at its first use, and needs a Java old enough to run it."""
    try:
        from pycocoevalcap.spice.spice import Spice

        value, each = Spice().compute_score(truths, words)
    except Exception as error:  # a download, a Java program and a cache on disk: each fails in its own way
        notes.append(f"SPICE could not be computed ({type(error).__name__}: {error}); the other figures stand.")
        return None
    return float(value), [float(one["All"]["f"]) for one in each]


def as_percent(figures: Mapping[str, Any]) -> dict[str, float]:
    """Figures as papers print them: times 100."""
    return {name: 100 * value for name, value in figures.items()}
