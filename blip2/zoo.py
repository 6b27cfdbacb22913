"""The models: LAVIS's nine BLIP-2 rows and the three bundled ones, as data. Any folder or Hub id is accepted too.

It knows no torch and opens no weights. `python -m blip2 zoo` prints `table()`.
"""

import difflib
import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from blip2.errors import UnknownModel
from blip2.memory import Dtype, Family, Parts, by_dtype, gigabytes, parts_in

ROOT = Path(__file__).resolve().parents[1]
HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[\w.-]+")


@dataclass(frozen=True, slots=True)
class Row:
    """One model. `hub` or `folder` says where its checkpoint is; `family` None is read from the checkpoint at load.

    `image_size` in pixels a side (0 = read at load), `dtype` the one advised on a GPU, `parts` its parameters.
    """

    name: str
    type: str
    family: Family | None
    hub: str = ""
    folder: Path | None = None
    image_size: int = 0
    prompt: str = ""
    dtype: Dtype | None = None
    parts: Parts | None = field(default=None, repr=False)
    title: str = ""
    pocket: bool = False

    @property
    def key(self) -> str:
        """The name requests use: `blip2_opt/pretrain_opt2.7b`, or the folder or Hub id of an ad-hoc row."""
        return f"{self.name}/{self.type}" if self.type else self.name

    @property
    def memory(self) -> dict[Dtype, int]:
        """Bytes of the weights by dtype; empty where the size is not known."""
        parts = self.counted()
        return by_dtype(parts, self.family) if parts and self.family else {}

    def counted(self) -> Parts | None:
        """The parameters, those of a bundled row read from its file; None where they are not known."""
        return parts_in(self.folder / "model.safetensors") if self.pocket and self.folder else self.parts

    def to_json(self) -> dict[str, Any]:
        parts = self.counted()
        return {
            "name": self.name,
            "type": self.type,
            "model": self.key,
            "family": self.family,
            "hub": self.hub,
            "folder": self.folder.relative_to(ROOT).as_posix()
            if self.pocket and self.folder
            else str(self.folder or ""),
            "image_size": self.image_size,
            "prompt": self.prompt,
            "dtype": self.dtype,
            "parameters": parts.total if parts else None,
            "memory_bytes": self.memory,
            "bundled": self.pocket,
        }


# Counted on transformers' classes built from the checkpoints' configurations; 364 pixels need a longer position table.
VIT_224, VIT_364, QFORMER, QFORMER_TEXT = 985_952_256, 986_543_616, 105_162_240, 185_684_736
OPT_27 = (2_516_582_400, 0, 135_096_320)
OPT_67 = (6_442_450_944, 0, 216_154_112)
T5_XL = (2_214_592_512, 503_316_480, 66_050_048)
T5_XXL = (8_858_370_048, 2_013_265_920, 132_100_096)
POCKET_SIZE = 112  # pixels a side
TO_27, TO_67, TO_XL, TO_XXL, TO_ITM = 1_968_640, 3_149_824, 1_574_912, 3_149_824, 395_266


def _lavis(
    name: str, type_: str, family: Family, hub: str, projection: int, language: tuple[int, int, int] | None = None
) -> Row:
    """A row of LAVIS's zoo: caption rows were tuned on COCO at 364 pixels, with the prompt "a photo of"."""
    tuned = type_.startswith("caption") or type_ == "coco"
    vision = (VIT_364 if tuned else VIT_224) + projection
    parts = Parts(vision, QFORMER, *language) if language else Parts(vision, QFORMER_TEXT)
    return Row(
        name=name,
        type=type_,
        family=family,
        hub=f"Salesforce/{hub}",
        image_size=364 if tuned else 224,
        prompt="a photo of" if type_.startswith("caption") else "",
        dtype="bfloat16" if family == "t5" else "float16",
        parts=parts,
        title=hub.replace("blip2-", "BLIP-2 ", 1),
    )


def _pocket(name: str, type_: str, family: Family, folder: str, title: str) -> Row:
    place = ROOT / "assets" / "pocket" / folder
    return Row(name, type_, family, folder=place, image_size=POCKET_SIZE, dtype="float32", title=title, pocket=True)


ROWS: tuple[Row, ...] = (
    _lavis("blip2_opt", "pretrain_opt2.7b", "opt", "blip2-opt-2.7b", TO_27, OPT_27),
    _lavis("blip2_opt", "caption_coco_opt2.7b", "opt", "blip2-opt-2.7b-coco", TO_27, OPT_27),
    _lavis("blip2_opt", "pretrain_opt6.7b", "opt", "blip2-opt-6.7b", TO_67, OPT_67),
    _lavis("blip2_opt", "caption_coco_opt6.7b", "opt", "blip2-opt-6.7b-coco", TO_67, OPT_67),
    _lavis("blip2_t5", "pretrain_flant5xl", "t5", "blip2-flan-t5-xl", TO_XL, T5_XL),
    _lavis("blip2_t5", "caption_coco_flant5xl", "t5", "blip2-flan-t5-xl-coco", TO_XL, T5_XL),
    _lavis("blip2_t5", "pretrain_flant5xxl", "t5", "blip2-flan-t5-xxl", TO_XXL, T5_XXL),
    _lavis("blip2", "pretrain", "itm", "blip2-itm-vit-g", TO_ITM),
    _lavis("blip2", "coco", "itm", "blip2-itm-vit-g-coco", TO_ITM),
    _pocket("blip2_opt", "pocket_opt", "opt", "pocket_opt", "Pocket OPT"),
    _pocket("blip2_t5", "pocket_flant5", "t5", "pocket_flant5", "Pocket FlanT5"),
    _pocket("blip2", "pocket", "itm", "pocket_itm", "Pocket matching"),
)
NAMES = {"blip2_feature_extractor": "blip2", "blip2_image_text_matching": "blip2"}  # LAVIS's other names
TYPES = {"pretrained": "pretrain"}  # what LAVIS's docstrings call it


def find(name: str, model_type: str | None = None) -> Row:
    """The row of a name and type, `name/type`, a type that only one row has, a Hub id or a folder.

    A folder or Hub id that is no row's becomes a row of its own. Raises `UnknownModel` with the nearest names.
    """
    if model_type is None:
        return _find(str(name))
    row = _known(f"{name}/{model_type}")
    if row is not None:
        return row
    if Path(model_type).is_dir() or _known(model_type) or (HUB_ID.fullmatch(model_type) and not _is_name(model_type)):
        return _find(model_type)
    raise UnknownModel(_unknown(f"{name}/{model_type}"))


def _find(text: str) -> Row:
    text = text.strip()
    row = _known(text)
    if row is not None:
        return row
    if text and Path(text).is_dir():
        return _from_folder(Path(text), text)
    if HUB_ID.fullmatch(text) and not _is_name(text):
        return Row(name=text, type="", family=None, hub=text, title=text.split("/")[-1])
    raise UnknownModel(_unknown(text))


def _is_name(text: str) -> bool:
    """Whether the part before the slash is a LAVIS name: then the type is misspelt, and it is no Hub id."""
    first = text.split("/")[0]
    return first in NAMES or any(first == row.name for row in ROWS)


def _known(text: str) -> Row | None:
    first, _, second = text.partition("/")
    key = f"{NAMES.get(first, first)}/{TYPES.get(second, second)}"
    by_type = [row for row in ROWS if row.type == TYPES.get(text, text)]
    exact = [row for row in ROWS if key == row.key or text == (row.hub or row.key)]
    found = exact or (by_type if len(by_type) == 1 else [])
    return found[0] if found else None


def _from_folder(folder: Path, text: str) -> Row:
    """A row for a folder; what is wrong with the folder is said when it is loaded."""
    for row in ROWS:
        if row.folder is not None and folder.resolve() == row.folder.resolve():
            return row
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        size = int(config["vision_config"]["image_size"])
        family = family_of(config)
    except (OSError, ValueError, KeyError, TypeError):
        size, family = 0, None
    return Row(name=text, type="", family=family, folder=folder, image_size=size, title=folder.resolve().name)


def family_of(config: dict[str, Any]) -> Family | None:
    """The family a BLIP-2 config.json declares: its class, then its language model; None where it is neither."""
    if config.get("model_type") != "blip-2":
        return None
    if "Blip2ForImageTextRetrieval" in (config.get("architectures") or ()):
        return "itm"
    kinds: dict[str, Family] = {"opt": "opt", "t5": "t5"}
    return kinds.get((config.get("text_config") or {}).get("model_type", "opt"))


def _unknown(text: str) -> str:
    choices = {word: row.key for row in ROWS for word in (row.key, row.type, row.hub) if word}
    near = dict.fromkeys(choices[word] for word in difflib.get_close_matches(text, choices, n=4, cutoff=0.5))
    meant = f" Did you mean {' or '.join(near)}?" if near else ""
    return (
        f"There is no model {text!r}.{meant} Give a row of the zoo (python -m blip2 zoo lists them), a folder with a "
        "BLIP-2 checkpoint, or a Hub id such as Salesforce/blip2-opt-2.7b."
    )


def table() -> str:
    """The zoo as a Markdown table; memory is that of the weights, in GB."""
    head = ("Model", "Checkpoint", "Picture", "Prompt", "Parameters", "float32", "16 bits", "int8", "nf4", "Advised")
    lines = [head, tuple("---" if name in ("Model", "Checkpoint", "Prompt", "Advised") else "--:" for name in head)]
    for row in ROWS:
        memory = {dtype: gigabytes(size) for dtype, size in row.memory.items()}
        sixteen = memory.get("float16" if row.family != "t5" else "bfloat16", "")
        total = parts.total if (parts := row.counted()) else 0
        parameters = f"{total / 1e9:.2f} B" if total > 1e8 else f"{total / 1e6:.2f} M" if total else ""
        lines.append(
            (
                f"`{row.key}`",
                row.hub or "bundled",
                f"{row.image_size} px",
                "–" if row.family == "itm" else f'"{row.prompt}"',
                parameters,
                memory.get("float32", ""),
                sixteen,
                memory.get("int8", "–" if memory else ""),
                memory.get("nf4", "–" if memory else ""),
                row.dtype or "",
            )
        )
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def to_json() -> list[dict[str, Any]]:
    """The rows for `python -m blip2 zoo --json`; memory in bytes."""
    return [row.to_json() for row in ROWS]
