"""A visitor's conversation as a file: what is saved, and how a saved one is taken up again. It knows no gradio."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from blip2 import transcript, transcript_page
from blip2.chat import Conversation
from blip2.errors import BadInput

Form = Literal["json", "markdown", "html"]
TYPES: Mapping[Form, tuple[str, str]] = {
    "json": ("application/json", "json"),
    "markdown": ("text/markdown", "md"),
    "html": ("text/html", "html"),
}
LARGEST = 100_000_000  # bytes of a saved conversation: a picture of 40 million pixels as PNG, as text


@dataclass(frozen=True, slots=True)
class SavedFile:
    """A file for the browser to keep."""

    name: str
    type: str
    text: str

    def to_json(self) -> dict[str, str]:
        return {"name": self.name, "type": self.type, "text": self.text}


def save(conversation: Conversation, form: Form, now: datetime | None = None) -> SavedFile:
    """The conversation in one of the forms. Raises `BadInput` if it has no turns."""
    if not conversation.turns:
        raise BadInput("There is nothing to save yet; ask a question first.")
    now = now or datetime.now(UTC)
    kind, ending = TYPES[form]
    writers = {"json": transcript.to_json, "markdown": transcript.to_markdown, "html": transcript_page.to_html}
    name = f"conversation-{now:%Y-%m-%d-%H%M}.{ending}"
    return SavedFile(name, kind, writers[form](conversation, exported=now.isoformat(timespec="seconds")))


def read(path: str | Path, model: str) -> Conversation:
    """A saved conversation, to go on with `model`; its turns keep the models that answered them. Raises `BadInput`."""
    source = Path(path)
    if source.stat().st_size > LARGEST:
        raise BadInput(f"The file is larger than {LARGEST // 1_000_000} MB; a saved conversation is smaller.")
    return replace(transcript.from_json(source.read_bytes()), model=model)
