"""Who may sign in to the page: a file with a line `name:scrypt$…` for each person, so that it gives no password away.

`python -m blip2 password NAME` makes a line. The work that one check costs is the point of scrypt: guessing is slow. It
knows no page.
"""

import base64
import binascii
import hashlib
import hmac
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from blip2.errors import BadSetting

NAME = re.compile(r"[\w.@-]{1,64}")
KIND = "scrypt"
COST, BLOCK, LANES = 2**14, 8, 1  # 16 MB and some 50 ms a check
SALT, LENGTH = 16, 32  # bytes
SHORTEST = 8  # characters of a password
REMEDY = "make one with `python -m blip2 password NAME --file FILE`"


@dataclass(frozen=True, slots=True)
class Secret:
    """A password's salt and hash."""

    salt: bytes
    digest: bytes

    def fits(self, password: str) -> bool:
        """Whether it is this password; takes the same time either way."""
        return hmac.compare_digest(_hashed(password, self.salt), self.digest)


NOBODY = Secret(b"\0" * SALT, b"\0" * LENGTH)  # checked for unknown names, so that the time tells no name


@dataclass(frozen=True, slots=True)
class People:
    """Those who may sign in, by name."""

    secrets: Mapping[str, Secret]

    def admits(self, name: str, password: str) -> bool:
        """Whether this is one of them. Blocks for the time of one check, whether or not the name is known."""
        found = self.secrets.get(name)
        fits = (found or NOBODY).fits(password)
        return found is not None and fits


def make_line(name: str, password: str) -> str:
    """The line of a person for the file. Raises `BadSetting` for a name it cannot hold or too short a password."""
    if not NAME.fullmatch(name):
        raise BadSetting(f"The name {name!r} may have letters, digits and . _ @ - only, 64 at most.")
    if len(password) < SHORTEST:
        raise BadSetting(f"The password has {len(password)} characters; choose one of at least {SHORTEST}.")
    salt = secrets.token_bytes(SALT)
    return f"{name}:{KIND}${_text(salt)}${_text(_hashed(password, salt))}"


def read_people(path: Path) -> People:
    """The people of a file; blank lines and `#` lines are passed over. Raises `BadSetting` with the line at fault."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise BadSetting(f"The file of names {str(path)!r} cannot be read: {error}.") from error
    found: dict[str, Secret] = {}
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        name, _, rest = line.strip().partition(":")
        secret = _secret(rest)
        if not NAME.fullmatch(name) or secret is None:  # the line is not shown: it may hold a password
            raise BadSetting(
                f"Line {number} of the file of names {str(path)!r} is not of the form name:scrypt$…; plain passwords "
                f"are not taken, {REMEDY}."
            )
        if name in found:
            raise BadSetting(f"The file of names {str(path)!r} has {name!r} twice; take one line out.")
        found[name] = secret
    if not found:
        raise BadSetting(f"The file of names {str(path)!r} holds nobody; {REMEDY}.")
    return People(found)


def _secret(text: str) -> Secret | None:
    kind, _, rest = text.partition("$")
    salt, _, digest = rest.partition("$")
    try:
        made = Secret(base64.b64decode(salt, validate=True), base64.b64decode(digest, validate=True))
    except (binascii.Error, ValueError):
        return None
    return made if kind == KIND and len(made.salt) == SALT and len(made.digest) == LENGTH else None


def _hashed(password: str, salt: bytes) -> bytes:
    data = password.encode("utf-8", "replace")
    return hashlib.scrypt(data, salt=salt, n=COST, r=BLOCK, p=LANES, dklen=LENGTH, maxmem=2**26)


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")
