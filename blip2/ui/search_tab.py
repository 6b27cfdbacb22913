"""The search tab, wired: an album becomes an index, which is searched by words, by picture, and by what was found."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import gradio as gr

from blip2.gathering import Gathered
from blip2.ui import search_view
from blip2.ui.notice import notice, sorry
from blip2.ui.picture import refuse
from blip2.ui.progress_bar import pictures
from blip2.ui.search_actions import Held, SearchActions, how_many, scenes
from blip2.ui.search_endpoints import SearchEndpoints
from blip2.ui.search_layout import SUGGESTED, SearchParts, search_layout
from blip2.ui.search_view import EMPTY, READY, SKELETON
from blip2.ui.studio import Studio
from blip2.ui.visit import QUIET, Notice, Seen

INSIDE: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
SAVE = "(file) => { window.blip2Download(file); }"  # assets/script/caption.js
NONE_READ = "None of these files could be read as a picture; the reasons are listed beside the album."
Updates = dict[Any, Any]


def search_tab(studio: Studio) -> None:
    """Build the tab inside the Blocks of the shell."""
    actions = SearchActions(studio.backend, Path(studio.settings.data) / "indexes", studio.settings.manage)
    parts = search_layout(actions, studio)
    SearchTab(actions, parts, studio).wire()
    SearchEndpoints(actions, studio).wire(parts.held)


class SearchTab:
    """The handlers of the page."""

    def __init__(self, actions: SearchActions, parts: SearchParts, studio: Studio) -> None:
        self.actions = actions
        self.parts = parts
        self.visitors = studio.visitors

    def wire(self) -> None:
        """Every event."""
        parts, index = self.parts, self.parts.index
        made = [parts.held, index.progress, index.facts, index.run, index.extend, index.stop, index.scenes]
        outputs = [*made, parts.notice, parts.found, parts.chips]
        work: dict[str, Any] = {"outputs": outputs, "concurrency_limit": None, **INSIDE}
        asked = [parts.held, index.model, *index.album.inputs]
        index.run.click(self.on_run, asked, **work)
        index.extend.click(self.on_extend, asked, **work)
        index.scenes.click(self.on_scenes, [parts.held, index.model], **work)
        index.stop.click(self.on_stop, parts.held, index.stop, **INSIDE)
        index.sent.upload(self.on_open, index.sent, outputs, **INSIDE)
        index.listed.input(self.on_listed, index.listed, outputs, **INSIDE)
        index.download.click(self.on_download, parts.held, [index.saved, parts.notice], **INSIDE).then(
            None, index.saved, None, js=SAVE
        )
        index.keep.click(self.on_keep, [parts.held, index.name], [parts.notice, index.listed], **INSIDE)
        parts.kind.change(
            self.on_kind, parts.kind, [parts.by_words, parts.by_picture, parts.rerank], queue=False, **INSIDE
        )
        shown = [parts.found, parts.notice]
        search: dict[str, Any] = {
            "inputs": [parts.held, parts.words, parts.count, parts.rerank],
            "outputs": shown,
            "concurrency_limit": None,
            "trigger_mode": "always_last",
            **INSIDE,
        }
        gr.on([parts.words.submit, parts.go.click], self.on_words, **search)
        for chip, text in zip(parts.chip, SUGGESTED, strict=True):
            chip.click(lambda text=text: text, None, parts.words, queue=False, **INSIDE).then(self.on_words, **search)
        refuse(parts.picture, parts.notice)
        parts.go_picture.click(self.on_picture, [parts.held, parts.picture, parts.count], shown, **INSIDE)
        parts.found.select(self.on_more, [parts.held, parts.count], shown, **INSIDE)

    def on_run(
        self,
        request: gr.Request,
        held: Held | None,
        model: str,
        sent: Sequence[str] | None,
        folder: str | None,
        found: Gathered,
    ) -> Iterator[Updates]:
        """Index the album, in place of what was indexed before."""
        held = held or Held()
        yield from self._build(request, held, model, lambda: self.parts.index.album.take(sent, folder, found), False)

    def on_extend(
        self,
        request: gr.Request,
        held: Held | None,
        model: str,
        sent: Sequence[str] | None,
        folder: str | None,
        found: Gathered,
    ) -> Iterator[Updates]:
        """Index those pictures of the album that the index has not."""
        held = held or Held()
        yield from self._build(request, held, model, lambda: self.parts.index.album.take(sent, folder, found), True)

    def on_scenes(self, request: gr.Request, held: Held | None, model: str) -> Iterator[Updates]:
        """Index the pictures that come with the project."""
        held = held or Held()
        for updates in self._build(request, held, model, scenes, False):
            done = updates.get(self.parts.held)
            is_done = isinstance(done, Held) and done.index is not None and done is not held
            yield updates | ({self.parts.chips: gr.update(visible=True)} if is_done else {})

    def _build(
        self, request: gr.Request, held: Held | None, model: str, album: Callable[[], Gathered], extend: bool
    ) -> Iterator[Updates]:
        held = held or Held()
        index, said = self.parts.index, notice(QUIET)
        ended: Updates = {}
        try:
            with self.visitors.admitted(request.session_hash or ""):
                found = album()
                with closing(self.actions.build(held, found, model or "", extend)) as steps:
                    for step in steps:
                        bar = search_view.progress_bar(step, True)
                        updates = {index.progress: gr.update(value=bar, visible=True)}
                        if step.held is not None:
                            held = step.held
                            updates |= {self.parts.held: held, self.parts.notice: notice(QUIET)} | self._buttons(
                                held, True
                            )
                        yield updates
                left = step.counts.total - step.counts.done
                if not held.opened():
                    said = notice(Notice(NONE_READ, failed=True))
                elif left:
                    said = notice(Notice(f"Stopped with {pictures(left)} left; what is done can be searched."))
                ended = {
                    self.parts.found: READY if held.opened() else EMPTY,
                    self.parts.chips: gr.update(visible=False),
                }
        except Exception as error:
            said = sorry(error)
        # One step with all that the stream changed: gradio may merge two, and what only the first names would be lost.
        ended |= {self.parts.held: held, index.progress: gr.update(visible=False), self.parts.notice: said}
        yield ended | self._buttons(held, False)

    def on_stop(self, held: Held | None) -> Any:
        """End the indexing; what is done stays."""
        held = held or Held()
        held.stop.set()
        return gr.update(interactive=False, value="Stopping …")

    def on_open(self, path: str | None) -> Updates:
        """Open an index that the visitor sent."""
        return self._open(lambda: self.actions.open(path)) if path else {}

    def on_listed(self, name: str) -> Updates:
        """Open an index that is kept on the server."""
        return self._open(lambda: self.actions.open_saved(name)) if name else {}

    def _open(self, opened: Callable[[], Held]) -> Updates:
        try:
            held = opened()
        except Exception as error:
            return {self.parts.notice: sorry(error)}
        return {
            self.parts.held: held,
            self.parts.notice: notice(QUIET),
            self.parts.found: READY,
            self.parts.chips: gr.update(visible=False),
        } | self._buttons(held, False)

    def on_download(self, held: Held | None) -> tuple[Any, Any]:
        """Hand the index to the browser."""
        held = held or Held()
        try:
            return str(self.actions.download(held)), notice(QUIET)
        except Exception as error:
            return None, sorry(error)

    def on_keep(self, held: Held | None, name: str | None) -> tuple[Any, Any]:
        """Keep the index on the server."""
        held = held or Held()
        try:
            said = self.actions.save(held, name or "")
            listed = [("None", ""), *[(each, each) for each in self.actions.saved()]]
            return notice(Notice(said)), gr.update(choices=listed)
        except Exception as error:
            return sorry(error), gr.skip()

    def on_kind(self, kind: str) -> tuple[Any, ...]:
        """Show the box for words, or the frame for a picture."""
        words = gr.update(visible=kind == "words")
        return words, gr.update(visible=kind == "picture"), words

    def on_words(
        self, request: gr.Request, held: Held | None, words: str, count: float, rerank: bool
    ) -> Iterator[tuple[Any, Any]]:
        """Search by words: what ITC found at once, then as ITM ranks it."""
        held = held or Held()
        try:
            with self.visitors.admitted(request.session_hash or ""):
                held.opened()
                yield SKELETON, notice(QUIET)
                with closing(self.actions.words(held, words or "", how_many(count), bool(rerank))) as steps:
                    for found in steps:
                        yield search_view.results(held, found, words), gr.skip()
        except Exception as error:
            yield (READY if held.index is not None else EMPTY), sorry(error)

    def on_picture(self, request: gr.Request, held: Held | None, seen: Seen, count: float) -> tuple[Any, Any]:
        """Search by picture."""
        held = held or Held()
        try:
            with self.visitors.admitted(request.session_hash or ""):
                found = self.actions.picture(held, seen, how_many(count))
            return search_view.results(held, found), notice(QUIET)
        except Exception as error:
            return (READY if held.index is not None else EMPTY), sorry(error)

    def on_more(self, event: gr.EventData, held: Held | None, count: float) -> tuple[Any, Any]:
        """The pictures like one that was found."""
        held = held or Held()
        try:
            at = int(event._data["at"])
            found = self.actions.more(held, at, how_many(count))
            return search_view.results(held, found, like=at), notice(QUIET)
        except Exception as error:
            return gr.skip(), sorry(error)

    def _buttons(self, held: Held, running: bool) -> Updates:
        """What can be pressed now, and what is in the index."""
        index = self.parts.index
        has = held.index is not None
        return {
            index.run: gr.update(visible=not running, value="Index anew" if has else "Index"),
            index.extend: gr.update(visible=not running and has),
            index.stop: gr.update(visible=running, interactive=True, value="Stop"),
            index.scenes: gr.update(visible=not running and not has),
            index.facts: gr.update(value=search_view.facts(held), visible=has),
        }
