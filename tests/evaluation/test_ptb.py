"""Splitting captions without Java, and beside Stanford's tokenizer where there is one."""

import json
from pathlib import Path

import pytest

from blip2.errors import ModelUnusable
from blip2.evaluation import ptb

needs_java = pytest.mark.skipif(ptb.java() is None, reason="NOT CHECKED beside Stanford's tokenizer: there is no Java")
CAPTIONS = [
    "A man's t-shirt, and the dog's ball!",
    "It doesn't move; they're asleep (I can't see).",
    'At 12:43, a sign reads "STOP".',
    "Two U.S. flags on a black-and-white photo...",
    "You cannot tell what's 1/2 of 1,000.",
    "A cat -- very small -- sits on a mat.",
]


@pytest.mark.parametrize(
    ("caption", "words"),
    [
        (CAPTIONS[0], "a man 's t-shirt and the dog 's ball"),
        (CAPTIONS[1], "it does n't move they 're asleep -lrb- i ca n't see -rrb-"),
        (CAPTIONS[2], "at 12:43 a sign reads stop"),
        (CAPTIONS[4], "you can not tell what 's 1/2 of 1,000"),
        ("", ""),
    ],
)
def test_our_own_rules(caption: str, words: str) -> None:
    assert ptb.plain(caption) == words


@needs_java
def test_stanford_agrees_and_keeps_lines_apart() -> None:
    odd = ["", "two\nlines", *CAPTIONS]
    assert ptb.tokenize(odd, use_java=True) == [ptb.plain(caption) for caption in odd]


def test_asking_for_java_where_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ptb, "java", lambda: None)
    assert ptb.tokenize(["A dog."]) == ["a dog"]
    with pytest.raises(ModelUnusable, match="Java was not found"):
        ptb.tokenize(["A dog."], use_java=True)


@needs_java
def test_of_25010_captions_nine_differ(anchors: Path) -> None:
    rows = json.loads((anchors / "caption_anchor" / "coco_karpathy_test_gt.json").read_text())["annotations"]
    captions = [row["caption"] for row in rows]
    mine, theirs = ptb.tokenize(captions, use_java=False), ptb.tokenize(captions, use_java=True)
    assert len(captions) == 25_010
    assert sum(one != other for one, other in zip(mine, theirs, strict=True)) == 9
