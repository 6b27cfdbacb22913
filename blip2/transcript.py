"""A conversation as a file: JSON that can be read back (and replayed by `blip2.replay`), and Markdown for people.

The JSON holds what repeating every answer needs: model, source, revision, dtype, decoding, seed, the exact prompt, the
picture's digest and, unless left out, its pixels as PNG. Reading checks all of it, the digest included. The module
knows no models; it asks no clock, so the caller says when the export was made.
"""

import base64
import binascii
import io
import json
import math
import re
from dataclasses import fields
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import blip2
from blip2.chat import Conversation, Turn
from blip2.errors import BadInput, BadSetting
from blip2.images import open_picture
from blip2.prompts import Mode
from blip2.values import Decoding, Finish, Picture, Token, Usage

FORMAT = "blip2-studio conversation"
VERSION = 1
PNG = "data:image/png;base64,"
PACKAGES = ("torch", "transformers", "tokenizers", "pillow")
SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~!&])")  # what Markdown would read as markup


def to_json(conversation: Conversation, *, exported: str, embed: bool = True) -> str:
    """The conversation as JSON. `exported` is the caller's timestamp; `embed` puts the picture's pixels into it."""
    picture = conversation.picture
    data = {
        "format": FORMAT,
        "version": VERSION,
        "exported": exported,
        "versions": _versions(),
        "picture": None if picture is None else _picture_json(picture, embed),
        "model": conversation.model,
        "decoding": conversation.decoding.to_json(),
        "seed": conversation.seed,
        "mode": conversation.mode,
        "turns": [turn.to_json() for turn in conversation.turns],
    }
    return json.dumps(data, ensure_ascii=False, indent=1) + "\n"


def to_markdown(conversation: Conversation, *, exported: str) -> str:
    """The conversation for reading: questions and answers, and under each what produced it."""
    picture = conversation.picture
    lines = [f"# Conversation about {_plain(picture.name or 'a picture') if picture else 'no picture'}", ""]
    if picture:
        width, height = picture.size
        lines += [f"Picture: {width} x {height} pixels, SHA-256 `{picture.digest}`.  "]
    lines += [f"Exported {_plain(exported)} by BLIP-2 Studio {blip2.__version__}.", ""]
    for number, turn in enumerate(conversation.turns, 1):
        fence = "`" * max(3, 1 + max((len(run) for run in re.findall("`+", turn.prompt)), default=0))
        decoding = json.dumps(turn.decoding.to_json(), ensure_ascii=False)
        model = " ".join(filter(None, (turn.model, turn.source, turn.revision, turn.dtype)))
        lines += [
            f"## {number}. {_plain(turn.question) or '(no text)'}",
            "",
            _plain(turn.answer) or "*(nothing)*",
            "",
            f"- Model: {_plain(model)}",
            f"- Ended: {turn.finish or 'unfinished'}; confidence {turn.confidence:.2f}; "
            f"{turn.usage.new_tokens} tokens in {turn.usage.total:.2f} s",
            f"- Decoding: {_plain(decoding)}; seed {turn.seed}",
            f"- Prompt, {turn.prompt_tokens} tokens, {turn.dropped} earlier turns left out:",
            "",
            fence,
            turn.prompt,
            fence,
            "",
        ]
    return "\n".join(lines)


def from_json(text: str | bytes, picture: Picture | None = None) -> Conversation:
    """Read an exported conversation. Raises `BadInput` with a sentence for anything else.

    `picture` is needed where the file does not hold the pixels; its digest must be the recorded one.
    """
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        raise BadInput(
            "This file is no exported conversation: it is not JSON. Choose a file that was exported."
        ) from None
    if not isinstance(data, dict) or data.get("format") != FORMAT:
        raise BadInput("This file is JSON, but no exported conversation; choose a file that was exported.")
    if data.get("version") != VERSION:
        raise BadInput(f"This conversation has format version {data.get('version')!r}; {VERSION} can be read.")
    try:
        turns = tuple(_turn(item) for item in _of(list, data["turns"]))
        return Conversation(
            model=_of(str, data["model"]),
            picture=_picture(data["picture"], picture, bool(turns)),
            turns=turns,
            decoding=_decoding(data["decoding"]),
            seed=_of(int, data["seed"]),
            mode=_mode(data["mode"]),
        )
    except KeyError as error:
        raise BadInput(
            f"The exported conversation lacks {error}; it was changed or cut short. Export it again."
        ) from None
    except (TypeError, ValueError, BadSetting) as error:
        raise BadInput(f"The exported conversation was changed and cannot be read: {error}") from None


def _versions() -> dict[str, str]:
    found = {"blip2": blip2.__version__}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def _picture_json(picture: Picture, embed: bool) -> dict[str, Any]:
    width, height = picture.size
    data: dict[str, Any] = {"name": picture.name, "digest": picture.digest, "width": width, "height": height}
    if embed:
        stream = io.BytesIO()
        picture.image.save(stream, "PNG")
        data["png"] = PNG + base64.b64encode(stream.getvalue()).decode()
    return data


def _picture(data: Any, given: Picture | None, needed: bool) -> Picture | None:
    """The given picture or the embedded one, checked against the recorded digest."""
    if data is None:
        if needed:
            raise ValueError("it has turns but names no picture.")
        return given
    name, digest = _of(str, _of(dict, data)["name"]), _of(str, data["digest"])
    if given is None and "png" not in data:
        raise BadInput(
            f"The file does not hold its picture, {name or 'a picture without a name'}; give the picture too."
        )
    if given is not None:
        if given.digest != digest:
            raise BadInput(
                f"The conversation is about another one, {name or 'one without a name'} (digest {digest[:12]}…), "
                f"and the one given has {given.digest[:12]}…. Give the first one, unchanged."
            )
        return given
    try:
        pixels = base64.b64decode(_of(str, data["png"]).removeprefix(PNG), validate=True)
    except binascii.Error:
        raise ValueError("the picture in it is damaged.") from None
    found = open_picture(pixels, name)
    if found.digest != digest:
        raise ValueError("the picture in it is not the one it was about.")
    return found


def _turn(data: Any) -> Turn:
    data = dict(_of(dict, data))
    unknown = set(data) - ({each.name for each in fields(Turn)} - {"waiting"})
    if unknown:
        raise ValueError(f"a turn holds {', '.join(sorted(unknown))}, which is unknown.")
    for name in ("question", "answer", "prompt", "model", "source", "revision", "dtype", "notice"):
        _of(str, data[name])
    for name in ("prompt_tokens", "dropped", "seed"):
        _of(int, data[name])
    finish = data["finish"]
    return Turn(
        **data
        | {
            "decoding": _decoding(data["decoding"]),
            "mode": _mode(data["mode"]),
            "finish": None if finish is None else Finish(finish),
            "usage": _usage(_of(dict, data["usage"])),
            "confidence": _number(data["confidence"]),
            "tokens": tuple(
                Token(_of(str, item["text"]), _number(item["logprob"])) for item in _of(list, data["tokens"])
            ),
        }
    )


def _decoding(data: Any) -> Decoding:
    for text in _of(list, _of(dict, data).get("stop", [])):
        _of(str, text)
    return Decoding.from_json(data)


def _usage(data: dict[str, Any]) -> Usage:
    counts: dict[str, Any] = {name: _of(int, data[name]) for name in ("image_tokens", "prompt_tokens", "new_tokens")}
    times = {name: _number(data[name]) for name in ("queued", "first_token", "total")}
    return Usage(**counts | times, image_cached=data["image_cached"] is True)


def _number(value: Any) -> float:
    number = float(_of((int, float), value))
    if not math.isfinite(number):
        raise ValueError(f"{number} is no number that belongs there.")
    return number


def _mode(value: Any) -> Mode:
    if value == "chat" or value == "raw":
        return "chat" if value == "chat" else "raw"
    raise ValueError(f"the mode {value!r} is unknown.")


def _of(kind: Any, value: Any) -> Any:
    """`value`, if it is of the kind (a type or a tuple of types)."""
    if not isinstance(value, kind) or isinstance(value, bool):
        raise TypeError(f"{str(value)[:40]!r} is not of the kind that belongs there.")
    return value


def _plain(text: str) -> str:
    return SPECIAL.sub(r"\\\1", " ".join(text.split()))
