"""API keys: a file with a line `name:sha256` for each, so that whoever reads the file cannot use them.

A key is 32 random bytes, so a plain hash of it cannot be guessed backwards. The file is read again when it changes: a
line taken out shuts its key out at once. `python -m blip2 key NAME` makes one.
"""

import hashlib
import hmac
import logging
import re
import secrets
import threading
from dataclasses import dataclass
from pathlib import Path

from blip2.errors import BadSetting

PREFIX = "blip2-"
NAME = re.compile(r"[\w.@-]{1,64}")
HASH = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Holder:
    """Who a key belongs to, and the requests a minute of that key where it has a limit of its own."""

    name: str
    rate: int | None = None


def make_key(name: str, rate: int | None = None) -> tuple[str, str]:
    """A new key and its line for the file. Raises `BadSetting` for a name the file cannot hold."""
    if not NAME.fullmatch(name):
        raise BadSetting(f"The key's name {name!r} may have letters, digits and . _ @ - only, 64 at most.")
    if rate is not None and rate < 1:
        raise BadSetting(f"The rate {rate} must be at least 1 request a minute.")
    key = PREFIX + secrets.token_urlsafe(32)
    line = f"{name}:{digest(key)}" + ("" if rate is None else f":{rate}")
    return key, line


def digest(key: str) -> str:
    return hashlib.sha256(key.encode("utf-8", "replace")).hexdigest()


def read_keys(path: Path) -> dict[str, Holder]:
    """Hash -> holder. Raises `BadSetting` with the line that is wrong; blank lines and `#` lines are passed over."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise BadSetting(f"The file of API keys {str(path)!r} cannot be read: {error}.") from error
    found: dict[str, Holder] = {}
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        name, _, rest = line.strip().partition(":")
        hashed, _, rate = rest.partition(":")
        if not NAME.fullmatch(name) or not HASH.fullmatch(hashed) or not re.fullmatch(r"([1-9]\d{0,8})?", rate):
            raise BadSetting(
                f"Line {number} of the file of API keys {str(path)!r} is not of the form name:sha256 or "
                "name:sha256:requests-a-minute; make one with the command `key`."
            )
        found[hashed] = Holder(name, int(rate) if rate else None)
    if not found:
        raise BadSetting(f"The file of API keys {str(path)!r} holds no key; make one with the command `key`.")
    return found


class KeyFile:
    """The keys of a file, as it is now. A change that cannot be read leaves the keys as they were."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._stamp = self._now()
        self._keys = read_keys(path)

    def holder(self, key: str) -> Holder | None:
        """Whose `key` is, or None. Takes the same time whichever key is nearly right."""
        self._reread()
        wanted, found = digest(key), None
        for hashed, holder in self._keys.items():
            if hmac.compare_digest(hashed, wanted):
                found = holder
        return found

    def _reread(self) -> None:
        with self._lock:
            stamp = self._now()
            if stamp == self._stamp or stamp is None:
                return
            self._stamp = stamp
            try:
                self._keys = read_keys(self._path)
            except BadSetting as error:
                # Half-written by an editor, most likely: the next change is read again.
                logging.getLogger("blip2.api").warning("%s The keys read before still hold.", error)

    def _now(self) -> tuple[int, int] | None:
        try:
            status = self._path.stat()
        except OSError:
            return None
        return status.st_mtime_ns, status.st_size
