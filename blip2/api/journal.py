"""The log: a line for each API request, as text or as JSON. Prompts and answers are in it only when asked for."""

import json
import logging
from datetime import UTC, datetime
from typing import Any

from blip2.settings import Settings

log = logging.getLogger("blip2.api")


class JsonLines(logging.Formatter):
    """One JSON object a line: time, level, logger, message, and the fields given as `extra={"fields": …}`."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=True, default=str)


def configure(settings: Settings) -> None:
    """Set up the log of this process as the settings say. JSON brings a line for each request at any level."""
    handler = logging.StreamHandler()
    handler.setFormatter(
        JsonLines() if settings.log_json else logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s")
    )
    logging.basicConfig(level=settings.log_level.upper(), handlers=[handler], force=True)
    log.setLevel(logging.INFO if settings.log_json else logging.NOTSET)


def request_line(fields: dict[str, Any]) -> None:
    """Log a request that ended. `fields` hold its id, route, status and times."""
    if log.isEnabledFor(logging.INFO):
        told = " ".join(f"{name}={value!r}" for name, value in fields.items())
        log.info("request %s", told, extra={"fields": fields})


def content(settings: Settings, prompt: str, answer: str) -> dict[str, str]:
    """What may be logged of a conversation: nothing, unless the settings say so."""
    return {"prompt": prompt, "answer": answer} if settings.log_content else {}
