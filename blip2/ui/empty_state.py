"""What the page says before anything was asked, and of pictures that pocket models cannot see. Plain words, HTML.

It knows no gradio.
"""

from collections.abc import Sequence
from html import escape

from blip2.pocket.world import BACKGROUNDS, KINDS
from blip2.values import ModelInfo

START_REAL = "python app.py --models blip2_opt/pretrain_opt2.7b"
FOREIGN = (
    "<b>This does not look like a scene the pocket models know.</b> They have only seen drawn scenes, so an answer "
    f"about this picture would be a guess. For photographs, start a real checkpoint: <code>{START_REAL}</code>"
)


def placeholder(info: ModelInfo | None) -> str:
    """The empty conversation: what to do, and what the model knows."""
    parts = [
        '<div class="empty">',
        "<h2>Ask about a picture</h2>",
        "<p>Choose an example, or drop in a picture of your own. Follow-up questions may "
        "lean on earlier ones: what is it? what does it eat? why?</p>",
    ]
    if info is not None and info.pocket:
        parts.append(
            '<div class="aside"><p><b>What this model knows.</b> It is a pocket model: small, bundled, at home in '
            f"drawn scenes of {len(KINDS)} everyday things in {len(BACKGROUNDS)} places: animals, food, vehicles, "
            "weather, household things, coloured shapes. It can name, count, place and colour them, say why, and tell "
            "plain facts about them. It has never seen a photograph.</p>"
            f"<p>For photographs, start a real BLIP-2 checkpoint:</p><code>{START_REAL}</code></div>"
        )
    return "".join([*parts, "</div>"])


def state_pill(infos: Sequence[ModelInfo]) -> str:
    """What is ready to answer, and where it runs."""
    if not infos:
        return '<span class="pill off">No model that answers questions is loaded</span>'
    count = f"{len(infos)} models" if len(infos) > 1 else infos[0].title
    devices = ", ".join(dict.fromkeys(info.device.upper() for info in infos))
    return f'<span class="pill"><i aria-hidden="true"></i>{escape(count)} ready on {escape(devices)}</span>'
