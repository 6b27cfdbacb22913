"""What people call the settings of an answer: the page's labels, and the names that sentences give them everywhere."""

LABELS = {
    "num_beams": "Beams",
    "max_new_tokens": "At most new tokens",
    "min_new_tokens": "At least new tokens",
    "length_penalty": "Length penalty",
    "repetition_penalty": "Repetition penalty",
    "temperature": "Temperature",
    "top_p": "Top-p",
    "seed": "Seed",
    "captions": "Captions each",
}
LENGTH = f"{LABELS['length_penalty']} (above 0: longer)"  # as fields are labelled, with a hint
REPETITION = f"{LABELS['repetition_penalty']} (1: none)"


def named(name: str) -> str:
    """A setting as a sentence names it: the page's label, with the name of programs and flags in brackets."""
    return f"“{LABELS[name]}” ({name})" if name in LABELS else name
