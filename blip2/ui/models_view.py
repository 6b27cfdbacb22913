"""The models tab in HTML: figures, a card for each model, whether one fits, a check-up, versions. Knows no gradio."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from blip2.checkup import Progress
from blip2.memory import gigabytes
from blip2.ui.models_actions import CLOSED, Card, Overview
from blip2.values import Fit

FAMILIES = {"opt": "OPT, writes answers", "t5": "FlanT5, writes answers", "itm": "Matches pictures with texts"}
SIZES = {"float32": "float32", "float16": "16 bits", "bfloat16": "16 bits", "int8": "int8", "nf4": "nf4"}
READ_ONLY = f'<p class="models-closed">{escape(CLOSED)}</p>'


def figures(overview: Overview) -> str:
    """What all models share: how many are loaded, memory, and how often a picture was encoded already."""
    stats = overview.stats
    loaded = [card for card in overview.cards if card.state == "loaded"]
    asked = stats.image_hits + stats.image_misses
    cells = [
        (f"{len(loaded)} of {len(overview.cards)}", "models loaded"),
        (gigabytes(sum(card.memory_bytes for card in loaded)), "of weights"),
    ]
    if stats.gpu_total:
        cells.append((f"{gigabytes(stats.gpu_allocated)}", f"of {gigabytes(stats.gpu_total)} GPU memory"))
    if stats.rss_bytes:
        cells.append((gigabytes(stats.rss_bytes), "the program's memory"))
    share = f"{stats.image_hits / asked:.0%}" if asked else "none yet"
    cells.append(
        (share, f"{stats.image_hits:,} of {asked:,} pictures found encoded" if asked else "pictures asked about")
    )
    body = "".join(f"<div><dd>{escape(value)}</dd><dt>{escape(name)}</dt></div>" for value, name in cells)
    return f'<dl class="models-figures">{body}</dl>'


def cards(found: Sequence[Card]) -> str:
    """One card a model, the loaded ones as they do now."""
    return f'<div class="models-cards">{"".join(_card(card) for card in found)}</div>'


def _card(card: Card) -> str:
    state = {"loaded": "Loaded", "loading": "Loading", "not loaded": "Not loaded"}[card.state]
    facts = _running(card) if card.state == "loaded" else _asleep(card)
    body = "".join(f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in facts)
    kind = FAMILIES.get(card.family, "Read when it is loaded")
    named = f"<code>{escape(card.name)}</code>"
    return (
        f'<article class="model {card.state.replace(" ", "-")}" aria-label="{escape(card.title)}">'
        f'<header><h2>{escape(card.title)}</h2><span class="state"><i aria-hidden="true"></i>{state}</span></header>'
        f"<p>{escape(kind)}</p>{named}<dl>{body}</dl></article>"
    )


def _running(card: Card) -> list[tuple[str, str]]:
    facts = [("Device", card.device.upper()), ("Precision", card.dtype), ("Memory", gigabytes(card.memory_bytes))]
    if not card.writes:
        return facts
    waiting = f", {card.waiting} waiting" if card.waiting else ""
    facts += [
        ("Speed now", f"{card.pace:,.0f} tokens a second" if card.pace else "idle for two minutes"),
        ("Requests", f"{card.running} running{waiting}" if card.running or card.waiting else "none"),
        ("Written", f"{card.tokens:,} tokens"),
    ]
    if card.reused is not None:
        facts.append(("Prompt reuse", f"{card.reused:.0%}"))
    return facts


def _asleep(card: Card) -> list[tuple[str, str]]:
    sizes = {SIZES[dtype]: size for dtype, size in card.sizes}
    facts = [(f"In {name}", gigabytes(size)) for name, size in sizes.items()]
    return [*facts, ("Source", card.source)] if card.source else facts


def fit(found: Fit | None) -> str:
    """Whether the chosen model would fit."""
    if found is None:
        return '<p class="models-fit">Choose a model to see whether it would fit.</p>'
    kind = "yes" if found.fits else "no"
    return f'<p class="models-fit {kind}" role="status">{escape(found.sentence)}</p>'


def check(progress: Progress) -> str:
    """A check-up under way, or its verdict with what it rests on."""
    if progress.share < 1:
        share = round(100 * progress.share)
        return (
            f'<div class="models-check busy" role="status"><p>{escape(progress.doing)} …</p>'
            f'<progress max="100" value="{share}" aria-label="Check-up">{share}%</progress></div>'
        )
    found = progress.found
    verdict = found["error"] or "some answers are not the known ones; see below."
    verdict = f"{(found.get('loaded') or found).get('title', 'Check')}: {'all is well.' if found['ok'] else verdict}"
    facts = "".join(f"<dt>{escape(name)}</dt><dd>{value}</dd>" for name, value in _found(found))
    return (
        f'<div class="models-check {"well" if found["ok"] else "ill"}" role="status"><h2>{escape(verdict)}</h2>'
        f"<dl>{facts}</dl></div>"
    )


def _found(found: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Names and values, the values as HTML."""
    facts = []
    if loaded := found.get("loaded"):
        said = f"{loaded['dtype']} on {loaded['device']}, {gigabytes(loaded['memory_bytes'])}"
        facts.append(("Loaded", escape(f"{said}; {loaded['note']}".strip("; "))))
        facts.append(("Revision", escape(f"{loaded['source']} {loaded['revision']}".strip())))
    if passed := found.get("self_check"):
        items = "".join(f"<li>{escape(name)}</li>" for name in passed)
        facts.append(("Self-check", f"<details><summary>{len(passed)} passed</summary><ul>{items}</ul></details>"))
    for row in found.get("published") or ():
        said = row["skipped"] or f"{'as published' if row['agrees'] else 'NOT as published'}: {row['given']}"
        facts.append((escape(str(row["id"])), escape(said)))
    if scenes := found.get("scenes"):
        said = f"{scenes['right']:.1%} of the {scenes['of']} about {scenes['scenes']} scenes right"
        facts.append(("Scenes", escape(said)))
    elif found.get("loaded") and not found.get("published"):
        facts.append(("Answers", "None are known for this model, so it was only self-checked."))
    return facts


def versions(found: Mapping[str, str]) -> str:
    """What it all runs on."""
    body = "".join(f"<div><dt>{escape(name)}</dt><dd>{escape(number)}</dd></div>" for name, number in found.items())
    return f'<dl class="models-versions" aria-label="Versions">{body}</dl>'
