"""A conversation as one HTML file to share: the picture, the turns and what led to them. No script, nothing loaded.

It reads well on paper, on a phone, in light and dark. What visitors and models wrote is escaped. The module knows no
models and asks no clock.
"""

import base64
import io
from html import escape

import blip2
from blip2.chat import Conversation, Turn
from blip2.values import Picture

LONGEST = 1024  # pixels of the shared picture's longer side
STYLE = """
:root { color-scheme: light dark; --text: #1b2430; --quiet: #4d5a6b; --line: #dde2e9; --page: #fff; --soft: #eef7f6; }
@media (prefers-color-scheme: dark) {
  :root { --text: #e6eaf0; --quiet: #a3aebd; --line: #2d3748; --page: #10151c; --soft: #163a39; }
}
body { font: 16px/1.55 system-ui, sans-serif; max-width: 720px; margin: 32px auto; padding: 0 18px;
  color: var(--text); background: var(--page); overflow-wrap: anywhere; }
h1 { font-size: 22px; margin: 0 0 4px; }
img { max-width: 100%; max-height: 480px; border-radius: 12px; display: block; margin: 18px 0; }
.quiet, details { color: var(--quiet); font-size: 13.5px; }
article { border-top: 1px solid var(--line); padding: 14px 0; break-inside: avoid; }
article p { margin: 0 0 6px; white-space: pre-wrap; }
article .question { background: var(--soft); border-radius: 10px; padding: 7px 12px; display: inline-block; }
dl { display: grid; grid-template-columns: max-content minmax(0, 1fr); gap: 3px 16px; }
dd { margin: 0; white-space: pre-wrap; }
@media print { :root { --text: #000; --quiet: #333; --page: #fff; --soft: #f2f2f2; } body { margin: 0 auto; } }
"""


def to_html(conversation: Conversation, *, exported: str) -> str:
    """The conversation as a page of its own. `exported` is the caller's timestamp."""
    picture = conversation.picture
    named = picture.name if picture and picture.name else "a picture"
    title = f"Conversation about {escape(named)}"
    turns = "\n".join(_turn(turn) for turn in conversation.turns)
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{title}</title><style>{STYLE}</style></head>\n<body><h1>{title}</h1>"
        f'<p class="quiet">Exported {escape(exported)} by BLIP-2 Studio {escape(blip2.__version__)}.</p>\n'
        f"{_picture(picture, named) if picture else ''}\n{turns}\n</body></html>\n"
    )


def _picture(picture: Picture, named: str) -> str:
    image = picture.image.copy()
    image.thumbnail((LONGEST, LONGEST))
    stream = io.BytesIO()
    image.save(stream, "JPEG", quality=88)
    data = base64.b64encode(stream.getvalue()).decode()
    width, height = picture.size
    return (
        f'<img src="data:image/jpeg;base64,{data}" alt="{escape(named)}">'
        f'<p class="quiet">{width} x {height} pixels, SHA-256 {escape(picture.digest)}.</p>'
    )


def _turn(turn: Turn) -> str:
    facts = {
        "Model": " ".join(filter(None, (turn.model, turn.source, turn.revision, turn.dtype))),
        "Decoding": ", ".join(f"{name} {value}" for name, value in turn.decoding.to_json().items()),
        "Seed": str(turn.seed),
        "Prompt": turn.prompt or "(empty)",
        "Ended": f"{turn.finish or 'unfinished'}, after {turn.usage.new_tokens} tokens in {turn.usage.total:.2f} s",
        "Confidence": f"{turn.confidence:.2f}",
    }
    rows = "".join(f"<dt>{name}</dt><dd>{escape(value)}</dd>" for name, value in facts.items())
    return (
        f'<article><p class="question">{escape(turn.question) or "(no text)"}</p>'
        f"<p>{escape(turn.answer) or '(no answer)'}</p>"
        f"<details><summary>How this answer came about</summary><dl>{rows}</dl></details></article>"
    )
