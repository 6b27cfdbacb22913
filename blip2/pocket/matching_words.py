"""The vocabulary of the matching model: whole words of the world, letters for everything else, in BERT's manner.

words = vocabulary()                 # word -> id
matching_tokenizer()("Two dogs, on a beach!")     # [CLS] two dogs , on a beach ! [SEP]
"""

from __future__ import annotations

import re
import string
from functools import lru_cache

from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors
from transformers import PreTrainedTokenizerFast

from blip2.pocket.captions import NUMBERS, POSITIONS
from blip2.pocket.knowledge import SYNONYMS
from blip2.pocket.world import BACKGROUNDS, CATEGORIES, CATEGORY_PLURALS, COLOURS, KINDS, SIZES

SPECIALS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "[DEC]", "<image>")
_GLUE = (
    "a an the and or of to in on at under over above below by with is are was this that it there here no not "
    "left right top bottom middle center corner side next near beside i see photo picture image drawing scene some "
    "many several few colored lot grass sky sand water ocean snowy sunny dark day night inside outside"
)


@lru_cache(maxsize=1)
def vocabulary() -> dict[str, int]:
    """Word, letter or piece to id; the same on every machine."""
    letters = string.ascii_lowercase + string.digits
    rows: list[str] = [*SPECIALS, *string.punctuation, *letters, *(f"##{letter}" for letter in letters)]
    rows += [
        "##s",
        "##es",
        "##ing",
        "##ed",
        "##er",
        "##y",
        *NUMBERS,
        *COLOURS,
        "grey",
        *SIZES,
        "large",
        "little",
        "tiny",
    ]
    rows += [word for kind in KINDS for word in (kind.name, kind.plural)]
    rows += [word for pairs in SYNONYMS.values() for pair in pairs for name in pair for word in name.split()]
    rows += [*CATEGORIES, *CATEGORY_PLURALS.values()]
    rows += [word for row in BACKGROUNDS for word in (*row.phrase.split(), *row.place.split())]
    rows += [word for position in POSITIONS for word in position.split()] + _GLUE.split()
    return {word: index for index, word in enumerate(dict.fromkeys(rows))}


def strange_words(text: str) -> list[str]:
    """The words of a text that the matching model has never seen and has to spell, in order, each once."""
    known = vocabulary()
    endings = [piece[2:] for piece in known if piece.startswith("##") and len(piece) > 3] + ["s", "y"]

    def is_known(word: str) -> bool:
        return word in known or any(word.endswith(end) and word.removesuffix(end) in known for end in endings)

    return [word for word in dict.fromkeys(re.findall(r"[a-z]{2,}", text.lower())) if not is_known(word)]


def matching_tokenizer() -> PreTrainedTokenizerFast:
    """Lower-cases, splits like BERT, spells unknown words letter by letter; pads on the right, at most 60 tokens."""
    words = vocabulary()
    core = Tokenizer(models.WordPiece(words, unk_token="[UNK]", max_input_chars_per_word=40))
    core.normalizer = normalizers.BertNormalizer(lowercase=True)
    core.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    core.decoder = decoders.WordPiece()
    ends = [(mark, words[mark]) for mark in ("[CLS]", "[SEP]")]
    core.post_processor = processors.TemplateProcessing("[CLS] $A [SEP]", "[CLS] $A [SEP] $B [SEP]", ends)
    core.add_special_tokens(list(SPECIALS))
    return PreTrainedTokenizerFast(
        tokenizer_object=core,
        pad_token="[PAD]",
        unk_token="[UNK]",
        cls_token="[CLS]",
        sep_token="[SEP]",
        mask_token="[MASK]",
        bos_token="[DEC]",
        model_max_length=60,
        padding_side="right",
    )
