"""What the page says before anything was asked, and about pictures that the pocket models cannot see. Plain words, HTML.

It knows no gradio.
"""

from html import escape

from blip2.values import ModelInfo

START_REAL = "python app.py --models blip2_opt/pretrain_opt2.7b"
FOREIGN = (
    "<b>This does not look like a scene the pocket models know.</b> They have only seen drawn scenes, so an answer about "
    f"this picture would be a guess. For photographs, start a real checkpoint: <code>{START_REAL}</code>"
)


def placeholder(info: ModelInfo | None) -> str:
    """The empty conversation: what to do, and what the model knows."""
    parts = [
        '<div class="empty">',
        "<h2>Ask about a picture</h2>",
        "<p>Choose an example, or drop in a picture of your own. Then type a question, and go on asking: "
        "each question is read together with the earlier ones.</p>",
    ]
    if info is not None and info.pocket:
        parts.append(
            "<p>You are talking to a <b>pocket model</b>: small, bundled with the studio, and at home in a small world. "
            "It knows drawn scenes of a hundred everyday things - animals, fruit and food, vehicles, weather, household "
            "things, coloured shapes - and can name, count, place and colour them, say why, and tell some plain facts "
            "about them. It has never seen a photograph.</p>"
            "<p>For photographs, start a real BLIP-2 checkpoint:</p>"
            f"<pre><code>{START_REAL}</code></pre>"
        )
    return "".join([*parts, "</div>"])


def state_pill(info: ModelInfo | None) -> str:
    """The model that answers, and where it runs."""
    if info is None:
        return '<span class="pill off">no model that answers questions</span>'
    where = " · ".join([escape(info.title), escape(info.dtype), escape(info.device)])
    return f'<span class="pill"><i aria-hidden="true"></i>{where}</span>'
