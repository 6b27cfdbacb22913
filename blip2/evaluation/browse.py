"""Looking through finished runs: which there are, and their predictions by picture, question and error.

It reads what a run wrote, and opens a picture when it is looked at. It knows no page.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from blip2.errors import BadInput, Blip2Error
from blip2.evaluation import journal, run_folder
from blip2.evaluation.compare import load
from blip2.evaluation.examples import Example
from blip2.evaluation.retrieval_scores import best_texts
from blip2.evaluation.scores import mean
from blip2.values import Picture

SHOWN = 100  # rows of a page
WHICH = ("all", "wrong", "right", "broken")


@dataclass(frozen=True, slots=True)
class Line:
    """One prediction as it is listed: `value` in [0, 1] of the figure that counts, `said` in a line of text."""

    id: str
    image: str
    question: str
    said: str
    value: float
    confidence: float | None
    broken: bool = False


@dataclass(frozen=True)
class Browser:
    """A finished run to look through; `rows` by id."""

    folder: Path
    report: dict[str, Any]
    rows: dict[str, dict[str, Any]] = field(repr=False)
    lines: tuple[Line, ...] = field(repr=False)

    def find(self, text: str = "", which: str = "all", image: str = "") -> list[Line]:
        """The lines whose picture, question or answer holds `text`, of one kind, worst first where wrong ones are asked
        for and the surest of those before the others; `image` keeps one picture's."""
        words = text.lower().split()
        found = [
            line
            for line in self.lines
            if all(word in f"{line.id} {line.image} {line.question} {line.said}".lower() for word in words)
            and _fits(line, which)
            and (not image or line.image == image)
        ]
        if which == "wrong":
            found.sort(key=lambda line: (line.value, -(line.confidence or 0.0)))
        return found

    def example(self, id_: str) -> Example:
        """The example of a prediction, from the data it was made of. Raises `BadInput` where that is gone."""
        found = _examples(self.folder).get(id_)
        if found is None:
            raise BadInput(f"The example {id_!r} is no longer in the data of this run.")
        return found

    def picture(self, id_: str) -> Picture:
        """The picture of a prediction. Raises `BadInput` where it cannot be opened any more."""
        return self.example(id_).picture()


def runs(folder: Path) -> list[str]:
    """The names of the finished runs in a folder, the newest first."""
    found = [path.parent for path in folder.glob(f"*/{run_folder.REPORT}")] if folder.is_dir() else []
    return [path.name for path in sorted(found, key=lambda path: -(path / run_folder.REPORT).stat().st_mtime)]


def open_run(folder: Path, name: str) -> Browser:
    """A finished run by its name. Raises `BadInput` for a name that `runs` does not list, and for a damaged run."""
    if name not in runs(folder):
        raise BadInput(f"There is no finished run {name!r}; look again for what there is.")
    path = folder / name
    try:
        return _opened(path, (path / run_folder.REPORT).stat().st_mtime_ns)
    except (OSError, LookupError, TypeError, ValueError, AttributeError) as error:
        raise BadInput(f"The run {name!r} is damaged; make its report again with --resume, or remove it.") from error


@lru_cache(maxsize=4)
def _opened(path: Path, written: int) -> Browser:
    """`written` is when the report was: a run scored again is read again."""
    finished = load(path)
    headline = finished.report["headline"]
    rows = {row["id"]: row for row in journal.read(path / journal.PREDICTIONS)}
    lines = tuple(_line(row, mean(finished.values[id_][headline])) for id_, row in rows.items())
    return Browser(path, finished.report, rows, lines)


@lru_cache(maxsize=2)
def _examples(folder: Path) -> dict[str, Example]:
    from blip2.evaluation.run import dataset_of

    about = run_folder.load(folder)
    family: Any = about.family
    data = Path(about.data) if about.data else None
    try:
        dataset = dataset_of(about.task, data, family, about.limit, about.seed)
    except Blip2Error as error:
        raise BadInput(f"The pictures of this run cannot be shown: {error}") from error
    return {example.id: example for example in dataset.examples}


def _line(row: Mapping[str, Any], value: float) -> Line:
    broken = "error" in row
    if broken:
        said = str(row["error"])
    elif "answer" in row:
        said = str(row["answer"])
    elif "flags" in row:
        said = "texts " + ", ".join(str(at) for at in best_texts(row))
    else:
        said = " | ".join(f"{chance:.2f} {text}" for text, chance in zip(row["texts"], row["itm"], strict=True))
    sure = row.get("confidence")
    return Line(row["id"], row["image"], str(row.get("question", "")), said, value, sure, broken)


def _fits(line: Line, which: str) -> bool:
    if which == "broken":
        return line.broken
    if which == "wrong":
        return line.value < 0.5
    return which != "right" or line.value >= 0.5
