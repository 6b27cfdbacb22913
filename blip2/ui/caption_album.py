"""Captioning many pictures, wired: run, cancel, resume, try again, edit, turn pages, take away."""

import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from typing import Any

import gradio as gr

from blip2 import caption_tables
from blip2.gathering import Gathered
from blip2.ui import caption_view
from blip2.ui.caption_actions import ALL_DONE, RUNNING, CaptionActions, Progress
from blip2.ui.caption_layout import CaptionParts
from blip2.ui.caption_sheet import Sheet, shown_range
from blip2.ui.caption_view import EMPTY_MANY, SHOWN
from blip2.ui.notice import notice
from blip2.ui.progress_bar import pictures
from blip2.ui.visit import QUIET, Notice, told
from blip2.ui.visitors import Visitors

QUIETLY: dict[str, Any] = {"show_progress": "hidden"}
INSIDE: dict[str, Any] = {**QUIETLY, "api_visibility": "private"}
SAVE = "(file) => { window.blip2Download(file); }"  # assets/script/caption.js
REDRAW = 1.0  # seconds between two drawings of the table while lines are added
NONE_YET = "There is nothing to take away yet; caption some pictures first."
Updates = dict[Any, Any]


class CaptionAlbum:
    """The handlers of the album's half of the tab."""

    def __init__(self, actions: CaptionActions, parts: CaptionParts, visitors: Visitors) -> None:
        self.actions = actions
        self.parts = parts
        self.many = parts.many
        self.visitors = visitors

    def wire(self) -> None:
        """Every event of this half."""
        many, said = self.many, self.parts.notice
        shown = [many.table, many.pages, many.earlier, many.later, many.start]
        outputs = [
            many.sheet, many.progress, many.run, many.cancel, many.again, many.clear, many.downloads.row, said, *shown,
        ]  # fmt: skip
        asked = [many.sheet, *many.album.inputs, *self.parts.knobs]
        run: dict[str, Any] = {"inputs": asked, "outputs": outputs, "concurrency_limit": None, **INSIDE}
        many.run.click(self.on_run, **run)
        many.again.click(self.on_again, **run)
        many.cancel.click(self.on_cancel, many.sheet, many.cancel, **INSIDE)
        many.clear.click(self.on_clear, many.sheet, outputs, **INSIDE)
        many.table.submit(self.on_edit, many.sheet, said, trigger_mode="multiple", **INSIDE)
        many.earlier.click(self.on_earlier, [many.sheet, many.start], shown, **INSIDE)
        many.later.click(self.on_later, [many.sheet, many.start], shown, **INSIDE)
        loads = many.downloads
        words = [many.sheet, loads.before, loads.after]
        for saved in (
            loads.csv.click(self.on_csv, many.sheet, [loads.saved, said], **INSIDE),
            loads.jsonl.click(self.on_jsonl, many.sheet, [loads.saved, said], **INSIDE),
            loads.texts.click(self.on_texts, words, [loads.saved, said], **INSIDE),
        ):
            saved.then(None, loads.saved, None, js=SAVE)

    def on_run(
        self, request: gr.Request, sheet: Sheet | None, sent: Sequence[str] | None, folder: str | None,
        found: Gathered, *knobs: Any,
    ) -> Iterator[Updates]:  # fmt: skip
        """Caption the album's pictures that have no caption yet; rows appear as they come."""
        yield from self._run(request, sheet or Sheet(), sent, folder, found, knobs, again=False)

    def on_again(
        self, request: gr.Request, sheet: Sheet | None, sent: Sequence[str] | None, folder: str | None,
        found: Gathered, *knobs: Any,
    ) -> Iterator[Updates]:  # fmt: skip
        """Try those again that could not be captioned."""
        yield from self._run(request, sheet or Sheet(), sent, folder, found, knobs, again=True)

    def _run(
        self, request: gr.Request, sheet: Sheet, sent: Sequence[str] | None, folder: str | None, found: Gathered,
        knobs: Sequence[Any], again: bool,
    ) -> Iterator[Updates]:  # fmt: skip
        parts, progress, said = self.many, Progress(sheet.counts()), QUIET
        visitor = request.session_hash or ""
        try:
            with self.visitors.admitted(visitor):
                album = parts.album.take(sent, folder, found)
                with closing(self.actions.many(sheet, album, knobs, visitor, again)) as steps:
                    drawn = 0.0
                    for progress in steps:
                        updates = {
                            parts.progress: gr.update(value=caption_view.progress_bar(progress, True), visible=True)
                        }
                        if progress.made == 0:
                            updates |= {parts.sheet: sheet, self.parts.notice: notice(QUIET)} | self._buttons(
                                sheet, True
                            )
                        if progress.made <= 1 or time.monotonic() - drawn >= REDRAW:
                            drawn = time.monotonic()
                            updates |= self._recent(sheet)
                        yield updates
            left = progress.counts.left
            said = Notice(f"Stopped with {pictures(left)} left; what is done stays.") if left else QUIET
        except Exception as error:
            said = Notice(told(error), failed=str(error) not in (ALL_DONE, RUNNING))
        if sheet.running:  # another run of this visitor's: its rows are shown by it
            yield {self.parts.notice: notice(said)}
            return
        bar = gr.update(value=caption_view.progress_bar(progress, False), visible=bool(progress.counts.total))
        yield (
            {parts.sheet: sheet, parts.progress: bar, self.parts.notice: notice(said)}
            | self._buttons(sheet, False)
            | (self._page(sheet, 0))
        )

    def on_cancel(self, sheet: Sheet | None) -> Any:
        """Give up the run; what is done stays."""
        if sheet is not None:
            sheet.stop()
        return gr.update(interactive=False, value="Stopping …")

    def on_clear(self, sheet: Sheet | None) -> Updates:
        """Forget all captions; the pictures stay."""
        sheet = sheet or Sheet()
        sheet.clear()
        return {
            self.many.sheet: sheet,
            self.many.progress: gr.update(value="", visible=False),
            self.parts.notice: notice(QUIET),
        } | self._buttons(sheet, False) | self._page(sheet, 0)  # fmt: skip

    def on_edit(self, event: gr.EventData, sheet: Sheet | None) -> Any:
        """Keep the visitor's own words for a picture."""
        told: dict[str, Any] = event._data if isinstance(event._data, dict) else {}
        at, text = told.get("row"), told.get("text")
        is_kept = sheet is not None and isinstance(at, int) and isinstance(text, str) and sheet.edit(at, text)
        return notice(QUIET if is_kept else Notice("This change was not kept; the results are gone.", failed=True))

    def on_earlier(self, sheet: Sheet | None, start: int) -> Updates:
        """The lines before those shown."""
        return self._page(sheet or Sheet(), max(int(start) - SHOWN, 0))

    def on_later(self, sheet: Sheet | None, start: int) -> Updates:
        """The lines after those shown."""
        return self._page(sheet or Sheet(), int(start) + SHOWN)

    def on_csv(self, sheet: Sheet | None) -> tuple[str | None, Any]:
        """The captions as CSV."""
        return self._saved(sheet, "captions.csv", lambda rows: "".join(caption_tables.csv_lines(rows)))

    def on_jsonl(self, sheet: Sheet | None) -> tuple[str | None, Any]:
        """The captions as JSON lines."""
        return self._saved(sheet, "captions.jsonl", lambda rows: "".join(caption_tables.json_lines(rows)))

    def on_texts(self, sheet: Sheet | None, before: str, after: str) -> tuple[str | None, Any]:
        """A text file for each picture, in a ZIP."""
        if sheet is None or not sheet.counts().done:
            return None, notice(Notice(NONE_YET))
        out = sheet.shelf.path / "captions.zip"
        caption_tables.write_text_files([line.to_json() for line in sheet.lines()], out, before or "", after or "")
        return str(out), notice(QUIET)

    def _saved(self, sheet: Sheet | None, name: str, write: Any) -> tuple[str | None, Any]:
        if sheet is None or not sheet.lines():
            return None, notice(Notice(NONE_YET))
        out = sheet.shelf.path / name
        out.write_bytes(write([line.to_json() for line in sheet.lines()]).encode())
        return str(out), notice(QUIET)

    def _buttons(self, sheet: Sheet, running: bool) -> Updates:
        """What can be pressed now."""
        parts, counts = self.many, sheet.counts()
        is_begun = bool(counts.done + counts.failed)
        failed = "the failed one" if counts.failed == 1 else f"the {counts.failed:,} failed"
        name = "Resume" if is_begun and counts.left else "Caption all"
        return {
            parts.run: gr.update(visible=not running, value=name),
            parts.cancel: gr.update(visible=running, interactive=True, value="Stop"),
            parts.again: gr.update(visible=not running and bool(counts.failed), value=f"Try {failed} again"),
            parts.clear: gr.update(visible=not running and is_begun),
            parts.downloads.row: gr.update(visible=not running and is_begun),
        }

    def _recent(self, sheet: Sheet) -> Updates:
        """The table while lines are added: the newest first, to be read only."""
        lines = [(0, line) for line in sheet.recent()]
        heading = "The captions made last, the newest first; all of them when the work is done."
        markup = caption_view.table(lines, sheet.thumbnail, heading, False) if lines else caption_view.SKELETON
        return {self.many.table: markup, self.many.pages: gr.update(visible=False)}

    def _page(self, sheet: Sheet, start: int) -> Updates:
        """The table from line `start` on, to be edited."""
        parts, total = self.many, len(sheet.lines())
        start = start if start < total else 0
        lines = sheet.numbered(start, SHOWN)
        heading = "Click a caption to change it."
        if total > SHOWN:
            heading = f"Pictures {shown_range(start, lines, total)}. {heading} Downloads hold all of them."
        return {
            parts.table: caption_view.table(lines, sheet.thumbnail, heading, True) if lines else EMPTY_MANY,
            parts.pages: gr.update(visible=total > SHOWN),
            parts.earlier: gr.update(interactive=start > 0),
            parts.later: gr.update(interactive=start + SHOWN < total),
            parts.start: start,
        }
