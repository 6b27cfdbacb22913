"""What routes read from a request beside its body: the service, who asks, and what the log shall say of it."""

from typing import cast

from starlette.requests import Request

from blip2.api.generation import Job, Outcome
from blip2.api.journal import content
from blip2.api.service import Service


def service_of(request: Request) -> Service:
    """The service of this server. Raises `Refusal` 503 while it cannot answer."""
    service = cast(Service, request.app.state.service)
    service.check_open()
    return service


def visitor_of(request: Request) -> str:
    """Who asks, for fairness: the key's holder, or the address."""
    return str(request.state.client)


def note(request: Request, job: Job, made: Outcome | None = None) -> None:
    """Leave the model, and what was made, for the log and the metrics."""
    request.state.model = job.info.name
    if made is not None:
        fields: dict[str, object] = {
            "prompt_tokens": made.usage.prompt_tokens,
            "new_tokens": made.usage.new_tokens,
            "finish": made.choices[0].finish.value,
            "first_token": round(made.usage.first_token, 4),
        }
        text = made.choices[0].candidate.text
        request.state.told = fields | content(job.service.settings, job.prompt.text, text)
