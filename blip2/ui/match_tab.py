"""The match tab, wired: what is asked on one side, `match_actions` on the other. Handlers only pass values."""

from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import gradio as gr

from blip2.errors import Blip2Error
from blip2.gathering import NOTHING, Gathered
from blip2.ui import match_files, match_view
from blip2.ui.examples import examples
from blip2.ui.match_actions import Classes, MatchActions, Table, Where
from blip2.ui.match_endpoints import MatchEndpoints
from blip2.ui.match_files import Taken
from blip2.ui.match_layout import GO, MatchParts, match_layout
from blip2.ui.match_runs import Runs, patiently
from blip2.ui.notice import notice, sorry
from blip2.ui.picture import refuse
from blip2.ui.studio import Studio
from blip2.ui.visit import QUIET, Notice, Seen, told

Updates = dict[Any, Any]
INSIDE: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
SAVE = "(file) => { window.blip2Save(file); }"  # assets/page.js
DOWNLOAD = "(file) => { window.blip2Download(file); }"  # assets/script/caption.js
TRY = {
    "texts": "a dog on a beach\na cat on a beach\na red umbrella and a blue ball\na bus in a street",
    "labels": "dog, cat, horse, owl, cow",
    "sentence": "a dog and a red umbrella on a beach",
}


@dataclass(frozen=True, slots=True)
class Asked:
    """What is in the components, in the order of `MatchParts.inputs`."""

    kind: str
    seen: Seen
    files: Sequence[str] | None
    folder: str | None
    found: Gathered
    texts: str
    labels: str
    template: str
    sentence: str
    mode: Any
    model: str | None


def match_tab(studio: Studio) -> None:
    """Build the tab inside the Blocks of the shell."""
    actions = MatchActions(studio)
    MatchTab(actions, match_layout(actions, studio), studio).wire()
    MatchEndpoints(actions, studio).wire()


class MatchTab:
    """The handlers of the tab and their wiring."""

    def __init__(self, actions: MatchActions, parts: MatchParts, studio: Studio) -> None:
        self.actions = actions
        self.parts = parts
        self.studio = studio
        self.runs = Runs()

    def wire(self) -> None:
        """Every event of the tab."""
        parts = self.parts
        shown = [
            parts.made, parts.shown, parts.notice, parts.progress, parts.downloads, parts.measure, parts.csv,
            parts.json, parts.npz, parts.go, parts.stop, parts.example,
        ]  # fmt: skip
        by_kind = [
            parts.framed, parts.pictures, parts.mode, parts.texts, parts.labels, parts.template, parts.sentence,
        ]  # fmt: skip
        gr.on(
            [parts.go.click, parts.sentence.submit], self.on_go, parts.inputs, shown, concurrency_limit=None, **INSIDE
        )
        refuse(parts.picture, parts.notice)
        parts.stop.click(self.on_stop, None, parts.stop, **INSIDE)
        parts.kind.change(self.on_kind, [parts.kind, parts.mode], [*by_kind, *shown], **INSIDE)
        parts.mode.change(self.on_mode, parts.mode, [parts.pictures, parts.texts], **INSIDE)
        parts.example.click(self.on_example, None, [parts.picture, parts.texts, parts.labels, parts.sentence], **INSIDE)
        for button, handler in ((parts.csv, self.on_csv), (parts.json, self.on_json)):
            button.click(handler, parts.made, [parts.saved, parts.notice], **INSIDE).then(
                None, parts.saved, None, js=SAVE
            )
        parts.npz.click(self.on_npz, parts.made, parts.file, **INSIDE).then(None, parts.file, None, js=DOWNLOAD)

    def on_go(self, request: gr.Request, *asked: Any) -> Iterator[Updates]:
        """Do what is asked; results appear as they come, and stay where something goes wrong later."""
        wanted, made, said = Asked(*asked), None, QUIET
        visitor = request.session_hash or ""
        run = self.runs.begin(visitor)
        try:
            with self.studio.visitors.admitted(visitor):
                yield self._busy()
                with closing(patiently(self._made(wanted), run.halt)) as steps:
                    for step in steps:
                        made = step if step is not None else made
                        yield self._shown(wanted.kind, made, True) if step is not None else self._same()
            said = stopped(made) if run.is_stopped else QUIET
        except Exception as error:
            said = Notice(told(error), failed=True)
        finally:
            self.runs.end(visitor, run)
        if run.is_dropped:
            yield self._same()
        else:
            yield self._shown(wanted.kind, made, False) | {self.parts.notice: notice(said)}

    def _made(self, wanted: Asked) -> Generator[Any, None, None]:
        actions = self.actions
        if wanted.kind == "one":
            yield from actions.one(wanted.seen, wanted.texts, wanted.model)
        elif wanted.kind == "many":
            found = self.parts.album.take(wanted.files, wanted.folder, wanted.found)
            yield from actions.table(found.files, wanted.texts, wanted.model)
        elif wanted.kind == "labels":
            yield actions.classify(wanted.seen, wanted.labels, wanted.template, wanted.model)
        elif wanted.kind == "words":
            yield actions.where(wanted.seen, wanted.sentence, wanted.model)
        else:
            is_pictured = wanted.mode != "text"
            found = self.parts.album.take(wanted.files, wanted.folder, wanted.found) if is_pictured else NOTHING
            yield match_files.taken(actions.features(found, wanted.texts, wanted.mode, wanted.model))

    def on_stop(self, request: gr.Request) -> Any:
        """Give up; what is done stays, and is shown by the run itself."""
        run = self.runs.of(request.session_hash or "")
        if run is not None:
            run.stop()
        return gr.update(interactive=False)

    def on_kind(self, request: gr.Request, kind: str, mode: str) -> Updates:
        """Show what the chosen task needs; what is under way is given up."""
        run = self.runs.of(request.session_hash or "")
        if run is not None:
            run.drop()
        parts, is_features = self.parts, kind == "features"
        seen = {
            parts.framed: kind in ("one", "labels", "words"),
            parts.pictures: kind == "many" or (is_features and mode != "text"),
            parts.mode: is_features,
            parts.texts: kind in ("one", "many") or (is_features and mode != "image"),
            parts.labels: kind == "labels",
            parts.template: kind == "labels",
            parts.sentence: kind == "words",
        }
        return (
            {part: gr.update(visible=is_seen) for part, is_seen in seen.items()}
            | self._shown(kind, None, False)
            | {parts.notice: notice(QUIET), parts.made: None}
        )

    def on_mode(self, mode: str) -> tuple[Any, Any]:
        """Show what the kind of features is made of."""
        return gr.update(visible=mode != "text"), gr.update(visible=mode != "image")

    def on_example(self) -> tuple[Any, ...]:
        """Put an example into the fields."""
        shown = examples()
        return (shown[0].path if shown else gr.skip()), TRY["texts"], TRY["labels"], TRY["sentence"]

    def on_csv(self, made: Any) -> tuple[dict[str, str] | None, Any]:
        """What was made, as CSV."""
        return self._saved(match_files.as_csv, made)

    def on_json(self, made: Any) -> tuple[dict[str, str] | None, Any]:
        """What was made, as JSON."""
        return self._saved(match_files.as_json, made)

    def on_npz(self, made: Any) -> str | None:
        """The features as a NumPy archive."""
        return str(made.npz) if isinstance(made, Taken) else None

    def _saved(self, write: Any, made: Any) -> tuple[dict[str, str] | None, Any]:
        try:
            return write(made), notice(QUIET)
        except Blip2Error as error:
            return None, sorry(error)

    def _busy(self) -> Updates:
        parts = self.parts
        return {
            parts.made: None,
            parts.shown: match_view.SKELETON,
            parts.notice: notice(QUIET),
            parts.progress: gr.update(visible=False),
            parts.downloads: gr.update(visible=False),
            parts.measure: gr.update(visible=False),
            parts.go: gr.update(visible=False),
            parts.stop: gr.update(visible=True, interactive=True),
            parts.example: gr.update(visible=False),
        }

    def _same(self) -> Updates:
        """Nothing new; gradio notices between two values whether the visitor is still there."""
        return {self.parts.stop: gr.skip()}

    def _shown(self, kind: str, made: Any, is_running: bool) -> Updates:
        """What there is of a task so far, and what can be pressed."""
        parts = self.parts
        is_table = isinstance(made, Table)
        is_matrix = kind == "many" and is_table
        is_made = made is not None and not (is_table and not made.done)
        markup = match_view.SKELETON if is_running else match_view.empty(kind, bool(self.actions.models))
        return {
            parts.made: made if is_made else None,
            parts.shown: _markup(kind, made, is_running) if is_made else markup,
            parts.progress: gr.update(
                value=match_view.progress(made, is_running) if is_matrix else "", visible=is_matrix
            ),
            parts.measure: gr.update(visible=is_matrix and is_made),
            parts.downloads: gr.update(visible=is_made and not is_running),
            parts.csv: gr.update(visible=isinstance(made, Table | Classes)),
            parts.json: gr.update(visible=True),
            parts.npz: gr.update(visible=isinstance(made, Taken)),
            parts.go: gr.update(visible=not is_running, value=GO[kind]),
            parts.stop: gr.update(visible=is_running),
            parts.example: gr.update(visible=not is_running and kind in ("one", "labels", "words")),
        }


def stopped(made: Any) -> Notice:
    """What is said after a stop."""
    if isinstance(made, Table) and made.done < made.total:
        return Notice(f"Stopped after {made.done:,} of {made.total:,} pictures; those stay.")
    return Notice("Stopped.")


def _markup(kind: str, made: Any, is_running: bool) -> str:
    if isinstance(made, Table):
        return match_view.matrix(made, is_running) if kind == "many" else match_view.bars(made)
    if isinstance(made, Classes):
        return match_view.labels(made)
    if isinstance(made, Where):
        return match_view.where(made)
    return match_view.features(made.of)
