"""`/healthz`, `/readyz` and `/metrics`: is it alive, can it answer, and what has it done."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from blip2.api.failures import json_response
from blip2.api.lifecycle import Phase
from blip2.api.metrics import TYPE
from blip2.api.service import Service


def routes(service: Service) -> list[BaseRoute]:
    """The three routes."""

    async def healthz(_: Request) -> Response:
        """Alive: the event loop answers."""
        return json_response({"status": "alive"})

    async def readyz(_: Request) -> Response:
        """Ready: the models are loaded, the workers step, and the server is not stopping."""
        service.warm()
        state = readiness(service)
        return json_response(state, 200 if state["ready"] else 503, {} if state["ready"] else {"Retry-After": "5"})

    async def metrics(_: Request) -> Response:
        return Response(await service.call(service.metrics.page), media_type=TYPE)

    return [
        Route("/healthz", healthz, methods=["GET"]),
        Route("/readyz", readyz, methods=["GET"]),
        Route("/metrics", metrics, methods=["GET"]),
    ]


def readiness(service: Service) -> dict[str, Any]:
    """Whether requests can be answered now, and why not."""
    stats = service.backend.stats()
    life = service.lifecycle
    stalled = service.pulse.stalled(stats.running, stats.steps)
    reasons = []
    if life.phase is not Phase.READY:
        reasons.append(f"the server is {life.phase.value}")
    reasons += [f"{name} cannot be loaded: {why}" for name, why in life.failures.items() if name not in stats.loaded]
    reasons += [f"{name} has not stepped for a while" for name in stalled]
    return {"ready": not reasons, "phase": life.phase.value, "loaded": list(stats.loaded), "reasons": reasons}
