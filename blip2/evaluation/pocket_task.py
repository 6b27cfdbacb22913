"""The bundled models' evaluation: fresh scenes with questions, captions and sentences to match.

The scenes and questions are those of `blip2.pocket.exam`, drawn from evaluation seeds that no training used. Without
the emoji font the committed scenes are taken, and a note says so.
"""

from collections.abc import Callable, Iterable, Iterator
from functools import partial

from blip2.evaluation.examples import Dataset, Example
from blip2.memory import Family
from blip2.pocket.committed import load_committed
from blip2.pocket.dialogue import prompt
from blip2.pocket.exam import Ask, Sheet, draw_sheets
from blip2.pocket.marking import right
from blip2.pocket.reading import read
from blip2.pocket.sprites import FontMissing, font_file
from blip2.pocket.world import Scene
from blip2.values import Picture

SCENES = 200
CAPTION = "caption"


def pocket(family: Family, scenes: int | None = None, seed: int = 0) -> Dataset:
    """So many fresh scenes (200 by default) with all that is asked of them; `family` itm gets pairs of sentences."""
    try:
        font_file()
    except FontMissing as error:
        notes: tuple[str, ...] = (f"{error} Until then the committed scenes are used.",)
        sheets: Iterable[tuple[str, Sheet, Callable[[], Picture]]] = (
            (picture.name, sheet, partial(_same, picture)) for sheet, picture in load_committed(scenes)
        )
        split = "committed scenes"
    else:
        notes, split = (), f"fresh scenes, seed {seed}"
        sheets = (
            (f"scene {number}", sheet, partial(draw, sheet.scene))
            for number, sheet in enumerate(draw_sheets(SCENES if scenes is None else scenes, seed))
        )
    asked = _pairs if family == "itm" else _questions
    made = [example for name, sheet, picture in sheets for example in asked(name, sheet, picture)]
    return Dataset("Pocket scenes", split, tuple(made), notes=notes)


def draw(scene: Scene) -> Picture:
    """The scene's picture, as the page would show it."""
    from blip2.images import picture_from
    from blip2.pocket.scenes import render

    return picture_from(render(scene))


def is_right(example: Example, answer: str) -> bool:
    """Whether an answer is right to the letter, or a caption names exactly the right things, colours and counts."""
    if example.answer_type == CAPTION:
        return read(answer).things == read(example.references[0]).things
    return right(answer, example.references[0])


def _questions(name: str, sheet: Sheet, picture: Callable[[], Picture]) -> Iterator[Example]:
    """Each turn after the right answers before it, as the report asks them."""
    for group, asks in (("talk", sheet.talk), ("unseen wording", sheet.unseen), ("unknowable", (sheet.unknowable,))):
        past: list[tuple[str, str]] = []
        for turn, ask in enumerate(asks):
            yield _question(f"{name} {group} {turn + 1}", name, picture, ask, past, group)
            past.append((ask.question, ask.answer))
    caption = _caption(sheet.scene)
    yield Example(
        f"{name} caption", name, picture, (caption,), "", sheet.caption_prompt, type=CAPTION, answer_type=CAPTION
    )


def _question(
    id_: str, name: str, picture: Callable[[], Picture], ask: Ask, past: list[tuple[str, str]], group: str
) -> Example:
    sent = prompt(past, ask.question)
    return Example(id_, name, picture, (ask.answer,), ask.question, sent, type=ask.type, answer_type=group)


def _pairs(name: str, sheet: Sheet, picture: Callable[[], Picture]) -> Iterator[Example]:
    for number, pair in enumerate(sheet.pairs, 1):
        texts = ((pair.true, True), (pair.false, False))
        yield Example(f"{name} pair {number}", name, picture, (pair.true,), type=pair.kind, texts=texts)


def _caption(scene: Scene) -> str:
    from blip2.pocket.captions import caption

    return caption(scene).text


def _same(picture: Picture) -> Picture:
    return picture
