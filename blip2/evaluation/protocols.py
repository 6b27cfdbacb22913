"""How each evaluation is run: one row a task, source and family of model. Data; it knows no torch and no files.

`paper` is what the BLIP-2 paper states (arXiv 2301.12597v3, sections 4.1 to 4.4); `lavis` is what LAVIS's code does at
commit 506965b. What a source leaves open is taken from the other one, and `assumed` says so.
"""

from dataclasses import dataclass, fields
from typing import Any, Literal

from blip2.errors import BadSetting
from blip2.memory import Family
from blip2.values import Decoding

Name = Literal["paper", "lavis"]
Kind = Literal["vqa", "caption", "retrieval", "pocket"]
Metric = Literal["vqa official", "vqa lavis", "gqa", "captions", "recall", "exact"]
NAMES: tuple[Name, ...] = ("paper", "lavis")


@dataclass(frozen=True, slots=True)
class Protocol:
    """One row. `image_size` in pixels (0: the model's own); `prompt` has `{}` where the question goes.

    `blip_question` passes questions through LAVIS's processor; `prompt_tokens` cuts the prompt there, as LAVIS cuts
    OPT's; `k_test` texts or pictures by ITC are re-ranked by ITM, texts cut at `text_tokens`.
    """

    task: str
    name: Name
    family: Family
    kind: Kind
    metric: Metric
    split: str
    image_size: int = 0
    prompt: str = ""
    blip_question: bool = False
    prompt_tokens: int = 0
    decoding: Decoding | None = None
    lemmatiser: str = ""
    k_test: int = 0
    text_tokens: int = 0
    assumed: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        made = {each.name: getattr(self, each.name) for each in fields(self)}
        return made | {"decoding": self.decoding.to_json() if self.decoding else None, "assumed": list(self.assumed)}


SHORT, LONG = "Question: {} Short answer:", "Question: {} Answer:"
SPACY = "en_core_web_sm"
_ANSWER = Decoding(num_beams=5, max_new_tokens=10, length_penalty=-1.0)
_LENGTH = "The paper states no longest answer; 10 new tokens and LAVIS's question processor are taken from LAVIS."
_STAGES = "The paper states k = 128; the sum of ITM logit and ITC cosine, and 35 tokens of text, are LAVIS's."
_CAPTION = "The paper states beam search with 5 beams; lengths and penalties are those of LAVIS's first release."


def _vqa(task: str, split: str, metrics: tuple[Metric, Metric], lemmas: bool = False) -> list[Protocol]:
    """Both sources for both families: they differ for OPT in prompt, length penalty and cut, and in the metric."""
    common: dict[str, Any] = {"task": task, "kind": "vqa", "split": split, "image_size": 224, "blip_question": True}
    unstated = (_LENGTH, "The paper states no lemmatiser; LAVIS's own run used one.") if lemmas else (_LENGTH,)
    lavis = common | {"name": "lavis", "metric": metrics[1], "prompt": SHORT, "lemmatiser": SPACY if lemmas else ""}
    paper = common | {"name": "paper", "metric": metrics[0], "decoding": _ANSWER, "assumed": unstated}
    opt = Decoding(num_beams=5, max_new_tokens=10, length_penalty=0.0)
    borrowed = "LAVIS has no BLIP-2 settings for this data and this family; its nearest ones are taken."
    no_t5 = (borrowed,) if task in ("textvqa", "vizwiz") else ()
    no_opt = () if task == "vqav2" else (borrowed,)
    return [
        Protocol(family="opt", prompt=LONG, **paper),
        Protocol(family="t5", prompt=SHORT, **paper),
        Protocol(family="opt", decoding=opt, prompt_tokens=32, assumed=no_opt, **lavis),
        Protocol(family="t5", decoding=_ANSWER, assumed=no_t5, **lavis),
    ]


def _captions(task: str, split: str) -> list[Protocol]:
    decoding = Decoding(num_beams=5, max_new_tokens=30, min_new_tokens=7)
    config = ("The NoCaps settings were never released; those of COCO captions are taken.",) if task == "nocaps" else ()
    common: dict[str, Any] = {"task": task, "kind": "caption", "metric": "captions", "split": split}
    tuned = common | {"image_size": 364, "prompt": "a photo of"}
    made = [
        Protocol(name="paper", family=family, decoding=decoding, assumed=(_CAPTION, *config), **tuned)
        for family in _WRITERS
    ]
    for family in _WRITERS:
        # LAVIS counts OPT's start token in max_length; the task's defaults came in December 2023.
        if task == "nocaps":
            new = 80 if family == "t5" else 79
            head = Decoding(max_new_tokens=new, min_new_tokens=9, length_penalty=1.0, repetition_penalty=1.15)
            own = common | {"image_size": 224, "prompt": ""}
        else:
            new = 30 if family == "t5" else 29
            head = Decoding(max_new_tokens=new, min_new_tokens=7, length_penalty=0.0, repetition_penalty=1.15)
            own = tuned
        made.append(Protocol(name="lavis", family=family, decoding=head, **own))
    return made


def _retrieval(task: str, split: str) -> list[Protocol]:
    common: dict[str, Any] = {"task": task, "family": "itm", "kind": "retrieval", "metric": "recall", "split": split}
    common |= {"image_size": 364, "k_test": 128, "text_tokens": 35}
    return [Protocol(name="paper", assumed=(_STAGES,), **common), Protocol(name="lavis", **common)]


_WRITERS: tuple[Family, Family] = ("opt", "t5")
_POCKET = "The bundled models are not in the paper: the page's prompt and greedy search, as in their accuracy report."
VQA: tuple[Metric, Metric] = ("vqa official", "vqa lavis")
ROWS: tuple[Protocol, ...] = (
    *_vqa("vqav2", "val2014", VQA),
    *_vqa("okvqa", "val2014", VQA, lemmas=True),
    *_vqa("gqa", "testdev_balanced", ("gqa", "gqa")),
    *_vqa("textvqa", "val", VQA),
    *_vqa("vizwiz", "val", VQA),
    *_captions("coco-caption", "Karpathy test"),
    *_captions("nocaps", "val"),
    *_retrieval("coco-retrieval", "Karpathy test"),
    *_retrieval("flickr-retrieval", "Karpathy test"),
    *(
        Protocol(
            task="pocket",
            name=name,
            family=family,
            kind="pocket",
            metric="exact",
            split="fresh scenes",
            prompt="" if family == "itm" else LONG,
            decoding=None if family == "itm" else Decoding(method="greedy", max_new_tokens=64),
            assumed=(_POCKET,),
        )
        for name in NAMES
        for family in (*_WRITERS, "itm")
    ),
)
TASKS = tuple(dict.fromkeys(row.task for row in ROWS))
FAMILIES = {"opt": "OPT", "t5": "FlanT5", "itm": "matching"}


def find(task: str, name: str, family: Family) -> Protocol:
    """The row of a task, a source and a family of model. Raises `BadSetting` where the family cannot do the task."""
    rows = [row for row in ROWS if row.task == task]
    if not rows:
        raise BadSetting(f"The evaluation {task!r} is unknown; choose one of {', '.join(TASKS)}.")
    fit = [row for row in rows if row.family == family and row.name == name]
    if not fit:
        able = " or ".join(sorted({FAMILIES[row.family] for row in rows}, reverse=True))
        raise BadSetting(
            f"The evaluation {task} needs a model of the family {able}, not {FAMILIES.get(family, family)}."
        )
    return fit[0]


def differences(row: Protocol) -> list[str]:
    """How the paper's row and LAVIS's differ for this task and family, one sentence a setting."""
    paper, lavis = (find(row.task, name, row.family) for name in NAMES)
    made = []
    for each in fields(Protocol):
        mine, theirs = getattr(paper, each.name), getattr(lavis, each.name)
        if each.name in ("name", "assumed", "decoding") or mine == theirs:
            continue
        made.append(f"{each.name.replace('_', ' ')}: {mine!r} in the paper, {theirs!r} in LAVIS")
    if paper.decoding and lavis.decoding:
        for each in fields(Decoding):
            mine, theirs = getattr(paper.decoding, each.name), getattr(lavis.decoding, each.name)
            if mine != theirs:
                made.append(f"{each.name.replace('_', ' ')}: {mine!r} in the paper, {theirs!r} in LAVIS")
    return made
