"""The components that take many pictures: dropped files and ZIP files, and a folder where the administrator allows any.

Caption, Match and Search use them alike. What is found is a `Gathered` in the visitor's own state; the files stay on
disk. The line below says how many there are, or why there are none.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr

from blip2.errors import BadInput
from blip2.gathering import NOTHING, Gathered, folder_names, gathered
from blip2.ui.fields import FileDrop, file_drop
from blip2.ui.notice import notice, notice_line, sorry
from blip2.ui.studio import Studio
from blip2.ui.visit import QUIET, Notice

KEPT = 86_400  # seconds that unpacked pictures outlive the visit
READING = "Reading the files …"
NONE = "There is no picture yet; drop some, or a ZIP file of them."
NONE_BUT_FOLDER = "There is no picture yet; drop some, or a ZIP file of them, or choose a folder."


@dataclass(frozen=True)
class Album:
    """The components. Handlers take `inputs` and hand their values to `take`."""

    files: FileDrop
    folder: gr.components.Component
    found: gr.State
    said: gr.HTML
    allowed: tuple[str, ...] = ()

    @property
    def inputs(self) -> list[gr.components.Component]:
        """The components whose values `take` wants, in its order."""
        return [self.files, self.folder, self.found]

    def take(self, sent: Sequence[str] | None, folder: str | None, found: Gathered) -> Gathered:
        """The pictures that are in the components now, which may be newer than `found`. Raises `BadInput` for none."""
        now = tuple(str(each) for each in sent or ())
        if (now, (folder or "").strip()) != (found.sent, found.folder):
            found = gathered(now, folder or "", self.allowed)
        if not found:
            raise BadInput(NONE_BUT_FOLDER if self.allowed else NONE)
        return found

    def on_change(self, sent: Sequence[str] | None, folder: str | None) -> Iterator[tuple[Any, Any]]:
        """Look what was sent, and say how many pictures it is."""
        if not sent and not (folder or "").strip():
            yield NOTHING, notice(QUIET)
            return
        yield gr.skip(), notice(Notice(READING))
        try:
            found = gathered([str(each) for each in sent or ()], folder or "", self.allowed)
            yield found, notice(Notice(found.summary() or "There is no picture in this folder."))
        except Exception as error:
            yield NOTHING, sorry(error)


def album(studio: Studio, prefix: str, label: str = "Pictures, or ZIP files of them") -> Album:
    """Build the components and wire what they do alone. `prefix` makes their element ids.

    They are `<prefix>-files`, `<prefix>-folder` and, for the line that says what was found, `<prefix>-found`.
    """
    allowed = studio.settings.folders
    with gr.Group(elem_id=f"{prefix}-album", elem_classes="album"):
        files = file_drop("pictures", label=label, file_count="multiple", elem_id=f"{prefix}-files")
        folder: gr.components.Component = gr.State("")
        if allowed:
            names = list(folder_names(allowed))
            folder = gr.Dropdown(
                [("No folder", ""), *[(name, name) for name in names]],
                value="",
                label="Or a folder of the server",
                info=f"A folder within one works too: type it, such as {names[0]}/summer.",
                allow_custom_value=True,
                elem_id=f"{prefix}-folder",
            )
        said = notice_line(f"{prefix}-found")
    made = Album(files, folder, gr.State(NOTHING, time_to_live=KEPT), said, allowed)
    gr.on(
        [files.change, *([folder.change] if allowed else [])],
        made.on_change,
        [files, folder],
        [made.found, said],
        show_progress="hidden",
        trigger_mode="always_last",
        api_visibility="private",
    )
    return made
