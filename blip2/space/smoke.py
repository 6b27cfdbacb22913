"""The smoke test of a Space: it is alive, and answers the Spacefile's question with one of the words expected."""

import base64
import json
import mimetypes
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from blip2.errors import SpaceUnusable
from blip2.space.spacefile import Smoke

ALIVE = "/healthz"
ASK = "/v1/chat/completions"
PAUSE = 2.0  # seconds between two tries
NOT_YET = (404, 502, 503, 504)  # what a Space's proxy says until the app behind it answers
TOKENS = 30


@dataclass(frozen=True, slots=True)
class Tried:
    """The question, the app's answer, and the seconds that answer took."""

    question: str
    answer: str
    seconds: float

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def try_out(
    url: str,
    smoke: Smoke,
    folder: Path,
    token: str = "",
    sleep: Callable[[float], object] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> Tried:
    """Wait until the app at `url` is alive, then ask it. `token` lets into a private Space.

    Raises `SpaceUnusable` where it is not alive in time, refuses, or answers something else.
    """
    end = clock() + smoke.seconds
    while True:
        status, _ = _request(url + ALIVE, None, token, smoke.seconds)
        if status == 200:
            break
        if status not in (0, *NOT_YET):
            raise SpaceUnusable(f"The app at {url} answered {ALIVE} with status {status}; see the Space's log.")
        if clock() >= end:
            raise SpaceUnusable(f"The app at {url} was not alive within {smoke.seconds} s; see the Space's log.")
        sleep(PAUSE)
    begun = clock()
    status, body = _request(url + ASK, _question(smoke, folder), token, smoke.seconds)
    took = clock() - begun
    if status != 200:
        why = _message(body)
        raise SpaceUnusable(f"The smoke test's question was answered with status {status or 'none'}{why}.")
    answer = _answer(body)
    if not any(each.lower() in answer.lower() for each in smoke.answers):
        raise SpaceUnusable(
            f"The smoke test asked {smoke.question!r} and got {answer!r}, which has none of {', '.join(smoke.answers)}."
        )
    return Tried(smoke.question, answer, round(took, 3))


def _question(smoke: Smoke, folder: Path) -> dict[str, Any]:
    path = folder / smoke.picture
    kind = mimetypes.guess_type(path.name)[0] or "image/jpeg"
    picture = f"data:{kind};base64,{base64.b64encode(path.read_bytes()).decode('ascii')}"
    parts = [{"type": "text", "text": smoke.question}, {"type": "image_url", "image_url": {"url": picture}}]
    asked: dict[str, Any] = {"messages": [{"role": "user", "content": parts}], "max_tokens": TOKENS}
    return asked | ({"model": smoke.model} if smoke.model else {})


def _request(url: str, data: dict[str, Any] | None, token: str, seconds: float) -> tuple[int, bytes]:
    """Status and body; status 0 where nobody answered."""
    headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
    body = None if data is None else json.dumps(data).encode()
    request = urllib.request.Request(url, body, headers)
    try:
        with urllib.request.urlopen(request, timeout=seconds) as response:
            return int(response.status), response.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()
    except (OSError, ValueError):
        return 0, b""


def _answer(body: bytes) -> str:
    try:
        return str(json.loads(body)["choices"][0]["message"]["content"])
    except (ValueError, LookupError, TypeError) as error:
        raise SpaceUnusable("The smoke test's question was answered with something that is no answer.") from error


def _message(body: bytes) -> str:
    """What an error of the API says, in brackets."""
    try:
        return f" ({str(json.loads(body)['error']['message']).rstrip('.')})"
    except (ValueError, LookupError, TypeError):
        return ""
