"""What to ask next, from the last question and answer; plain rules that know no model and no page."""

import re

from blip2.chat import Turn

ANIMAL = re.compile(r"\banimals?\b", re.IGNORECASE)
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
