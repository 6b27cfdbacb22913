"""The pocket models' tokenizer: byte-level, lower-case, and every taught word one token.

Any text encodes and decodes (bytes are the fallback). Words that are known - wordings of training, names, answers - are
whole tokens; anything else, a slip or a thing never taught, falls into pieces, which is how a model can tell.

    tokenizer = build("opt")                 # a tokenizers.Tokenizer; "t5" ends a text with </s>, "opt" begins with it
    save("opt", folder)                      # tokenizer.json and its configuration, for AutoTokenizer
    Encoder("opt")("what is this?")          # token ids, fast, for training

Both families share all ids but the special ones. Run `python -m blip2.pocket.tokenizer TEXT` to see the tokens.
"""

from __future__ import annotations

import random
import re
import sys
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import PreTrainedTokenizerFast

from blip2.pocket import captions, presence, properties, strays, surface
from blip2.pocket.facts import BECAUSE_LEARNT, plural_form
from blip2.pocket.kinds import CATEGORIES, CATEGORY_PLURALS, COLOURS, KINDS
from blip2.pocket.knowledge import CLASSES, FACTS, LOOKS, SYNONYMS
from blip2.pocket.unknowable import DONT_KNOW, HIDDEN, UNTAUGHT, made_up
from blip2.pocket.wordings import SEEN
from blip2.pocket.wordings_facts import FOLLOW, KNOWN, TALK
from blip2.pocket.world import BACKGROUNDS, SIZES

__all__ = ["IMAGE", "Encoder", "build", "save", "special_ids", "words"]

IMAGE = "<image>"
SPECIALS = {"opt": ("<s>", "<pad>", "</s>", "<unk>"), "t5": ("<pad>", "</s>", "<unk>", "<s>")}
MERGES = 420  # pieces of two or more bytes for words that are not taught
# A word keeps its apostrophe ("don't") but for "'s"; the prompt's two labels are one token each, with their colon.
PATTERN = r" ?(?:question|answer):|'s\b| ?\p{L}+(?:'(?!s\b)\p{L}+)*| ?\p{N}| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
_WORD = re.compile(r"[a-z]+(?:'(?!s\b)[a-z]+)*")


def _texts() -> Iterator[str]:
    """Every taught wording, name and answer."""
    for table in (SEEN, KNOWN, FOLLOW, TALK):
        for train, _ in table.values():
            yield from train
            yield from filter(None, map(plural_form, train))
    yield from HIDDEN["train"]
    for kind in KINDS:
        yield from (kind.name, kind.plural)
    for pairs in SYNONYMS.values():
        yield from (word for pair in pairs for word in pair)
    for rows in (*FACTS.values(), LOOKS, strays.REPLIES, presence.PLACE_EVIDENCE):
        yield from rows.values()
    yield from (*CATEGORIES, *CATEGORY_PLURALS.values(), *CLASSES, *COLOURS, *SIZES, DONT_KNOW, BECAUSE_LEARNT.text)
    yield from (*captions.NUMBERS, *captions.POSITIONS, *surface.WORDS, properties.NOTHING)
    for place in BACKGROUNDS:
        yield from (place.name, place.phrase, place.place)
    for relations in properties.RELATIONS.values():
        yield from relations
    yield "a photo of an the yes no day night indoors outdoors colour centre center corner side because it there is are"
    yield "i see picture show its babies drink no milk has wings learned sky dark light"


def words() -> list[str]:
    """The taught words, each once."""
    found = {word for text in _texts() for word in _WORD.findall(re.sub(r"\{\w+\}", " ", text.lower()))}
    return sorted(found)


def _starters() -> list[str]:
    """Words that may begin a prompt or an answer, which have no space before them."""
    answers = [answer for rows in (*FACTS.values(), LOOKS, strays.REPLIES) for answer in rows.values()]
    answers += [*captions.NUMBERS, *captions.POSITIONS, *SIZES, *COLOURS, *(place.place for place in BACKGROUNDS)]
    answers += [
        "a",
        "an",
        "the",
        "yes",
        "no",
        "because",
        "there",
        "i",
        "day",
        "night",
        "indoors",
        "outdoors",
        "nothing",
    ]
    return sorted({_WORD.findall(answer)[0] for answer in answers} | {"question:", "weather"})


def _pieces() -> list[str]:
    """Byte merges that help with words that are not taught, in the order learnt."""
    rng = random.Random(0)
    corpus = [f" {word}" for word in words()] * 3 + [f" {word}" for word in UNTAUGHT["train"]] * 3
    corpus += [f" {made_up(rng, 'train')}" for _ in range(3000)]
    corpus += [f" {surface.slip(word, rng)}" for word in words() for _ in range(3)]
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokenizer.train_from_iterator(
        corpus, trainers.BpeTrainer(vocab_size=256 + MERGES, initial_alphabet=alphabet, show_progress=False)
    )
    vocabulary = tokenizer.get_vocab()
    return sorted(vocabulary, key=lambda piece: vocabulary[piece])


def _merges(pieces: list[str]) -> list[tuple[str, str]]:
    """For each piece the pair of earlier pieces that make it up."""
    rank = {piece: at for at, piece in enumerate(pieces)}
    pairs = []
    for piece in pieces:
        if len(piece) > 1:
            cuts = [(piece[:cut], piece[cut:]) for cut in range(1, len(piece))]
            known = [pair for pair in cuts if pair[0] in rank and pair[1] in rank]
            pairs.append(min(known, key=lambda pair: max(rank[pair[0]], rank[pair[1]])))
    return pairs


@lru_cache(maxsize=2)
def build(family: str) -> Tokenizer:
    """The tokenizer of a family ("opt" or "t5"), made from the tables of the world: the same on every machine."""
    pieces = _pieces()
    space = "Ġ"  # byte-level for a space
    whole = [space + word for word in [*words(), "question:", "answer:"]] + [*_starters(), "'s"]
    names = [*SPECIALS[family], *dict.fromkeys([*pieces, *whole]), IMAGE]
    vocabulary = {name: number for number, name in enumerate(names)}
    # `ignore_merges`: a word of the vocabulary is one token even where no merges lead to it.
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=_merges(pieces), ignore_merges=True))
    tokenizer.normalizer = normalizers.Sequence([normalizers.Replace("’", "'"), normalizers.Lowercase()])
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(PATTERN), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    end = special_ids(family)["</s>"]
    single = "</s> $A" if family == "opt" else "$A </s>"
    pair = "</s> $A </s> $B" if family == "opt" else "$A </s> $B </s>"
    tokenizer.post_processor = processors.TemplateProcessing(single=single, pair=pair, special_tokens=[("</s>", end)])
    tokenizer.add_special_tokens([AddedToken(name, normalized=False) for name in (*SPECIALS[family], IMAGE)])
    return tokenizer


def special_ids(family: str) -> dict[str, int]:
    """The ids of the special tokens but the image's, which is the last of the vocabulary."""
    return {name: number for number, name in enumerate(SPECIALS[family])}


def save(family: str, folder: Path) -> None:
    """Write the tokenizer so that AutoTokenizer takes it as it is (another class would rebuild its parts)."""
    kind = {"bos_token": "</s>", "eos_token": "</s>"} if family == "opt" else {"eos_token": "</s>"}
    fast = PreTrainedTokenizerFast(
        tokenizer_object=build(family),
        pad_token="<pad>",
        unk_token="<unk>",
        padding_side="left" if family == "opt" else "right",
        model_max_length=512,
        clean_up_tokenization_spaces=False,
        **kind,
    )
    fast.save_pretrained(folder)


class Encoder:
    """Text to ids without special tokens, a word at a time from memory: for text with single spaces."""

    def __init__(self, family: str) -> None:
        self.tokenizer = build(family)
        self.known: dict[str, list[int]] = {}

    def __call__(self, text: str, space: bool = False) -> list[int]:
        """The ids of the text, which follows a space if `space` says so."""
        ids: list[int] = []
        for number, word in enumerate(text.split(" ")):
            key = " " + word if number or space else word
            found = self.known.get(key)
            if found is None:
                found = self.tokenizer.encode(key, add_special_tokens=False).ids
                if len(self.known) < 200_000:
                    self.known[key] = found
            ids += found
        return ids


if __name__ == "__main__":
    shown = build("opt")
    print(shown.get_vocab_size(), [shown.id_to_token(i) for i in shown.encode(" ".join(sys.argv[1:])).ids])
