"""What Prometheus reads: requests, times to the first token, between tokens and per turn, batches, caches, memory.

Each server has a registry of its own. Labels hold routes, served models and outcomes only: nothing a client makes up.
"""

import sys
from collections.abc import Callable, Iterable

from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from blip2.backends.base import Backend
from blip2.values import Usage

TYPE = "text/plain; version=0.0.4; charset=utf-8"
TURN = (0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0, 30.0, 60.0, 120.0)
TOKEN = (0.001, 0.002, 0.003, 0.005, 0.0075, 0.01, 0.015, 0.02, 0.03, 0.05, 0.1, 0.25, 0.5, 1.0)


class Metrics:
    """The instruments, and `page`, which is what a scrape gets."""

    def __init__(self, backend: Backend, generating: Callable[[], int]) -> None:
        self.registry = CollectorRegistry()
        self._requests = Counter(
            "blip2_requests", "API requests by how they ended", ("route", "model", "outcome"), registry=self.registry
        )
        self._seconds = Histogram(
            "blip2_request_seconds",
            "Whole API requests, from first byte to last",
            ("route",),
            buckets=TURN,
            registry=self.registry,
        )
        self._first = self._histogram("blip2_first_token_seconds", "Submission to the first token", TURN)
        self._between = self._histogram("blip2_inter_token_seconds", "Between tokens, where they stream", TOKEN)
        self._turn = self._histogram("blip2_turn_seconds", "Submission to the whole answer", TURN)
        self._queued = self._histogram("blip2_queued_seconds", "Submission to the beginning of work", TURN)
        self._tokens = Counter("blip2_tokens", "Tokens written", ("model",), registry=self.registry)
        self.registry.register(_Now(backend, generating))
        ProcessCollector(registry=self.registry)

    def request(self, route: str, model: str, outcome: str, seconds: float) -> None:
        """A request that ended. `model` is one that is served, or empty."""
        self._requests.labels(route, model, outcome).inc()
        self._seconds.labels(route).observe(seconds)

    def turn(self, model: str, usage: Usage) -> None:
        """An answer that was written to its end."""
        self._queued.labels(model).observe(usage.queued)
        self._first.labels(model).observe(usage.first_token)
        self._turn.labels(model).observe(usage.total)
        self._tokens.labels(model).inc(usage.new_tokens)

    def token(self, model: str, seconds: float) -> None:
        """The time since the token before."""
        self._between.labels(model).observe(seconds)

    def page(self) -> bytes:
        return generate_latest(self.registry)

    def _histogram(self, name: str, about: str, buckets: tuple[float, ...]) -> Histogram:
        return Histogram(name, about, ("model",), buckets=buckets, registry=self.registry)


class _Now:
    """What is read from the backend at the moment of a scrape."""

    def __init__(self, backend: Backend, generating: Callable[[], int]) -> None:
        self._backend = backend
        self._generating = generating

    def collect(self) -> Iterable[Metric]:
        stats = self._backend.stats()
        yield GaugeMetricFamily("blip2_generating", "API answers under way", value=self._generating())
        yield _by_model("blip2_queue_length", "Requests that wait for a place in the batch", stats.waiting)
        yield _by_model("blip2_batch_size", "Requests in the batch", stats.running)
        steps = CounterMetricFamily("blip2_steps", "Steps of the batch", labels=("model",))
        for model, count in stats.steps.items():
            steps.add_metric((model,), count)
        yield steps
        loaded = GaugeMetricFamily("blip2_model_bytes", "Memory of a loaded model's weights", labels=("model",))
        pace = GaugeMetricFamily("blip2_pace", "Tokens a second over the last two minutes", labels=("model",))
        reused = CounterMetricFamily("blip2_prompt_tokens_reused", "Prompt tokens not read again", labels=("model",))
        read = CounterMetricFamily("blip2_prompt_tokens_read", "Prompt tokens read", labels=("model",))
        for model, one in stats.models.items():
            loaded.add_metric((model,), one.memory_bytes)
            pace.add_metric((model,), one.pace)
            reused.add_metric((model,), one.prompt_reused)
            read.add_metric((model,), one.prompt_read)
        yield from (loaded, pace, reused, read)
        yield CounterMetricFamily("blip2_image_cache_hits", "Pictures found encoded", value=stats.image_hits)
        yield CounterMetricFamily("blip2_image_cache_misses", "Pictures encoded anew", value=stats.image_misses)
        yield GaugeMetricFamily("blip2_gpu_bytes", "GPU memory allocated by this process", value=gpu_bytes())

    def describe(self) -> Iterable[Metric]:
        """Nothing: the registry would otherwise collect, and so ask the backend, while the server is being made."""
        return []


def _by_model(name: str, about: str, counts: dict[str, int]) -> Metric:
    family = GaugeMetricFamily(name, about, labels=("model",))
    for model, count in counts.items():
        family.add_metric((model,), count)
    return family


def gpu_bytes() -> int:
    """Bytes allocated on the GPUs; 0 without one, or where no model was loaded in this process."""
    torch = sys.modules.get("torch")
    if torch is None or not torch.cuda.is_available():
        return 0
    return sum(int(torch.cuda.memory_allocated(device)) for device in range(torch.cuda.device_count()))
