"""What to ask next, from the last question and answer; plain rules that know no model and no page."""

import re
from collections.abc import Sequence

from blip2.chat import Turn

ANIMAL = re.compile(r"\banimals?\b", re.IGNORECASE)
LEANING = 2  # of the questions offered, those that lean on the last answer
ANYWHERE = ("What is in the picture?", "Where is this?", "How many things are there?")
THING = re.compile(r"^(a|an|the|one)\s", re.IGNORECASE)


def follow_ups(last: Turn) -> tuple[str, ...]:
    """Questions that lean on the last turn; none where it has no answer to lean on."""
    question, answer = last.question.lower(), last.answer.strip().lower()
    if not answer:
        return ()
    if answer.startswith("because"):
        return ("What else is in the picture?",)
    if THING.match(answer):
        about_animal = ("What does it eat?",) if ANIMAL.search(question) else ()
        return (*about_animal, "Where is it?", "What colour is it?", "Why?")
    return ("Why?", "What else is in the picture?")


def offered(turns: Sequence[Turn], own: Sequence[str]) -> list[str]:
    """Questions to offer, less those asked already: what leans on the last answer, then the picture's `own`."""
    asked = {turn.question for turn in turns}
    leaning = follow_ups(turns[-1])[:LEANING] if turns else ()
    return [text for text in dict.fromkeys((*leaning, *own)) if text not in asked]
