"""Matches as markup: sorted bars, a matrix with its scale, words with their maps; nothing typed becomes markup."""

import base64
import io
import re

import numpy as np
from PIL import Image

from blip2.images import picture_from
from blip2.matching import Label
from blip2.ui import match_heat, match_view
from blip2.ui.match_actions import Classes, Extracted, Table, Where
from blip2.values import Attention, Features, Match

HOSTILE = "<img src=x onerror=alert(1)>"


def table(itm: list[list[float]], itc: list[list[float]], texts: tuple[str, ...], **more: object) -> Table:
    made = Match(np.asarray(itm, np.float32), np.asarray(itc, np.float32))
    names = tuple(f"{at}.png" for at in range(len(itm)))
    return Table("m", texts, len(itm), names, made, (b"jpeg",) * len(itm), **more)  # type: ignore[arg-type]


def heads(markup: str) -> list[str]:
    return re.findall(r'<th scope="row"[^>]*>(.*?)</th>', markup)


def test_bars_are_sorted_by_itm_with_numbers_and_a_scale_of_their_own() -> None:
    markup = match_view.bars(table([[0.1, 0.9, 0.5]], [[0.4, -0.2, 0.1]], ("low", HOSTILE, "mid")))
    assert heads(markup) == ["&lt;img src=x onerror=alert(1)&gt;", "mid", "low"]
    assert re.findall(r"<b>(\d.*?)</b>", markup)[:2] == ["90.0%", "50.0%"]
    assert "−0.200 to 0.400" in markup
    assert "--share:1.000" in markup  # the highest cosine fills its bar, whatever it is
    assert "ITM</b>" in markup
    assert "<img src=x" not in markup


def test_equal_cosines_do_not_divide_by_zero() -> None:
    markup = match_view.bars(table([[0.5, 0.5]], [[0.3, 0.3]], ("a", "b")))
    assert "nan" not in markup
    assert "0.300" in markup


def test_the_matrix_shows_both_measures_marks_the_best_and_lists_what_failed() -> None:
    made = table([[0.25, 0.75], [1, 0]], [[0, 0.5], [-0.5, 0.1]], ("a", HOSTILE), failed=(("x.png", "No picture."),))
    markup = match_view.matrix(made, False)
    assert heads(markup)[0].endswith("<span>0.png</span>")
    assert markup.count("<td") == 4
    assert markup.count("class=best") == 2
    assert "--p:0.250;--c:0.500" in markup
    assert "x.png</b> No picture." in markup
    assert "<img src=x" not in markup
    assert 'aria-valuenow="3"' in match_view.progress(made, True)
    assert "1 could not be opened" in match_view.progress(made, True)


def test_without_a_picture_that_can_be_read_there_are_reasons_and_no_empty_matrix() -> None:
    table = Table("m", ("a dog",), 1, failed=(("a.png", "The picture 'a.png' is damaged; save it anew."),))
    markup = match_view.matrix(table, False)
    assert "is damaged" in markup
    assert "<table" not in markup
    assert markup.count("a.png") == 1, "a name is not said twice"


def test_a_large_matrix_is_cut_and_says_so() -> None:
    texts = tuple(f"text {at}" for at in range(100))
    made = table([[0.5] * 100] * 60, [[0.1] * 100] * 60, texts)
    markup = match_view.matrix(made, False)
    assert markup.count("<tr>") == match_view.CELLS // 100 + 1
    assert "the downloads hold all" in markup
    assert "59.png" in match_view.matrix(made, True)  # while it runs, the rows made last


def test_labels_with_shares_and_what_the_pocket_model_does_not_know() -> None:
    found = (Label("dog", "a photo of a dog", 0.9, 0.4, 0.9), Label(HOSTILE, HOSTILE, 0.1, 0.2, 0.1))
    markup = match_view.labels(Classes("m", "a.png", found, True, ("zeppelin",)))
    assert heads(markup)[0].startswith("dog<small>a photo of a dog")
    assert "never seen zeppelin" in markup
    assert "A guess" in markup
    assert "<img src=x" not in markup


def test_where_a_word_matched_is_drawn_and_told() -> None:
    corner = np.zeros((6, 6), np.float32)
    corner[0, 5] = 1
    maps = np.stack([np.full((6, 6), 1 / 36, np.float32), corner])
    picture = picture_from(Image.new("RGB", (60, 40), "teal"))
    markup = match_view.where(Where(picture, "dog", Attention(maps, ("", HOSTILE))))
    assert markup.count('type="radio"') == 2
    assert heads(markup) == ["the whole text", "&lt;img src=x onerror=alert(1)&gt;"]
    assert '<td>top right</td><td class="number">100.0%</td>' in markup
    assert "not an explanation" in markup
    heat = Image.open(io.BytesIO(match_heat.overlay(corner))).convert("RGBA")
    assert heat.getpixel((heat.width - 5, 5))[3] > 150  # type: ignore[index]
    assert heat.getpixel((5, heat.height - 5))[3] < 10  # type: ignore[index]
    sources = re.findall(r'data-heat="data:image/png;base64,([^"]+)"', markup)
    assert base64.b64decode(sources[1]) == match_heat.overlay(corner)


def test_places_in_words() -> None:
    grid = np.zeros((7, 7), np.float32)
    grid[3, 3] = 0.6
    grid[6, 0] = 0.4
    assert match_heat.place(grid) == ("the middle", np.float32(0.6))
    grid[6, 1] = 0.4
    assert match_heat.place(grid)[0] == "bottom left"


def test_features_are_explained() -> None:
    made = Features(image_embeds=np.zeros((2, 4, 16), np.float32))
    failed = (("<b>.png", "It is damaged; save it anew."),)
    markup = match_view.features(Extracted(made, ("a.png", "b.png"), (), failed))
    assert "2 × 4 × 16" in markup
    assert "Made of 2 pictures and 0 texts" in markup
    assert "<b>&lt;b&gt;.png</b> It is damaged; save it anew." in markup
    assert "a row for each query of each picture" in markup


def test_without_a_matching_model_the_tab_says_how_to_get_one() -> None:
    assert "--models" in match_view.empty("one", False)
    assert "--models" not in match_view.empty("one", True)
