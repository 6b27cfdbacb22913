"""The models tab, wired: what is loaded and how it does, refreshed while it is looked at; load, unload, check.

The work is `models_actions`' and the HTML `models_view`'s. Handlers only pass values.
"""

from collections.abc import Callable, Iterator
from typing import Any

import gradio as gr
from gradio.context import get_render_context

from blip2.errors import Blip2Error
from blip2.ui import models_view as view
from blip2.ui.models_actions import ModelsActions, versions
from blip2.ui.notice import notice, notice_line
from blip2.ui.studio import Studio
from blip2.ui.visit import QUIET, Notice

EVERY = 2.0  # seconds between two looks
QUIETLY: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
# Where the visitor is: "here", "away" in another window, or "gone" to another tab of the page.
WHERE = "() => { const at = document.getElementById('models-cards'); " + (
    "return at && at.offsetParent !== null ? (document.hidden ? 'away' : 'here') : 'gone'; }"
)


def models_tab(studio: Studio) -> None:
    """Build the tab inside the Blocks of the shell."""
    tab = get_render_context()
    actions = ModelsActions(studio.backend, studio.settings.manage)
    ModelsTab(studio, actions).wire(tab)


class ModelsTab:
    """The tab's components and handlers."""

    def __init__(self, studio: Studio, actions: ModelsActions) -> None:
        self.studio = studio
        self.actions = actions
        now = actions.overview()
        self.figures = gr.HTML(view.figures(now), elem_id="models-figures", padding=False)
        with gr.Row(elem_id="models-bar", equal_height=True):
            self.model = gr.Dropdown(
                [(card.title, card.name) for card in now.cards],
                value=None,
                label="Model to check, or to load or unload" if actions.manage else "Model to check",
                filterable=False,
                elem_id="models-model",
                scale=4,
            )
            managed, off = {"visible": actions.manage}, {"interactive": False, "scale": 0, "min_width": 104}
            self.load = gr.Button("Load", variant="primary", elem_id="models-load", **managed, **off)
            self.unload = gr.Button("Unload", elem_id="models-unload", **managed, **off)
            self.check = gr.Button("Check", elem_id="models-check", **off)
            self.stop = gr.Button("Stop", elem_id="models-stop", visible=False, scale=0, min_width=104)
        self.fit = gr.HTML(view.fit(None), elem_id="models-fit", padding=False)
        self.notice = notice_line("models-notice")
        self.result = gr.HTML(elem_id="models-result", visible=False, padding=False)
        if not actions.manage:
            gr.HTML(view.READ_ONLY, elem_id="models-closed", padding=False)
        self.cards = gr.HTML(view.cards(now.cards), elem_id="models-cards", padding=False)
        gr.HTML(view.versions(versions()), elem_id="models-versions", padding=False)
        self.where = gr.Textbox(visible=False, elem_id="models-where")
        self.timer = gr.Timer(EVERY, active=False)

    def wire(self, tab: Any) -> None:
        """Every event; `tab` is what the components stand in."""
        seen = [self.figures, self.cards]
        ticking: dict[str, Any] = {"queue": False, **QUIETLY}
        self.timer.tick(self.on_tick, self.where, [*seen, self.timer], js=WHERE, **ticking)
        opened = tab.select if isinstance(tab, gr.Tab) else tab.load
        opened(self.on_open, None, [*seen, self.timer], **ticking)
        chosen = [self.fit, self.result, *self._buttons]
        self.model.change(self.on_choose, self.model, chosen, **QUIETLY)
        changed = [self.notice, *seen, *chosen]
        self.load.click(self.on_load, self.model, changed, **QUIETLY)
        self.unload.click(self.on_unload, self.model, changed, **QUIETLY)
        checked = [self.notice, self.result, self.check, self.stop]
        # A stopped check may still be at its last question when the next one is asked for.
        again: dict[str, Any] = {"trigger_mode": "multiple", "concurrency_limit": None}
        checking = self.check.click(self.on_check, self.model, checked, **again, **QUIETLY)
        self.stop.click(self.on_stop, None, checked, cancels=[checking], **QUIETLY)
        for endpoint in (self.models, self.load_model, self.unload_model, self.doctor):
            gr.api(endpoint, api_name=endpoint.__name__)

    @property
    def _buttons(self) -> list[Any]:
        return [self.load, self.unload, self.check]

    def on_tick(self, where: str) -> tuple[Any, Any, Any]:
        """How everything is now, unless nobody looks; the clock stops when the visitor has gone to another tab."""
        if where == "here":
            return (*self._seen(), gr.skip())
        return gr.skip(), gr.skip(), gr.Timer(active=False) if where == "gone" else gr.skip()

    def on_open(self) -> tuple[Any, Any, Any]:
        """The visitor looks: show everything as it is now, and go on doing so."""
        return *self._seen(), gr.Timer(active=True)

    def on_choose(self, name: str | None) -> tuple[Any, ...]:
        """Whether the chosen model would fit, and what can be done with it."""
        found = self.actions.fits(name)
        loaded = name in self.studio.backend.stats().loaded
        can = (found is not None and found.fits and not loaded, loaded, loaded)
        return view.fit(found), _HIDDEN, *(gr.update(interactive=each) for each in can)

    def on_load(self, request: gr.Request, name: str | None) -> Iterator[tuple[Any, ...]]:
        """Load the chosen model."""
        yield from self._change(request, self.actions.load, name)

    def on_unload(self, request: gr.Request, name: str | None) -> Iterator[tuple[Any, ...]]:
        """Unload the chosen model."""
        yield from self._change(request, self.actions.unload, name)

    def on_check(self, request: gr.Request, name: str | None) -> Iterator[tuple[Any, ...]]:
        """Check the chosen model, saying how far it is."""
        working, idle = (gr.update(visible=False), gr.update(visible=True)), (gr.update(visible=True), _HIDDEN)
        try:
            with self.studio.visitors.admitted(request.session_hash or ""):
                said = notice(QUIET)  # once: what is said meanwhile, that it was stopped, is not to be wiped away
                for progress in self.actions.check(name):
                    shown = gr.update(value=view.check(progress), visible=True)
                    yield said, shown, *(idle if progress.share == 1 else working)
                    said = gr.skip()
        except Blip2Error as error:
            yield notice(Notice(str(error), failed=True)), _HIDDEN, *idle

    def on_stop(self) -> tuple[Any, ...]:
        """Stop checking."""
        return notice(Notice("The check was stopped.")), _HIDDEN, gr.update(visible=True), _HIDDEN

    def models(self) -> dict[str, Any]:
        """The models that are loaded or may be: state, device, dtype, memory in bytes, tokens a second over the last
        two minutes, requests running and waiting, and the share of prompts that was not read again; beside them the
        counts of encoded pictures and the memory of the program and of the GPUs."""
        return self.actions.overview().to_json()

    def load_model(self, model: str, request: gr.Request) -> dict[str, Any]:
        """Load a model, if the administrator allows that and it fits. Answers with `ok`, a sentence in `said`, and
        whether it fits, in `fits`."""
        fits = self.actions.fits(model)
        *_, last = self._admitted(request, self.actions.load, model)
        return {"ok": not last.failed, "said": last.text, "fits": fits.sentence if fits else ""}

    def unload_model(self, model: str, request: gr.Request) -> dict[str, Any]:
        """Unload a model, if the administrator allows that; what it was answering ends with a sentence. Answers with
        `ok` and a sentence in `said`."""
        *_, last = self._admitted(request, self.actions.unload, model)
        return {"ok": not last.failed, "said": last.text}

    def doctor(self, model: str, request: gr.Request) -> dict[str, Any]:
        """Check a loaded model: its self-checks, published answers whose pictures are at hand, and scenes for the
        bundled models. Answers with `ok`, `error` and all that was found."""
        try:
            with self.studio.visitors.admitted(request.session_hash or ""):
                *_, last = self.actions.check(model)
                return last.found
        except Blip2Error as error:
            return {"model": model, "ok": False, "error": str(error)}

    def _admitted(
        self, request: gr.Request, act: Callable[[str | None], Iterator[Notice]], name: str | None
    ) -> Iterator[Notice]:
        """What an action says, within the visitor's share."""
        try:
            with self.studio.visitors.admitted(request.session_hash or ""):
                yield from act(name)
        except Blip2Error as error:
            yield Notice(str(error), failed=True)

    def _change(
        self, request: gr.Request, act: Callable[[str | None], Iterator[Notice]], name: str | None
    ) -> Iterator[tuple[Any, ...]]:
        still = (gr.update(interactive=False),) * 3
        for count, each in enumerate(self._admitted(request, act, name)):
            if count or each.failed:
                yield notice(each), *self._seen(), *self.on_choose(name)
            else:
                yield notice(each), *self._seen(), gr.skip(), gr.skip(), *still

    def _seen(self) -> tuple[str, str]:
        now = self.actions.overview()
        return view.figures(now), view.cards(now.cards)


_HIDDEN = gr.update(visible=False)
