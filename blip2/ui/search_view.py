"""What the search tab shows: what is in the index, how far indexing is, and the pictures found. Pure markup.

Names and sentences are escaped here; thumbnails come out of the index and go into the page.
"""

import base64
from html import escape

from blip2.retrieval import Hit, Results
from blip2.ui.progress_bar import bad, bar, pace
from blip2.ui.search_actions import Held, Progress

EMPTY = (
    '<div class="empty"><h2>Search your pictures by what they show</h2>'
    "<p>Add pictures and press <b>Index</b>; then search them with words, or with another picture. "
    "Names and dates play no part: the model looks at the pictures.</p>"
    "<p>No album at hand? <b>Try the example scenes</b> takes a few seconds.</p></div>"
)
READY = (
    '<div class="empty"><h2>Ready to search</h2><p>Describe a picture as a caption would: <b>two dogs on a beach</b> '
    "finds more than <b>dog</b>. Or search with a picture, for others like it.</p></div>"
)
SKELETON = (
    '<div role="status"><p class="waiting">Searching …</p><div class="gallery">'
    + '<i class="tile" aria-hidden="true"></i>' * 8
    + "</div></div>"
)
NONE = '<p class="quiet-title">The index has no other picture.</p>'
ITC = "the cosine of features made apart; it finds"
ITM = "the probability that picture and words belong together, read together; it re-ranks"


def progress_bar(progress: Progress, running: bool) -> str:
    """How many are indexed, how fast, how long it will take yet."""
    counts = progress.counts
    words = pace(progress.rate, counts.total - counts.done) if running else []
    if counts.kept:
        words.append(f"{counts.kept:,} known already")
    words += bad(counts.broken, "could not be read")
    return bar("Pictures indexed", counts.done, counts.total, words, running)


def facts(held: Held) -> str:
    """What is in the index, and which files could not be read, with the reasons."""
    index = held.index
    if index is None:
        return ""
    size = f"{index.path.stat().st_size / 1e6:.1f} MB" if index.path.is_file() else ""
    words = [f"<b>{len(index):,} {'picture' if len(index) == 1 else 'pictures'}</b>", escape(index.model.name), size]
    listed = ""
    if index.broken:
        rows = "".join(
            f"<li><b>{escape(held.title(row.name))}</b> {escape(row.error)}</li>" for row in index.broken[:100]
        )
        listed = f"<details><summary>{len(index.broken):,} could not be read</summary><ul>{rows}</ul></details>"
    return f'<div class="facts"><p>{" · ".join(each for each in words if each)}</p>{listed}</div>'


def results(held: Held, found: Results, words: str = "", like: int | None = None) -> str:
    """The pictures found, the best first: for `words`, or like picture `like` of the index, or like the one sent."""
    what = f"for <b>{escape(words)}</b>" if words else "like this one"
    if like is not None:
        what = f"like <b>{escape(held.title(held.opened().rows[like].name))}</b>"
    state = f"The best {len(found.hits):,} of {len(held.opened()):,} {what}."
    if not found.final:
        state += f" ITM has read {found.read} of {found.pool} …"
    elif found.pool:
        state += f" ITC found them, ITM re-ranked the first {found.pool}."
    cards = "".join(_card(held, hit, not words) for hit in found.hits)
    busy = "" if found.final else " busy"
    head = f'<p class="quiet-title" role="status">{state}</p>'
    return f'{head}<ol class="gallery{busy}">{cards}</ol>' if cards else NONE


def _card(held: Held, hit: Hit, likeness: bool) -> str:
    name = escape(held.title(hit.name), quote=True)
    data = base64.b64encode(held.opened().thumbnail(hit.at)).decode()
    figures = [f'<span title="{ITC}">{"Like" if likeness else "ITC"} {_cosine(hit.itc)}</span>']
    if hit.itm is not None:
        figures.insert(0, f'<span class="itm" title="{ITM}">ITM {_percent(hit.itm)}</span>')
        figures.append(_moved(hit))
    return (
        f'<li><img src="data:image/jpeg;base64,{data}" alt="{name}">'
        f'<div class="under"><span class="rank">{hit.rank}</span>'
        f'<span class="name" title="{name}">{name}</span></div><div class="figures">{"".join(figures)}</div>'
        f'<button type="button" class="more" data-at="{hit.at}" aria-label="More like {name}">'
        "More like this</button></li>"
    )


def _moved(hit: Hit) -> str:
    if hit.before == hit.rank:
        return ""
    way, arrow = ("up", "↑") if hit.before > hit.rank else ("down", "↓")
    return f'<span class="{way}" title="rank before the re-rank">{arrow} from {hit.before}</span>'


def _percent(value: float) -> str:
    if value < 0.001:
        return "&lt; 0.1%"
    return f"{value:.0%}" if value >= 0.1 else f"{value:.1%}"


def _cosine(value: float) -> str:
    return f"{value:.3f}".replace("-", "−")
