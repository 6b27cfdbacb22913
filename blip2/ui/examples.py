"""The example pictures of the page, opened once when it is built. It knows no gradio."""

from collections.abc import Iterable
from dataclasses import dataclass

from blip2.images import open_picture
from blip2.pocket.examples import load_examples
from blip2.values import Picture

THUMBNAIL = 176  # pixels a side; shown at half of it on fine screens


@dataclass(frozen=True, slots=True)
class Example:
    """An example as the page offers it. `path` is the file; `picture` its pixels as every upload is opened."""

    path: str
    title: str
    questions: tuple[str, ...]
    picture: Picture

    @property
    def thumbnail(self) -> "object":
        return self.picture.image.resize((THUMBNAIL, THUMBNAIL))


def examples() -> list[Example]:
    """The bundled examples; none where their files are not installed."""
    return [
        Example(str(found.path), found.title, found.questions, open_picture(found.path))
        for found in load_examples()
        if found.path.is_file()
    ]


def questions_by_picture(shown: Iterable[Example]) -> dict[str, tuple[str, ...]]:
    """The examples' first questions by the digest of their picture."""
    return {example.picture.digest: example.questions for example in shown}
