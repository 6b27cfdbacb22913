"""OpenAI's messages -> a picture, the past turns and a question, in the form the page uses. It opens no picture.

BLIP-2 looks at one picture, and a new one begins a new conversation: turns before it are left out, and the response
says so. A system text has no place in its prompt; it is refused, or put before the prompt where the settings say so.
"""

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from blip2.api.failures import Refusal
from blip2.api.fields import Text

NO_SYSTEM = (
    "BLIP-2 reads a picture and a prompt of questions and answers; it was not trained to follow a system text. "
    "Leave it out, or have the server started with --system-text prefix."
)
EARLIER = "The turns before the new picture were left out: a new picture begins a new conversation."


class ImageURL(BaseModel):
    """Where a picture is: a data URL, or an http(s) address where the server allows those."""

    model_config = ConfigDict(extra="ignore")
    url: Text = Field(examples=["data:image/png;base64,iVBORw0KGgo="])


class TextPart(BaseModel):
    model_config = ConfigDict(extra="ignore")
    type: Literal["text"]
    text: Text


class ImagePart(BaseModel):
    model_config = ConfigDict(extra="ignore")
    type: Literal["image_url"]
    image_url: ImageURL


Part = Annotated[TextPart | ImagePart, Field(discriminator="type")]


class Message(BaseModel):
    """A message: a text, or parts of text and pictures."""

    model_config = ConfigDict(extra="ignore")
    role: Literal["system", "developer", "user", "assistant", "tool", "function"]
    content: Text | list[Part] | None = None


@dataclass(frozen=True)
class Talk:
    """What the messages say. `picture` is a URL, `where` the field it stands in."""

    picture: str
    where: str
    past: tuple[tuple[str, str], ...]
    question: str
    prefix: str = ""
    notices: tuple[str, ...] = ()


def read(messages: list[Message], system_text: str) -> Talk:
    """Read the messages. Raises `Refusal` 400 with the message that is wrong and what to do."""
    prefix: list[str] = []
    pending: list[str] = []
    past: list[tuple[str, str]] = []
    picture, where, fresh, notices = "", "", False, []
    for index, message in enumerate(messages):
        spot = f"messages[{index}]"
        texts, urls = _parts(message, spot)
        if message.role in ("system", "developer"):
            if texts and system_text != "prefix":
                raise Refusal(400, NO_SYSTEM, f"{spot}.role", "system_text")
            prefix += texts
        elif message.role == "user":
            for url, place in urls:
                if picture and url != picture and fresh:
                    raise Refusal(400, "BLIP-2 looks at one picture at a time; send one in a question.", place)
                if picture and url != picture and past:
                    past, notices = [], [EARLIER]
                picture, where, fresh = url, place, True
            pending += texts
        elif message.role == "assistant":
            past.append((" ".join(pending), " ".join(texts)))
            pending, fresh = [], False
        else:
            raise Refusal(400, f"BLIP-2 uses no tools; leave out messages of role {message.role}.", f"{spot}.role")
    if not messages or messages[-1].role != "user":
        raise Refusal(400, "The last message must be the user's question.", "messages", "no_question")
    if not picture:
        raise Refusal(
            400, "There is no picture; send one as an image_url part of a user message.", "messages", "no_picture"
        )
    turns = tuple(pair for pair in past if pair[0].strip())
    return Talk(picture, where, turns, "\n".join(pending), " ".join(prefix), tuple(notices))


def _parts(message: Message, spot: str) -> tuple[list[str], list[tuple[str, str]]]:
    """A message's texts, and its pictures with the fields they stand in."""
    if isinstance(message.content, str):
        return [message.content] if message.content else [], []
    texts, urls = [], []
    parts: list[Any] = message.content or []
    for number, part in enumerate(parts):
        if isinstance(part, TextPart):
            texts += [part.text] if part.text else []
        else:
            urls.append((part.image_url.url, f"{spot}.content[{number}].image_url.url"))
    if urls and message.role != "user":
        raise Refusal(400, "Pictures belong in a user message.", urls[0][1])
    return texts, urls
