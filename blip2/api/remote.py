"""Pictures fetched by http(s) address for a client, so that the server cannot be made to look where the client cannot.

Every address that a host's name resolves to must be public; the connection goes to the very address that was checked,
so a name that resolves differently a moment later gains nothing. Each redirect is checked anew. Ports, size, type and
time are bounded; no proxy, no cookies, no credentials.
"""

import contextlib
import http.client
import ipaddress
import socket
import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic
from urllib.parse import SplitResult, urljoin, urlsplit

from blip2.api.failures import Refusal

REDIRECTS = 3
SECONDS = 10.0
UNICAST = ipaddress.ip_network("2000::/3")  # of IPv6; what lies outside leads, if anywhere, into someone's own network
APART = [  # not private by name, but of no host of the internet: protocol assignments, 6to4 relays, documentation
    ipaddress.ip_network(each) for each in ("192.0.0.0/24", "192.88.99.0/24", "3fff::/20")
]
PORTS = frozenset({80, 443})
BLOCK = 65_536


def is_public(address: str) -> bool:
    """Whether an IP address may be fetched from: public, and no tunnel to one that is not."""
    ip = ipaddress.ip_address(address.split("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None)
        if inner is None and ip in ipaddress.ip_network("64:ff9b::/96"):
            inner = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(str(inner))
        if ip not in UNICAST:
            return False
    if any(ip in network for network in APART):
        return False
    return ip.is_global and not ip.is_multicast


@dataclass(frozen=True)
class Fetcher:
    """Fetches pictures of at most `limit` bytes. `public` and `ports` say where from."""

    limit: int
    public: Callable[[str], bool] = is_public
    ports: frozenset[int] = PORTS
    seconds: float = SECONDS

    def fetch(self, url: str, param: str) -> bytes:
        """The bytes at `url`. Blocks. Raises `Refusal` that names `param`: 400, 413 or 415."""
        until = monotonic() + self.seconds
        for _ in range(REDIRECTS + 1):
            found = self._once(url, param, until)
            if isinstance(found, bytes):
                return found
            url = urljoin(url, found)
        raise Refusal(400, f"The picture's address leads on more than {REDIRECTS} times; give the last one.", param)

    def _once(self, url: str, param: str, until: float) -> bytes | str:
        """The bytes, or where they have gone to."""
        parts, host, port = self._checked(url, param)
        address = self._resolved(host, port, param)
        left = max(0.1, until - monotonic())
        connection = _connection(parts.scheme, host, port, address, left)
        watch = threading.Timer(left, _hang_up, [connection])  # a socket's own timeout starts anew with each byte
        watch.daemon = True
        watch.start()
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        try:
            connection.request("GET", path, headers={"Accept": "image/*", "User-Agent": "blip2-studio"})
            answer = connection.getresponse()
            if answer.status in (301, 302, 303, 307, 308):
                return answer.getheader("Location") or ""
            if answer.status != 200:
                raise Refusal(400, f"The picture's address answers with status {answer.status}; check it.", param)
            return self._body(answer, param, until)
        except (OSError, ValueError, http.client.HTTPException) as error:
            raise Refusal(400, f"The picture's address cannot be fetched ({type(error).__name__}).", param) from error
        finally:
            watch.cancel()
            connection.close()

    def _body(self, answer: http.client.HTTPResponse, param: str, until: float) -> bytes:
        kind = (answer.getheader("Content-Type") or "").split(";")[0].strip().lower()
        if not kind.startswith("image/") and kind not in ("", "application/octet-stream", "binary/octet-stream"):
            raise Refusal(415, f"The address gives {kind!r:.60}, not a picture.", param, "unsupported_type")
        data = b""
        while block := answer.read1(BLOCK):
            data += block
            if len(data) > self.limit:
                raise Refusal(413, f"The picture is larger than {self.limit / 1e6:.0f} MB.", param, "too_large")
            if monotonic() > until:
                raise Refusal(400, f"The picture took longer than {self.seconds:.0f} seconds to fetch.", param)
        return data

    def _checked(self, url: str, param: str) -> tuple[SplitResult, str, int]:
        try:
            parts = urlsplit(url)
            host, port = parts.hostname or "", parts.port
        except ValueError as error:
            raise Refusal(400, "The picture's address is not one; write https://host/path.", param) from error
        if parts.scheme not in ("http", "https") or not host or not url.isascii() or not url.isprintable():
            raise Refusal(400, "The picture's address must be of the form https://host/path.", param)
        if " " in url or parts.username is not None or parts.password is not None:
            raise Refusal(400, "The picture's address may hold no blanks and no user name.", param)
        port = port or (443 if parts.scheme == "https" else 80)
        if port not in self.ports:
            raise Refusal(400, f"Pictures are not fetched from port {port}.", param)
        return parts, host, port

    def _resolved(self, host: str, port: int, param: str) -> str:
        """An address of the host. One that is not public is told like one that is not there: no name is given away."""
        try:
            found = [str(entry[4][0]) for entry in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
        except (OSError, UnicodeError):
            found = []
        if not found or not all(self.public(address) for address in found):
            message = f"The host {host!r:.100} is not known as a public one; check it, or send the picture itself."
            raise Refusal(400, message, param, "not_public")
        return found[0]


def _hang_up(connection: http.client.HTTPConnection) -> None:
    with contextlib.suppress(OSError, AttributeError):
        connection.sock.shutdown(socket.SHUT_RDWR)


def _connection(scheme: str, host: str, port: int, address: str, timeout: float) -> http.client.HTTPConnection:
    """A connection to `address`, which speaks to `host` by name."""
    kind = http.client.HTTPSConnection if scheme == "https" else http.client.HTTPConnection
    connection = kind(host, port, timeout=timeout)

    def connect() -> None:
        plain = socket.create_connection((address, port), timeout)
        connection.sock = plain
        if scheme == "https":
            connection.sock = ssl.create_default_context().wrap_socket(plain, server_hostname=host)

    connection.connect = connect  # type: ignore[method-assign]
    return connection
