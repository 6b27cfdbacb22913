"""Uploads, piece by piece: a file of no kind that the page can use is cut off after its first bytes.

What a file is, its first bytes tell, not its name. Such a file still arrives, so that the page can say by its name what
is wrong with it and go on with the others, but nothing of it is kept on this machine. It knows no gradio and no model.
"""

from PIL import Image
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from blip2.images import FORMATS

HEAD = 64  # bytes by which a file is known, and which are left of one that is of no use
ZIP = (b"PK\x03\x04", b"PK\x05\x06")
INDEX_HEADER = 1 << 20  # bytes of an index's own head at most


class Unreadable(Exception):
    """The body is no form that holds together."""


def is_usable(head: bytes) -> bool:
    """Whether a file that begins so is a picture, a ZIP file, JSON (a saved conversation), or an index of pictures."""
    Image.init()
    if any(accepts(head[:16]) for kind in FORMATS if (accepts := Image.OPEN.get(kind, (None, None))[1]) is not None):
        return True
    if head.startswith(ZIP) or head.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] in (b"{", b"["):
        return True
    return head[8:9] == b"{" and int.from_bytes(head[:8], "little") <= INDEX_HEADER


class Sieve:
    """One upload's body. `sift` takes it in chunks and gives what is passed on; `files` are those begun so far."""

    def __init__(self, content_type: str) -> None:
        """Raises `Unreadable` for a body that is no multipart form."""
        kind, options = parse_options_header(content_type)
        boundary = options.get(b"boundary", b"")
        if kind != b"multipart/form-data" or not boundary:
            raise Unreadable
        self.files = 0
        self._line = b"--" + boundary
        self._out = bytearray()
        self._file = False
        self._head: bytes | None = None  # of a file not known yet
        self._keeps = True
        self._name = bytearray()
        self._value = bytearray()
        self._parser = MultipartParser(
            boundary,
            {
                "on_part_begin": self._begin,
                "on_header_field": lambda data, start, end: self._name.extend(data[start:end]),
                "on_header_value": lambda data, start, end: self._value.extend(data[start:end]),
                "on_header_end": self._header,
                "on_headers_finished": self._headers,
                "on_part_data": self._data,
                "on_part_end": self._end,
                "on_end": lambda: self._out.extend(self._line + b"--\r\n"),
            },
        )

    def sift(self, chunk: bytes) -> bytes:
        """What goes on of a chunk; raises `Unreadable`."""
        try:
            self._parser.write(chunk)
        except FormParserError as error:
            raise Unreadable from error
        passed = bytes(self._out)
        self._out.clear()
        return passed

    def broken(self) -> bytes:
        """An end to what was passed on so far that no parser takes for one."""
        # A header that cannot be; twice, since after a part's first lines the first of them would begin its data.
        return 2 * (b"\r\n" + self._line + b"\r\n\0")

    def _begin(self) -> None:
        self._file, self._head, self._keeps = False, b"", True
        self._out += self._line + b"\r\n"

    def _header(self) -> None:
        self._out += self._name + b": " + self._value + b"\r\n"
        if self._name.lower() == b"content-disposition":
            self._file = b"filename" in parse_options_header(bytes(self._value))[1]
            self.files += self._file
        self._name.clear()
        self._value.clear()

    def _headers(self) -> None:
        self._out += b"\r\n"
        if not self._file:
            self._head = None

    def _data(self, data: bytes, start: int, end: int) -> None:
        piece = data[start:end]
        if self._head is not None:
            self._head += piece
            if len(self._head) >= HEAD:
                self._decide()
        elif self._keeps:
            self._out += piece

    def _decide(self) -> None:
        """Pass on the head of a file, and the rest of it where it is of use."""
        head, self._head = self._head or b"", None
        self._keeps = is_usable(head[:HEAD])
        self._out += head if self._keeps else head[:HEAD]

    def _end(self) -> None:
        if self._head is not None:
            self._decide()
        self._out += b"\r\n"
