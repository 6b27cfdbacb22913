"""BLIP-2's published figures, row by row with their sources. Data: nothing here was measured by this project.

Figures are in percent, named as a run's `report.json` names them. `protocol` is the one whose settings should give the
figure; `note` says what else it needs. Rows without a zoo model are for comparison only.
"""

from collections.abc import Iterable
from dataclasses import dataclass

PAPER = "BLIP-2 paper (arXiv 2301.12597v3)"
LAVIS = "LAVIS yaml comments (commit 506965b)"


@dataclass(frozen=True, slots=True)
class Published:
    """One published figure of one zoo row."""

    model: str
    task: str
    figure: str
    value: float
    source: str
    protocol: str
    note: str = ""


OPT, OPT_67 = "blip2_opt/pretrain_opt2.7b", "blip2_opt/pretrain_opt6.7b"
OPT_COCO, OPT_67_COCO = "blip2_opt/caption_coco_opt2.7b", "blip2_opt/caption_coco_opt6.7b"
XL, XXL, XL_COCO = "blip2_t5/pretrain_flant5xl", "blip2_t5/pretrain_flant5xxl", "blip2_t5/caption_coco_flant5xl"
ITM_COCO = "blip2/coco"
_LEMMAS = "LAVIS's own run lemmatises answers (about 5 points); the paper does not say so"
_SERVER = "computed by the NoCaps server; the settings were never released"
_OLD = "numbers dropped with transformers 4.27 and later (LAVIS issue 500)"


def _zero_shot() -> Iterable[Published]:
    """Table 2: VQAv2 val, OK-VQA test, GQA test-dev, ViT-g."""
    table = {OPT: (53.5, 31.7, 34.6), OPT_67: (54.3, 36.4, 36.4), XL: (63.1, 40.7, 44.2), XXL: (65.2, 45.9, 44.7)}
    for model, (vqa, ok, gqa) in table.items():
        yield Published(model, "vqav2", "vqa_official", vqa, f"{PAPER}, table 2", "paper")
        yield Published(model, "okvqa", "vqa_official", ok, f"{PAPER}, table 2", _with_lemmas(model), _LEMMAS)
        yield Published(model, "gqa", "gqa", gqa, f"{PAPER}, table 2", "paper")


def _with_lemmas(model: str) -> str:
    """FlanT5's settings are the same in both but for the lemmatiser; OPT's own prompt with it is in neither."""
    return "lavis" if model in (XL, XXL) else "paper"


def _lavis_answers() -> Iterable[Published]:
    yield Published(OPT, "vqav2", "vqa_lavis", 51.88, LAVIS, "lavis", 'their comment: "different from paper"')
    yield Published(XL, "vqav2", "vqa_lavis", 63.13, LAVIS, "lavis")
    yield Published(XL, "okvqa", "vqa_lavis", 41.22, LAVIS, "lavis")
    yield Published(XL, "gqa", "gqa", 43.98, LAVIS, "lavis")


def _captions() -> Iterable[Published]:
    """Table 3: NoCaps validation (zero-shot) and COCO's Karpathy test split, after fine-tuning on COCO."""
    table = {
        OPT_COCO: (123.0, 117.8, 123.4, 119.7, 43.7, 145.8),
        OPT_67_COCO: (123.7, 119.2, 124.4, 121.0, 43.5, 145.2),
        XL_COCO: (123.7, 120.2, 124.8, 121.6, 42.4, 144.5),
    }
    spice = {
        OPT_COCO: (15.8, 15.4, 15.1, 15.4),
        OPT_67_COCO: (15.8, 15.3, 14.8, 15.3),
        XL_COCO: (16.3, 15.9, 15.1, 15.8),
    }
    domains = ("CIDEr in-domain", "CIDEr near-domain", "CIDEr out-domain", "CIDEr")
    for model, (*by_domain, bleu, cider) in table.items():
        source = f"{PAPER}, table 3"
        for figure, value in zip(domains, by_domain, strict=True):
            yield Published(model, "nocaps", figure, value, source, "paper", _SERVER)
        for figure, value in zip((name.replace("CIDEr", "SPICE") for name in domains), spice[model], strict=True):
            yield Published(model, "nocaps", figure, value, source, "paper", _SERVER)
        yield Published(model, "coco-caption", "Bleu_4", bleu, source, "paper", _OLD)
        yield Published(model, "coco-caption", "CIDEr", cider, source, "paper", _OLD)


def _captions_elsewhere() -> Iterable[Published]:
    """Figures of the released checkpoints, which are not quite the paper's; LAVIS's are of January 2023."""
    names = ("Bleu_1", "Bleu_2", "Bleu_3", "Bleu_4", "METEOR", "ROUGE_L", "CIDEr", "SPICE")
    first = f"{LAVIS}, of the first release"
    table = {
        OPT_COCO: ((83.2, 69.1, 55.6, 43.8, 31.7, 62.0, 146.1, 25.2), first),
        OPT_67_COCO: ((83.1, 68.9, 55.2, 43.4, 31.6, 61.8, 145.1, 25.1), first),
        XL_COCO: ((82.6, 68.2, 54.1, 41.9, 31.7, 61.6, 143.9, 25.7), "LAVIS issue 182, on the Hub checkpoint"),
    }
    for model, (values, source) in table.items():
        for figure, value in zip(names, values, strict=True):
            yield Published(model, "coco-caption", figure, value, source, "paper", _OLD)


def _others() -> Iterable[Published]:
    source, note = "mmpretrain model zoo (commit ee7f2e88)", "not tuned on COCO, yet with pictures of 364 pixels"
    yield Published(OPT, "vqav2", "vqa_official", 53.5, source, "paper")
    yield Published(OPT, "coco-caption", "Bleu_4", 32.90, source, "paper", note)
    yield Published(OPT, "coco-caption", "CIDEr", 111.10, source, "paper", note)


def _retrieval() -> Iterable[Published]:
    """Table 5, ViT-g; Flickr30k is zero-shot with the checkpoint tuned on COCO."""
    table = {
        "coco-retrieval": (85.4, 97.0, 98.5, 68.3, 87.7, 92.6),
        "flickr-retrieval": (97.6, 100.0, 100.0, 89.7, 98.1, 98.9),
    }
    names = ("txt_r1", "txt_r5", "txt_r10", "img_r1", "img_r5", "img_r10")
    for task, values in table.items():
        for figure, value in zip(names, values, strict=True):
            yield Published(ITM_COCO, task, figure, value, f"{PAPER}, table 5", "paper")


ROWS: tuple[Published, ...] = (
    *_zero_shot(),
    *_lavis_answers(),
    *_captions(),
    *_captions_elsewhere(),
    *_retrieval(),
    *_others(),
)
# Another system on the same data, to check the metrics with: VinVL-base, as the paper's table 3 lists it.
VINVL = {"Bleu_4": 38.2, "CIDEr": 129.3}


def of(model: str, task: str) -> list[Published]:
    """The published figures of a zoo row on a task."""
    return [row for row in ROWS if row.model == model and row.task == task]
