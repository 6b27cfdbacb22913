"""The seam between the tasks and the models. Everything above it runs on any backend, the scripted one included."""

from collections.abc import Iterator, Sequence
from typing import Protocol

from blip2.values import Chunk, EmbedMode, Features, Match, ModelInfo, Picture, Request, Stats


class Backend(Protocol):
    """What the application asks of models. All calls may come from any thread."""

    def models(self) -> list[ModelInfo]:
        """The models a visitor may choose now, the default first."""

    def describe(self, model: str) -> ModelInfo:
        """One model's facts; loads it if need be. Raises `UnknownModel` or `ModelUnusable`."""

    def generate(self, request: Request) -> Iterator[Chunk]:
        """Stream an answer; the last chunk has `finish` set. Closing the iterator cancels the request.

        Raises `BadPrompt` if the prompt exceeds the model's budget, `UnknownModel`, `ModelUnusable`, `Busy`.
        """

    def match(self, model: str, images: Sequence[Picture], texts: Sequence[str]) -> Match:
        """ITM probabilities and ITC cosines, [images, texts]."""

    def embed(self, model: str, images: Sequence[Picture], texts: Sequence[str], mode: EmbedMode) -> Features:
        """Q-Former features of pictures, of texts, or of pairs (multimodal: picture i with text i)."""

    def count_tokens(self, model: str, text: str) -> int:
        """Tokens of a prompt as the model reads it, BOS or end token included, picture tokens not."""

    def cancel(self, request_id: str) -> None:
        """Stop a request before its next step; unknown ids are ignored."""

    def stats(self) -> Stats:
        """Counts for a status page."""

    def close(self) -> None:
        """Stop the workers and free the models."""


def answer(backend: Backend, request: Request) -> Chunk:
    """The blocking form: the last chunk of the stream."""
    *_, last = backend.generate(request)
    return last
