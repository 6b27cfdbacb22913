"""Votes for the tests: sides and verdicts in short."""

from dataclasses import replace

from blip2.values import Decoding
from blip2.votes import Side, Verdict, Vote, VoteBook

OPT = Side("opt", "opt-source", "r1", "float32", Decoding(), 0, "chat", "Question: what? Answer:", "a dog", 2, 0.5, 0.9)
T5 = replace(OPT, model="t5", source="t5-source", answer="a cat")
BIG = replace(OPT, model="big", source="big-source", answer="a cow")


def a_vote(
    verdict: Verdict = "left",
    left: Side = OPT,
    right: Side = T5,
    *,
    blind: bool = False,
    swapped: bool = False,
    visitor: str = "ann",
    question: str = "what?",
) -> Vote:
    return Vote(question, "d" * 64, left, right, verdict, blind, swapped, visitor)


def cast(book: VoteBook, *verdicts: Verdict, left: Side = OPT, right: Side = T5) -> None:
    for verdict in verdicts:
        book.cast(a_vote(verdict, left, right))
