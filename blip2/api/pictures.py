"""Pictures as requests carry them: data URLs, addresses where those are allowed, uploaded files. All calls block."""

import base64
import binascii
import re
from urllib.parse import unquote_to_bytes

from blip2.api.failures import Refusal, refusal
from blip2.api.remote import Fetcher
from blip2.api.service import Service
from blip2.errors import BadImage
from blip2.images import open_picture
from blip2.values import Picture

DATA = re.compile(r"data:([\w.+-]*/?[\w.+-]*)((?:;[^;,]*)*),", re.ASCII | re.IGNORECASE)
FORM = "give a data URL, such as data:image/png;base64,iVBOR…"


def picture_at(service: Service, url: str, param: str) -> Picture:
    """The picture of a data URL or an http(s) address; `param` is the field an error names.

    Raises `Refusal`: 400 (not such a URL, addresses off), 413 (too large), 415 (not a picture), 422 (damaged).
    """
    scheme = url[:8].lower()
    if scheme.startswith("data:"):
        return opened(service, _data(service, url, param), param)
    if scheme.startswith(("http://", "https://")):
        if not service.settings.image_urls:
            raise Refusal(400, f"Addresses of pictures are not fetched here; {FORM}.", param, "addresses_off")
        return opened(service, Fetcher(_limit(service)).fetch(url, param), param)
    raise Refusal(400, f"This is no picture; {FORM}.", param, "bad_url")


def opened(service: Service, data: bytes, param: str, name: str = "") -> Picture:
    """The picture in a file's bytes."""
    if len(data) > _limit(service):
        raise _too_large(service, param)
    try:
        return open_picture(data, name)
    except BadImage as error:
        raise refusal(error, param) from error


def _data(service: Service, url: str, param: str) -> bytes:
    head = DATA.match(url)
    if head is None:
        raise Refusal(400, f"The data URL is not of the right form; {FORM}.", param, "bad_url")
    kind, options = head[1].lower(), head[2].lower().split(";")
    if kind and not kind.startswith("image/") and kind != "application/octet-stream":
        raise Refusal(415, f"The data URL holds {kind:.60}, not a picture; {FORM}.", param, "unsupported_type")
    body = url[head.end() :]
    if len(body) > 3 * _limit(service):
        raise _too_large(service, param)
    if "base64" not in options:
        return unquote_to_bytes(body.encode("utf-8", "replace"))
    try:
        # Line breaks and blanks are common in base64, and `=` at the end is often left off.
        text = "".join(unquote_to_bytes(body.encode("utf-8", "replace")).decode("latin-1").split()).rstrip("=")
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError) as error:
        raise Refusal(400, f"The data URL's base64 is not valid; {FORM}.", param, "bad_url") from error


def _limit(service: Service) -> int:
    return service.settings.max_upload_mb * 1_000_000


def _too_large(service: Service, param: str) -> Refusal:
    return Refusal(
        413, f"The picture is larger than {service.settings.max_upload_mb} MB; make it smaller.", param, "too_large"
    )
