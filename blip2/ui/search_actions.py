"""What a visitor can do in the search tab: index an album, search it by words or by picture, save and open an index.

Values in, values out, and no gradio. The index is a file on a shelf of the visitor's own, which goes with the visit. It
never holds where pictures are on this machine: that is kept beside it, for as long as it is true.
"""

import os
import re
import shutil
import threading
import time
from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from blip2 import retrieval
from blip2.backends.base import Backend
from blip2.errors import BadImage, BadInput
from blip2.gathering import Found, Gathered, Shelf
from blip2.images import open_picture
from blip2.indexes import Index, Row, given_away, open_index
from blip2.indexing import Counts, Indexer
from blip2.pocket.committed import FOLDER as SCENES
from blip2.pocket.examples import load_examples
from blip2.retrieval import Results
from blip2.ui.visit import Seen
from blip2.values import ModelInfo, Picture

FILE = "album.index"
NO_MATCHER = "No matching model is offered here; the administrator adds one with --models, such as blip2/pocket."
NO_INDEX = "There is nothing to search yet; index some pictures, open an index, or try the example scenes."
NO_PICTURE = "There is no picture to search with; add one first."
LONGEST = 1000  # letters of the words searched for
BAD_NAME = "The name {!r:.80} cannot be used; take letters, digits, spaces, - and _, 60 at most."
NAME = re.compile(r"\w[\w -]{0,59}")


@dataclass(frozen=True, eq=False)
class Held:
    """What is kept of a visitor: the opened index, the pictures' files by name, and what those files lie on.

    `shelf` is for the index and copies of it; `stop` is set to end the indexing that is under way.
    """

    index: Index | None = None
    files: Mapping[str, str] = field(default_factory=dict)
    kept: tuple[object, ...] = ()
    shelf: Shelf | None = None
    stop: threading.Event = field(default_factory=threading.Event)

    def __deepcopy__(self, memo: object) -> "Held":
        """Itself: nothing in it is changed but `stop`, which all who hold it must see."""
        return self

    def opened(self) -> Index:
        """The index. Raises `BadInput` where there is none."""
        if self.index is None:
            raise BadInput(NO_INDEX)
        return self.index

    def picture(self, row: Row) -> Picture | None:
        """The picture's file opened, where it is known and still there."""
        try:
            return open_picture(self.files[row.name], row.name) if row.name in self.files else None
        except BadImage:
            return None

    def title(self, name: str) -> str:
        """A picture's name as a visitor may read it: nothing above the album's own folder."""
        return os.path.basename(name) if os.path.isabs(name) or name.startswith("..") else name


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the indexing is; `held` is what the visitor holds from now on, if that has changed."""

    counts: Counts
    seconds: float = 0.0
    held: Held | None = None

    @property
    def rate(self) -> float:
        """Pictures a second."""
        return self.counts.done / self.seconds if self.seconds > 0 else 0.0


class SearchActions:
    """Search over a backend. `saved` is the folder of indexes kept on this machine; `manage` lets visitors add some."""

    def __init__(
        self, backend: Backend, saved: Path, manage: bool = False, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.backend = backend
        self.manage = manage
        self._saved = saved
        self._clock = clock

    def matchers(self) -> list[ModelInfo]:
        """The matching models offered now."""
        return [info for info in self.backend.models() if info.family == "itm"]

    def model_of(self, index: Index) -> str:
        """The model that made an index, by the name it is offered under. Raises `BadInput` where it is not."""
        for info in self.matchers():
            if index.model.is_same(info):
                return info.name
        raise BadInput(
            f"The index was made with the model {index.model.name!r:.80}, which is not offered here; index the "
            "pictures anew."
        )

    def build(
        self, held: Held, found: Gathered, model: str = "", extend: bool = False
    ) -> Generator[Progress, None, None]:
        """Index an album; what the index has already is kept with `extend`. Once stopped, what is done is kept too.

        Raises `BadInput` for an album without pictures and where there is no matching model.
        """
        offered = self.matchers()
        before = held.index if extend else None
        if not offered:
            raise BadInput(NO_MATCHER)
        name = self.model_of(before) if before is not None else model or offered[0].name
        indexer = Indexer(self.backend, name, before)
        running = replace(held, stop=threading.Event())
        begun = self._clock()
        counts = Counts(len(found))
        try:
            yield Progress(counts, held=running)
            for counts in indexer.add(found, len(found)):
                yield Progress(counts, self._clock() - begun)
                if running.stop.is_set():
                    break
            shelf = Shelf()
            indexer.save(shelf.path / FILE, given_away=True)
        finally:
            indexer.close()
        files = {each.name: each.file for each in found if each.file}
        kept: tuple[object, ...] = (found,)
        if before is not None:
            files, kept = {**held.files, **files}, (*held.kept, *kept)
        made = replace(running, index=open_index(shelf.path / FILE), files=files, kept=kept, shelf=shelf)
        yield Progress(counts, self._clock() - begun, made)

    def words(self, held: Held, words: str, k: int, rerank: bool) -> Generator[Results, None, None]:
        """The best pictures for some words: by ITC at once, and once ITM has read the best of them, by both."""
        index = held.opened()
        model = self.model_of(index)
        if len(words) > LONGEST:
            raise BadInput(f"The words have {len(words):,} letters; at most {LONGEST:,} are taken.")
        yield from retrieval.by_words(self.backend, model, index, words, k, rerank=rerank, opened=held.picture)

    def picture(self, held: Held, seen: Seen, k: int) -> Results:
        """The pictures most like the one in the frame."""
        index = held.opened()
        if seen is None:
            raise BadImage(NO_PICTURE)
        if isinstance(seen, BadImage):
            raise seen
        return retrieval.by_picture(self.backend, self.model_of(index), index, seen, k)

    def more(self, held: Held, at: int, k: int) -> Results:
        """The pictures most like one of the index."""
        return retrieval.more_like(held.opened(), at, k)

    def open(self, path: str | Path) -> Held:
        """An index that a visitor sent, copied to a shelf of its own. Raises `BadInput` for what is none."""
        shelf = Shelf()
        target = shelf.path / (Path(path).name or FILE)
        shutil.copyfile(path, target)
        index = open_index(target)
        self.model_of(index)
        return Held(index, shelf=shelf)

    def open_saved(self, name: str) -> Held:
        """One of the indexes kept on this machine, whose pictures may be read. Raises `BadInput`."""
        if name not in self.saved():
            raise BadInput(f"There is no saved index {name!r:.80}; open the page anew to see which there are.")
        index = open_index(self._saved / f"{name}.index", trusted=True)
        self.model_of(index)
        return Held(index, {row.name: row.file for row in index.rows if row.file}, shelf=Shelf())

    def saved(self) -> list[str]:
        """The names of the indexes kept on this machine."""
        return sorted(path.stem for path in self._saved.glob("*.index") if NAME.fullmatch(path.stem))

    def save(self, held: Held, name: str) -> str:
        """Keep the visitor's index on this machine, in place of one of the same name; returns what to say."""
        index = held.opened()
        if not self.manage:
            raise BadInput("The administrator has not allowed indexes to be kept here; download it instead.")
        if not NAME.fullmatch(name.strip()):
            raise BadInput(BAD_NAME.format(name))
        try:
            self._saved.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise BadInput(f"The folder for indexes cannot be made ({error.strerror}); download it instead.") from error
        given_away(index, self._saved / f"{name.strip()}.index")
        return f"Kept as {name.strip()!r}, for all visitors of this page."

    def download(self, held: Held) -> Path:
        """The index as a file that names no place on this machine."""
        index = held.opened()
        assert held.shelf is not None
        if index.path.is_relative_to(held.shelf.path):
            return index.path
        given_away(index, held.shelf.path / index.path.name)
        return held.shelf.path / index.path.name


def how_many(count: object) -> int:
    """The number of results asked for. Raises `BadInput` where it is none; the search itself minds the range."""
    if isinstance(count, bool) or not isinstance(count, int | float) or not float(count).is_integer():
        raise BadInput(f"The number of results is {count!r:.40}; give a whole number from 1 to 60.")
    return int(count)


def scenes() -> Gathered:
    """The example pictures and the drawn scenes that come with the project."""
    examples = [Found(f"examples/{each.path.name}", str(each.path)) for each in load_examples() if each.path.is_file()]
    drawn = [Found(f"scenes/{path.name}", str(path)) for path in sorted(SCENES.glob("*.jpg"))]
    if not examples and not drawn:
        raise BadInput("The example scenes are not installed here; index some pictures of your own.")
    return Gathered(tuple(examples + drawn))


def rows_of(held: Held, found: Results, likeness: bool = False) -> list[dict[str, object]]:
    """The results for a program, the best first."""
    cosine = "likeness" if likeness else "itc"
    return [
        {
            "rank": hit.rank,
            "name": held.title(hit.name),
            "at": hit.at,
            "score": round(hit.score, 5),
            cosine: round(hit.itc, 5),
            "itm": None if hit.itm is None else round(hit.itm, 5),
            "rank_before": hit.before,
        }
        for hit in found.hits
    ]


def last(steps: Iterator[Results]) -> Results:
    """The final results of a search."""
    *_, found = steps
    return found
