"""Matches as the page shows them: bars of one picture, the matrix of many, labels, words, features. Pure markup.

Every chart is a table beneath its colours, so that it can be read aloud and copied. Texts and names of files are
escaped here. Which of the two measures the matrix shows is chosen by the page (assets/style/match.css).
"""

import base64
from collections.abc import Sequence
from html import escape

import numpy as np

from blip2.features import MEANING, arrays
from blip2.ui import match_heat
from blip2.ui.chat_view import CAUTION
from blip2.ui.match_actions import Classes, Extracted, Table, Where
from blip2.ui.progress_bar import bad, bar

CELLS = 4000  # of the matrix on the page; the downloads hold all
ITM = (
    "<b>ITM</b>, image-text matching, is the probability from 0 to 100% that picture and text belong together, judged "
    "by reading both at once."
)
ITC = (
    "<b>ITC</b>, image-text contrast, is the cosine from −1 to 1 between features of the picture and of the text, each "
    "made without the other: fast, good for ordering, with no fixed point where a match begins."
)
DIFFER = "They differ because only ITM sees picture and text together, so it minds who does what and where."
ATTENTION = (
    "This is attention: where the model took what it knows of a word from. It is not an explanation of its judgement."
)
SHARES = "Shares are the ITM probabilities scaled to sum to 100%: of these labels alone, however little one fits."
SKELETON = (
    '<div class="match-wait" role="status"><p class="waiting">The model is at work …</p>'
    + '<i class="bone wide"></i><i class="bone"></i>' * 3
    + "</div>"
)
EMPTY = {
    "one": (
        "One picture, several texts",
        "Add a picture, write a text a line, and press <b>Match</b>: the texts are put in order of how well they fit.",
    ),
    "many": (
        "Many pictures, many texts",
        "Drop pictures or ZIP files of them, write a text a line, and press <b>Match</b>: every picture is compared "
        "with every text, and the results appear as they come.",
    ),
    "labels": (
        "Which of these is it?",
        "Add a picture and name the labels to choose from. Each is put into the sentence, and the picture is given to "
        "the label whose sentence fits best: no training, any labels.",
    ),
    "words": (
        "Where did a word match?",
        "Add a picture and write a sentence about it. For each word you see where in the picture the model looked.",
    ),
    "features": (
        "Features to compute with",
        "The Q-Former's features of pictures, texts, or pairs, raw and projected, as a NumPy archive (.npz) or JSON.",
    ),
}


def empty(kind: str, is_served: bool) -> str:
    """What the tab says before anything was asked; without a matching model, how to get one."""
    title, body = EMPTY[kind]
    aside = (
        ""
        if is_served
        else '<div class="aside"><p><b>No matching model is served here.</b> Start one beside the others:</p>'
        "<code>python app.py --models blip2_opt/pocket_opt,blip2/pocket</code><p>For photographs, blip2/pretrain or "
        "blip2/coco. Where the administrator allows it, the tab Models loads one now.</p></div>"
    )
    return f'<div class="empty"><h2>{title}</h2><p>{body}</p>{aside}</div>'


def bars(table: Table) -> str:
    """One picture's texts, the best first by ITM."""
    itm, itc = table.made.itm[0], table.made.itc[0]
    low, high = _span(itc)
    scale = f"from {_cosine(low)} to {_cosine(high)}, the range here"
    rows = "".join(
        f'<tr><th scope="row">{escape(table.texts[at])}</th>{_bar(itm[at], _percent(itm[at]), "itm")}'
        f"{_bar((itc[at] - low) / (high - low), _cosine(itc[at]), 'itc')}</tr>"
        for at in itm.argsort(kind="stable")[::-1]
    )
    return (
        f"{notes(bool(table.foreign), table.strange)}"
        f'<table class="match-bars"><caption class="hidden-text">Texts by how well they match {escape(table.names[0])}'
        '</caption><thead><tr><th scope="col">Text</th><th scope="col">ITM</th><th scope="col">ITC</th></tr></thead>'
        f"<tbody>{rows}</tbody></table>{_explained(f'ITC bars reach {scale}.')}"
    )


def labels(classes: Classes) -> str:
    """Labels by their share, the likeliest first."""
    rows = "".join(
        f'<tr><th scope="row">{escape(each.name)}<small>{escape(each.text)}</small></th>'
        f"{_bar(each.share, _percent(each.share), 'itm')}"
        f'<td class="number">{_percent(each.itm)}</td><td class="number">{_cosine(each.itc)}</td></tr>'
        for each in classes.found
    )
    heads = "".join(f'<th scope="col">{name}</th>' for name in ("Label", "Share", "ITM", "ITC"))
    return (
        f"{notes(classes.is_foreign, classes.strange)}"
        '<table class="match-bars match-labels"><caption class="hidden-text">Labels by their share</caption>'
        f"<thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>{_explained(SHARES)}"
    )


def matrix(table: Table, is_running: bool) -> str:
    """Many pictures against the texts. While it runs, the rows made last."""
    if not table.names and table.failed:
        return _failed(table.failed)
    count = max(CELLS // len(table.texts), 20)
    first = max(len(table.names) - 12, 0) if is_running else 0
    shown = range(first, min(first + count, len(table.names)))
    low, high = _span(table.made.itc)
    heads = "".join(
        f'<th scope="col" title="{escape(text, quote=True)}"><span>{escape(text)}</span></th>' for text in table.texts
    )
    rows = "".join(_matrix_row(table, row, low, high) for row in shown)
    cut = f" The first {len(shown)} rows are shown; the downloads hold all." if len(shown) < len(table.names) else ""
    return (
        f"{notes(bool(table.foreign), table.strange, table.foreign)}"
        '<div class="match-legend" aria-hidden="true"><span class="itm"><em>0%</em><i></i><em>100%</em></span>'
        f'<span class="itc"><em>{_cosine(low)}</em><i></i><em>{_cosine(high)}</em></span></div>'
        '<div class="match-scroll" role="region" aria-label="Matrix of pictures and texts" tabindex="0">'
        '<table class="match-matrix"><caption class="hidden-text">How well each picture matches each text: ITM, then '
        f'ITC</caption><thead><tr><th scope="col">Picture</th>{heads}</tr></thead><tbody>{rows}</tbody></table></div>'
        + _failed(table.failed)
        + (
            ""
            if is_running
            else _explained(f"ITC colours reach from {_cosine(low)} to {_cosine(high)}, the range here.{cut}")
        )
    )


def _matrix_row(table: Table, row: int, low: float, high: float) -> str:
    itm, itc, name = table.made.itm[row], table.made.itc[row], escape(table.names[row], quote=True)
    best = int(itm.argmax())
    is_choice, span = len(itm) > 1, high - low
    cells = "".join(
        f'<td{" class=best" if at == best and is_choice else ""} style="--p:{p:.3f};--c:{(c - low) / span:.3f}">'
        f'<span class="itm">{_percent(p)}</span><span class="itc">{_cosine(c)}</span></td>'
        for at, (p, c) in enumerate(zip(itm, itc, strict=True))
    )
    image = f'<img src="{_data(table.thumbnails[row], "jpeg")}" alt="">'
    return f'<tr><th scope="row" title="{name}">{image}<span>{name}</span></th>{cells}</tr>'


def progress(table: Table, is_running: bool) -> str:
    """How many pictures are through."""
    words = bad(len(table.failed), "could not be opened")
    return bar("Pictures compared", table.done, table.total, words, is_running)


def where(found: Where) -> str:
    """The picture with the map of a word upon it; the words to choose from; a table of where each looked."""
    maps, names = found.attention.maps, [word or "the whole text" for word in found.attention.words]
    sources = [_data(match_heat.overlay(grid), "png") for grid in maps]
    choices = "".join(
        f'<label><input type="radio" name="match-word" value="{at}" data-heat="{source}"{" checked" if not at else ""}>'
        f"<span>{escape(name)}</span></label>"
        for at, (name, source) in enumerate(zip(names, sources, strict=True))
    )
    rows = ""
    for name, grid in zip(names, maps, strict=True):
        spot, share = match_heat.place(grid)
        rows += f'<tr><th scope="row">{escape(name)}</th><td>{spot}</td><td class="number">{_percent(share)}</td></tr>'
    picture = _data(match_heat.preview(found.picture.image), "jpeg")
    return (
        f"{notes(found.is_foreign, found.strange)}"
        f'<fieldset class="match-words"><legend>Show where this matched</legend>{choices}</fieldset>'
        f'<figure class="match-heat"><div><img class="under" src="{picture}" alt="The picture">'
        f'<img class="over" src="{sources[0]}" alt=""></div><figcaption>{ATTENTION}</figcaption></figure>'
        '<details class="match-places"><summary>Where each word looked most, in words</summary>'
        '<table class="match-list"><thead><tr><th scope="col">Word</th><th scope="col">Part of the picture</th>'
        f'<th scope="col">Attention there</th></tr></thead><tbody>{rows}</tbody></table></details>'
    )


def features(of: Extracted) -> str:
    """The arrays there are, their shapes, and what a row is; and the pictures that were left out."""
    pictures, texts = len(of.pictures), len(of.texts)
    rows = "".join(
        f'<tr><th scope="row"><code>{name}</code></th><td class="shape">{" × ".join(map(str, array.shape))}</td>'
        f"<td>{MEANING[name]}</td></tr>"
        for name, array in arrays(of.made).items()
    )
    return (
        f'<p class="match-note">Made of {pictures} picture{"" if pictures == 1 else "s"} and {texts} '
        f"text{'' if texts == 1 else 's'}, as float32.</p>"
        '<table class="match-list"><thead><tr><th scope="col">Array</th><th scope="col">Shape</th>'
        f'<th scope="col">What it is</th></tr></thead><tbody>{rows}</tbody></table>'
        '<p class="match-note">The first number counts pictures or texts, the second queries or tokens, the third the '
        "values of each. Read the archive with <code>numpy.load</code>; <code>images</code> and <code>texts</code> in "
        "it hold the names.</p>" + _failed(of.failed)
    )


def notes(is_foreign: bool, strange: Sequence[str], foreign: int = 1) -> str:
    """What to bear in mind with a pocket model: pictures that are no scenes, words it has never seen."""
    said = []
    if is_foreign:
        said.append(CAUTION if foreign <= 1 else f"{foreign} of the pictures are no drawn scenes: guesses for those.")
    if strange:
        listed = ", ".join(strange[:6]) + (" and others" if len(strange) > 6 else "")
        said.append(f"This pocket model has never seen {listed}, and reads such words letter by letter.")
    return "".join(f'<p class="caution">{escape(each)}</p>' for each in said)


def _failed(failed: Sequence[tuple[str, str]]) -> str:
    """The pictures that could not be opened, each with its reason."""
    rows = "".join(f"<li>{'' if name in why else f'<b>{escape(name)}</b> '}{escape(why)}</li>" for name, why in failed)
    return f'<ul class="match-failed">{rows}</ul>' if rows else ""


def _explained(more: str) -> str:
    return f'<div class="match-explained"><p>{ITM}</p><p>{ITC} {DIFFER}</p><p>{more}</p></div>'


def _bar(share: float, said: str, kind: str) -> str:
    width = min(max(float(share), 0.0), 1.0)
    return f'<td class="{kind}"><div><i style="--share:{width:.3f}" aria-hidden="true"></i><b>{said}</b></div></td>'


def _span(values: "np.ndarray[tuple[int, ...], np.dtype[np.float32]]") -> tuple[float, float]:
    """The scale of cosines: from the least to the most there is, and at least a tenth wide."""
    if not values.size:
        return 0.0, 1.0
    low, high = float(values.min()), float(values.max())
    return (low, high) if high - low >= 0.1 else (low, low + 0.1)


def _percent(value: float) -> str:
    return f"{value:.1%}"


def _cosine(value: float) -> str:
    return f"{value:.3f}".replace("-", "−")


def _data(content: bytes, kind: str) -> str:
    return f"data:image/{kind};base64,{base64.b64encode(content).decode()}"
