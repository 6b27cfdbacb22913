"""The id by which a request is found again in the log: the client's own, if it is sensible, or a new one."""

import re
import uuid
from contextvars import ContextVar

HEADER = "x-request-id"
ID = re.compile(r"[\w.:-]{1,128}", re.ASCII)
current = ContextVar("current", default="")  # of the request that is being answered, for what is logged on its way


def request_id(given: str) -> str:
    return given if ID.fullmatch(given) else uuid.uuid4().hex
