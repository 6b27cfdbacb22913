"""The seam between the tasks and the models. Everything above it runs on any backend, the scripted one included."""

from collections.abc import Iterator, Sequence
from typing import Protocol

from blip2.values import Attention, Chunk, EmbedMode, Features, Fit, Match, ModelInfo, Picture, Request, Stats

NOT_ALLOWED = "The model {!r} may not be loaded here; choose one of {}."
NOT_LOADED = "The model {!r} is not loaded, so there is nothing to unload."
ONLY_ONE = "{} is the only model offered; load another one before unloading it."


class Backend(Protocol):
    """What the application asks of models. All calls may come from any thread."""

    def models(self) -> list[ModelInfo]:
        """The models a visitor may choose now, the default first."""

    def describe(self, model: str) -> ModelInfo:
        """One model's facts; loads it if need be. Raises `UnknownModel` or `ModelUnusable`."""

    def generate(self, request: Request) -> Iterator[Chunk]:
        """Stream an answer; the last chunk has `finish` set, the first may say a place in the queue.

        Closing the iterator cancels the request.

        Raises `BadPrompt` if the prompt exceeds the model's budget, `UnknownModel`, `ModelUnusable`, `Busy`.
        """

    def match(self, model: str, images: Sequence[Picture], texts: Sequence[str]) -> Match:
        """ITM probabilities and ITC cosines, [images, texts]."""

    def embed(self, model: str, images: Sequence[Picture], texts: Sequence[str], mode: EmbedMode) -> Features:
        """Q-Former features of pictures, of texts, or of pairs (multimodal: picture i with text i)."""

    def attend(self, model: str, picture: Picture, text: str = "") -> Attention:
        """Where the Q-Former's queries looked in a picture; attention, which is no explanation.

        Without a text there is one row: of any model, over all queries. A model that writes (OPT, FlanT5) has only
        that, since its Q-Former does not read the question. With a text, which a matching model reads (its first 32
        tokens): a row for the whole, then one for each word of letters or digits. `blip2.engine.attention` says how
        they come about, and how well they point. Raises `BadInput` for a text given to a model that writes.
        """

    def count_tokens(self, model: str, text: str) -> int:
        """Tokens of a prompt as the model reads it, BOS or end token included, picture tokens not."""

    def cancel(self, request_id: str) -> None:
        """Stop a request before its next step; unknown ids are ignored."""

    def stats(self) -> Stats:
        """Counts for a status page."""

    def loadable(self) -> list[str]:
        """The models that may be loaded here: those offered from the start, then those allowed besides."""

    def fits(self, model: str) -> Fit:
        """Whether a model would fit now, in a sentence; reads no weights. Raises `UnknownModel`."""

    def load(self, model: str) -> ModelInfo:
        """Load a model and offer it from then on; waits for another that is being loaded. Blocks.

        Raises `UnknownModel` for one that is not loadable, and `ModelUnusable`.
        """

    def unload(self, model: str) -> None:
        """Free a model and offer it no longer; the requests it is serving end with `Closed`. Blocks.

        Raises `UnknownModel` for one that is not loaded, and `BadInput` for the last one offered.
        """

    def close(self) -> None:
        """Stop the workers and free the models."""


def answer(backend: Backend, request: Request) -> Chunk:
    """The blocking form: the last chunk of the stream."""
    *_, last = backend.generate(request)
    return last
