"""Captions as the page shows them: the cards of one picture, the table of many, and how far the work is. Pure markup.

Texts of models and visitors are escaped here. What copies and edits is in assets/script/caption.js.
"""

import base64
from collections.abc import Callable, Iterable, Sequence
from html import escape
from typing import Any

from blip2.ui.caption_actions import Progress
from blip2.ui.caption_sheet import Line
from blip2.ui.progress_bar import bad, bar, pace, spent

SHOWN = 200  # lines of the table at a time
EMPTY_ONE = (
    '<div class="empty"><h2>One picture, its captions</h2>'
    "<p>Add a picture and press <b>Caption</b>. Ask for several captions, and where a matching model is served the one "
    "that fits the picture best comes first.</p></div>"
)
EMPTY_MANY = (
    '<div class="empty"><h2>Captions for a whole album</h2>'
    "<p>Drop pictures or ZIP files of them and press <b>Caption all</b>. Captions appear here as they are made; you "
    "can change each one, and take them away as CSV, as JSON lines, or as a text file a picture.</p>"
    "<p>Stop whenever you like: what is done stays, and <b>Resume</b> goes on from there.</p></div>"
)
SKELETON = (
    '<div class="captions" role="status"><p class="waiting">The model is looking at the picture …</p>'
    + '<div class="caption-card"><i class="bone wide"></i><i class="bone"></i></div>' * 2
    + "</div>"
)
MATCH = "the probability that picture and text belong together, as the matching model sees it"
SURE = "how sure the model was of its words"


def cards(answer: dict[str, Any], caution: str = "") -> str:
    """The captions of one picture, best first."""
    captions = answer["captions"]
    made = "".join(_card(at, each) for at, each in enumerate(captions))
    note = f'<p class="caution">{escape(caution)}</p>' if caution else ""
    return f'{note}<ol class="captions">{made}</ol><p class="quiet-title">{_legend(captions)}</p>'


def _card(at: int, caption: dict[str, Any]) -> str:
    text = escape(caption["text"], quote=True)
    shown = text or '<span class="none">(an empty caption)</span>'
    return (
        f'<li class="caption-card{" best" if at == 0 else ""}"><p class="text">{shown}</p>'
        f'<div class="meta">{_meters(caption)}'
        f'<button type="button" class="copy" data-copy="{text}" aria-label="Copy caption {at + 1}">Copy</button>'
        "</div></li>"
    )


def _meters(caption: dict[str, Any]) -> str:
    values = [("Match", caption.get("itm"), MATCH), ("Confidence", caption.get("confidence"), SURE)]
    return "".join(
        f'<span class="meter" title="{meaning}"><i style="--share:{value:.3f}" aria-hidden="true"></i>'
        f"{name} {_percent(value)}</span>"
        for name, value, meaning in values
        if value is not None
    )


def _legend(captions: Sequence[dict[str, Any]]) -> str:
    parts = [f"Confidence: {SURE}."]
    if captions and captions[0].get("itm") is not None:
        parts.insert(0, f"{'Ranked by match' if len(captions) > 1 else 'Match'}: {MATCH}.")
    return " ".join(parts)


def progress_bar(progress: Progress, running: bool) -> str:
    """How many are captioned, how fast, how long it will take yet."""
    counts = progress.counts
    if running:
        words = pace(progress.rate, counts.left)
    else:
        words = [f"took {spent(progress.seconds)}"] if progress.seconds else []
    words += bad(counts.failed, "could not be captioned")
    return bar("Pictures captioned", counts.done + counts.failed, counts.total, words, running)


def table(lines: Sequence[tuple[int, Line]], thumbnail: Callable[[Line], bytes], heading: str, editable: bool) -> str:
    """Lines with the number of their picture. Captions are text boxes where they are `editable`."""
    rows = "".join(_row(at, line, thumbnail(line), editable) for at, line in lines)
    return (
        f'<p class="quiet-title">{escape(heading)}</p><table class="lines"><thead><tr><th>Picture</th>'
        f"<th>Caption</th><th>{_head(lines)}</th></tr></thead><tbody>{rows}</tbody></table>"
    )


def _head(lines: Iterable[tuple[int, Line]]) -> str:
    """What the last column says of the captions: their match where a matching model looked at them."""
    return "Match" if any(line.made.itm for _, line in lines) else "Confidence"


def _row(at: int, line: Line, jpeg: bytes, editable: bool) -> str:
    name = escape(line.name, quote=True)
    if jpeg:
        source = base64.b64encode(jpeg).decode()
        picture = f'<img src="data:image/jpeg;base64,{source}" alt="" loading="lazy" decoding="async">'
    else:
        picture = '<span class="nothing" aria-hidden="true"></span>'
    kind = ' class="failed"' if line.made.error else ""
    if line.made.error:
        body = f'<p class="why">{escape(line.made.error)}</p>'
    elif editable:
        body = _box(at, name, line)
    else:
        body = f'<p class="text">{escape(line.text)}</p>'
    return (
        f'<tr{kind}><td class="picture">{picture}</td><td class="words"><span class="name" title="{name}">{name}</span>'
        f'{body}</td><td class="fit">{_fit(line)}</td></tr>'
    )


def _box(at: int, name: str, line: Line) -> str:
    text = escape(line.text, quote=True)
    changed = " changed" if line.edited is not None else ""
    others = "".join(
        f'<li><button type="button" class="use" data-row="{at}" data-use="{escape(each.text, quote=True)}">'
        f"{escape(each.text)}</button></li>"
        for each in line.made.captions[1:]
    )
    more = f"<details><summary>Others</summary><ul>{others}</ul></details>" if others else ""
    return (
        f'<div class="edit{changed}"><textarea rows="1" data-row="{at}" aria-label="Caption of {name}" '
        f'spellcheck="true">{text}</textarea>'
        f'<button type="button" class="copy" data-copy-row="{at}" aria-label="Copy the caption of {name}">Copy</button>'
        f"</div>{more}"
    )


def _fit(line: Line) -> str:
    made = line.made
    if made.error or not made.captions:
        return ""
    if line.edited is not None:
        return '<span title="changed by you">yours</span>'
    if made.itm:
        return f'<span title="{MATCH}">{_percent(made.itm[0])}</span>'
    return f'<span class="sure" title="{SURE}">{_percent(made.captions[0].confidence)}</span>'


def _percent(value: float) -> str:
    return f"{value:.0%}"
