"""Captions as markup: nothing in a text becomes a tag, and what is shown is said."""

from blip2.captioning import Captioned
from blip2.ui.caption_actions import Progress
from blip2.ui.caption_sheet import Counts, Line
from blip2.ui.caption_view import cards, progress_bar, table
from blip2.values import Candidate

HOSTILE = '"><img src=x onerror=alert(1)>&{{value}}'


def line(text: str = HOSTILE, name: str = HOSTILE, **more: object) -> Line:
    return Line(name, Captioned(name, "d", (Candidate(text, confidence=0.5), Candidate("other " + text))), **more)  # type: ignore[arg-type]


def test_no_text_becomes_markup() -> None:
    answer = Captioned("x", "d", (Candidate(HOSTILE), Candidate(HOSTILE)), (0.9, 0.1)).to_json()
    broken = Line(HOSTILE, Captioned(HOSTILE, error=HOSTILE))
    shown = cards(answer, HOSTILE) + table([(0, line()), (1, broken)], lambda _: b"", HOSTILE, True)
    shown += table([(0, line())], lambda _: b"", HOSTILE, False)
    assert "<img" not in shown
    assert "&lt;img" in shown
    assert 'data-copy="&quot;&gt;&lt;img' in shown


def test_cards_say_match_and_confidence() -> None:
    answer = Captioned("x", "d", (Candidate("a", confidence=0.25), Candidate("")), (0.9, 0.1)).to_json()
    shown = cards(answer)
    assert "Match 90%" in shown
    assert "Confidence 25%" in shown
    assert "an empty caption" in shown
    assert "Ranked by match" in shown
    assert "Match" not in cards(Captioned("x", "d", (Candidate("a"),)).to_json())


def test_the_table_is_editable_or_not_and_shows_why_there_is_no_caption() -> None:
    rows = [(7, line("a ball", "a.png")), (8, Line("b.png", Captioned("b.png", error="It is broken.")))]
    shown = table(rows, lambda _: b"jpeg", "heading", True)
    assert '<textarea rows="1" data-row="7" aria-label="Caption of a.png"' in shown
    assert 'data-row="8"' not in shown
    assert "It is broken." in shown
    assert "data:image/jpeg;base64,anBlZw==" in shown
    assert "other a ball" in shown
    assert "textarea" not in table(rows, lambda _: b"", "heading", False)
    assert "<th>Confidence</th>" in shown
    matched = Line("a.png", Captioned("a.png", "d", (Candidate("a", confidence=0.5),), (0.9,)))
    shown = table([(0, matched)], lambda _: b"", "", True)
    assert "<th>Match</th>" in shown
    assert ">90%<" in shown
    assert "yours" in table([(0, line("a", "a.png", edited="mine"))], lambda _: b"", "", True)


def test_the_bar_says_how_far_how_fast_and_how_long() -> None:
    shown = progress_bar(Progress(Counts(1000, 240, 10), 250, 25.0), True)
    for part in ("250 of 1,000", "10.0 a second", "1:15 left", "10 could not be captioned", "width:25.0%"):
        assert part in shown
    assert "30 a minute" in progress_bar(Progress(Counts(10, 1), 1, 2.0), True)
    assert "took 0:25" in progress_bar(Progress(Counts(250, 250), 250, 25.0), False)
    assert "took under a second" in progress_bar(Progress(Counts(6, 6), 6, 0.4), False)
    assert "took" not in progress_bar(Progress(Counts(6), 0, 2.0), True)  # it is still at it
    assert "0 of 0" in progress_bar(Progress(Counts()), False)
