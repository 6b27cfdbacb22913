"""The compare tab's components and where they stand. Nothing is wired here."""

from collections.abc import Sequence
from dataclasses import dataclass

import gradio as gr

from blip2.ui import asking, compare_view, compare_visit
from blip2.ui.chat_layout import KEPT
from blip2.ui.chat_view import escape
from blip2.ui.compare_actions import CompareActions
from blip2.ui.decoding_panel import START, DecodingPanel, decoding_panel
from blip2.ui.examples import Example
from blip2.ui.notice import notice_line
from blip2.ui.picture import PictureFrame, picture_frame
from blip2.values import Decoding, ModelInfo
from blip2.votes import Verdict


@dataclass(frozen=True)
class Contestant:
    """What is chosen for one of the two: its model and its settings, under its title."""

    model: gr.Dropdown
    title: gr.HTML
    panel: DecodingPanel


@dataclass(frozen=True)
class Results:
    """The votes of all: folded away, so that they sway nobody."""

    fold: gr.Accordion
    shown: gr.HTML
    counts: gr.Button
    mine: gr.Button
    saved: gr.JSON


@dataclass(frozen=True)
class CompareParts:
    """The tab's components."""

    visit: gr.State
    picture: PictureFrame
    remark: gr.HTML
    gallery: gr.Gallery | None
    blind: gr.Checkbox
    again: gr.Button
    undo: gr.Button
    clear: gr.Button
    rounds: gr.HTML
    votes: gr.Column
    buttons: dict[Verdict, gr.Button]
    asked: gr.HTML
    notice: gr.HTML
    chips: list[gr.Button]
    box: gr.Textbox
    contestants: tuple[Contestant, Contestant]
    results: Results


def compare_layout(actions: CompareActions, shown: Sequence[Example]) -> CompareParts:
    """Build the components, empty and unwired, inside the tab: the picture left, the answers right, the votes below."""
    first, second = actions.defaults()
    visit = gr.State(compare_visit.empty(first, second), time_to_live=KEPT)
    with gr.Row(elem_id="compare-cols", equal_height=False):
        with gr.Column(scale=4, min_width=280, elem_id="compare-left"):
            picture = picture_frame("compare-image", "The picture that both models are asked about")
            remark = gr.HTML(elem_id="compare-remark", visible=False, padding=False)
            gallery = asking.example_row(shown, "compare-examples")
        with gr.Column(scale=10, min_width=320, elem_id="compare-right"):
            one, other, blind, again, undo, clear = _bar(actions.models, first, second)
            rounds = gr.HTML(compare_view.rounds(visit.value, actions.models), elem_id="compare-rounds", padding=False)
            notice = notice_line("compare-notice")
            votes, buttons, asked = _votes()
            chips = asking.chip_row("compare-chips")
            box = asking.question_box("compare-box", "Your question to both models", "Ask both about the picture")
            with gr.Row(elem_id="compare-panels", equal_height=False):
                contestants = (
                    _contestant("compare-a", one, actions.models),
                    _contestant("compare-b", other, actions.models, greedy=first == second),
                )
    return CompareParts(
        visit, picture, remark, gallery, blind, again, undo, clear, rounds, votes, buttons, asked, notice, chips, box,
        contestants, _results(),
    )  # fmt: skip


def _bar(
    models: Sequence[ModelInfo], first: str, second: str
) -> tuple[gr.Dropdown, gr.Dropdown, gr.Checkbox, gr.Button, gr.Button, gr.Button]:
    with gr.Row(elem_id="compare-bar", equal_height=True):
        one = _model(models, first, "First model", "compare-a-model")
        other = _model(models, second, "Second model", "compare-b-model")
        blind = gr.Checkbox(False, label="Blind", container=False, elem_id="compare-blind", min_width=0, scale=0)
        again = gr.Button("Ask again", size="sm", elem_id="compare-again", min_width=0, scale=0, interactive=False)
        undo = gr.Button("Undo", size="sm", elem_id="compare-undo", min_width=0, scale=0, interactive=False)
        clear = gr.Button("New", size="sm", elem_id="compare-clear", min_width=0, scale=0)
    return one, other, blind, again, undo, clear


def _model(models: Sequence[ModelInfo], value: str, label: str, elem_id: str) -> gr.Dropdown:
    return gr.Dropdown(
        [(info.title, info.name) for info in models],
        value=value or None,
        label=label,
        container=False,
        show_label=False,
        filterable=False,
        elem_id=elem_id,
        elem_classes="model",
    )


def _votes() -> tuple[gr.Column, dict[Verdict, gr.Button], gr.HTML]:
    with gr.Column(elem_id="compare-votes", visible=False) as votes:
        asked = gr.HTML(elem_id="compare-asked", padding=False)
        with gr.Row(elem_id="compare-vote-buttons"):
            buttons = {
                verdict: gr.Button(words, size="sm", elem_id=f"compare-vote-{verdict}", min_width=0)
                for verdict, words in compare_view.VERDICTS.items()
            }
    return votes, buttons, asked


def _contestant(prefix: str, model: gr.Dropdown, models: Sequence[ModelInfo], greedy: bool = False) -> Contestant:
    with gr.Column(min_width=240, elem_id=f"{prefix}-panel"):
        title = gr.HTML(panel_title(models, model.value), elem_id=f"{prefix}-title", padding=False)
        panel = decoding_panel(prefix, Decoding("greedy") if greedy else START)
    return Contestant(model, title, panel)


def panel_title(models: Sequence[ModelInfo], name: str | None) -> str:
    """The line over a panel of settings: whose they are."""
    title = next((info.title for info in models if info.name == name), "")
    return f'<h2 class="quiet-title">{escape(title)}</h2>'


def _results() -> Results:
    with gr.Accordion("Results of all votes", open=False, elem_id="compare-results") as fold:
        shown = gr.HTML(elem_id="compare-tally", padding=False)
        with gr.Row(elem_id="compare-files"):
            counts = gr.Button("Save the counts (CSV)", size="sm", elem_id="compare-save-counts", min_width=0, scale=0)
            mine = gr.Button("Save my votes (CSV)", size="sm", elem_id="compare-save-mine", min_width=0, scale=0)
    return Results(fold, shown, counts, mine, gr.JSON(visible=False))
