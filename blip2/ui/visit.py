"""The values of the chat page: what is kept of a visitor, what a visitor has chosen, and what is to be shown next.

Frozen, and without gradio: the actions make them, the tab shows them.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from blip2.chat import Conversation
from blip2.errors import BadImage, BadSetting, Blip2Error
from blip2.labels import named
from blip2.prompts import Mode
from blip2.values import Decoding, Picture

LOG = logging.getLogger(__name__)
CRASHED = "Something in the program failed; nothing is lost, and the log of the server says what it was. Try again."
Seen = Picture | BadImage | None  # what is in the picture frame


@dataclass(frozen=True, slots=True)
class Visit:
    """All that the page keeps of a visitor. `running` is the id of the request being answered, or empty.

    `foreign` says that the picture is none of the pocket models' drawn scenes.
    """

    conversation: Conversation = field(default_factory=lambda: Conversation(""))
    running: str = ""
    foreign: bool = False


@dataclass(frozen=True, slots=True)
class Notice:
    """A sentence beside the conversation; `failed` makes it look like a failure."""

    text: str = ""
    failed: bool = False


QUIET = Notice()


def told(error: Exception) -> str:
    """What is said of whatever went wrong; what nobody foresaw becomes one calm sentence, and goes to the log."""
    if isinstance(error, Blip2Error):
        return str(error)
    LOG.error("A request from the page failed.", exc_info=error)
    return CRASHED


@dataclass(frozen=True, slots=True)
class Step:
    """What the page must show next; None leaves a part as it is. `text` goes into the question box."""

    visit: Visit | None = None
    busy: bool | None = None
    text: str | None = None
    notice: Notice | None = None


@dataclass(frozen=True, slots=True)
class Choice:
    """The model and settings that the visitor has chosen, unchecked; `decoding` holds Decoding's fields by name."""

    model: str
    decoding: Mapping[str, object] = field(default_factory=dict)
    seed: object = 0
    raw: bool = False


def chosen(conversation: Conversation, choice: Choice) -> Conversation:
    """The conversation with the visitor's model and settings. Raises `BadSetting` with the setting that is wrong."""
    values = {name: _number(name, value) for name, value in choice.decoding.items()}
    mode: Mode = "raw" if choice.raw else "chat"
    seed = _number("seed", choice.seed)
    if not isinstance(seed, int):
        raise BadSetting(f"The seed is {choice.seed!r}; it must be a whole number.")
    return replace(conversation, model=choice.model, decoding=Decoding.from_json(values), seed=seed, mode=mode)


def _number(name: str, value: object) -> object:
    """A page gives 5.0 for 5, and None for an emptied field."""
    if value is None:
        raise BadSetting(f"The setting {named(name)} is empty; give it a number, or reset the settings.")
    return int(value) if isinstance(value, float) and value.is_integer() else value
