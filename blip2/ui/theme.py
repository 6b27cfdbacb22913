"""The look: one accent, slate greys, light and dark, fonts that gradio or the system brings.

The rules are in assets/style.css and, for single tabs, in assets/style/.
"""

from pathlib import Path

import gradio as gr

ASSETS = Path(__file__).resolve().parents[2] / "assets"

# Only weights 400 and 700 of the bundled families hold all letters.
SANS = [gr.themes.LocalFont("IBM Plex Sans", weights=(400, 700)), "ui-sans-serif", "system-ui", "sans-serif"]
MONO = [gr.themes.LocalFont("IBM Plex Mono", weights=(400, 700)), "ui-monospace", "Consolas", "monospace"]

TIDE = gr.themes.Color(
    name="tide",
    c50="#eef7f6",
    c100="#d5ecea",
    c200="#acd9d6",
    c300="#7bbfbb",
    c400="#4aa19d",
    c500="#2d8682",
    c600="#216c69",
    c700="#1c5755",
    c800="#194644",
    c900="#163a39",
    c950="#0a2120",
)


COLOURS = {
    "body_background_fill": "#f6f7f9",
    "body_background_fill_dark": "#0d1117",
    "background_fill_primary_dark": "#151b23",
    "background_fill_secondary_dark": "#10151c",
    "block_background_fill": "white",
    "block_background_fill_dark": "#151b23",
    "block_border_color": "#e3e7ec",
    "block_border_color_dark": "#273040",
    "border_color_primary": "#dde2e9",
    "border_color_primary_dark": "#273040",
    "body_text_color": "#1b2430",
    "body_text_color_dark": "#e6eaf0",
    "body_text_color_subdued": "*neutral_600",
    "body_text_color_subdued_dark": "*neutral_400",
    "block_info_text_color": "*neutral_600",
    "block_info_text_color_dark": "*neutral_400",
    "block_label_text_color": "*neutral_700",
    "block_label_text_color_dark": "*neutral_300",
    "block_title_text_color": "*neutral_700",
    "block_title_text_color_dark": "*neutral_300",
    "block_title_text_weight": "400",
    "block_label_text_weight": "400",
    "block_shadow": "0 1px 2px rgba(16,24,40,.04)",
    "block_shadow_dark": "none",
    "button_large_text_weight": "400",
    "button_medium_text_weight": "400",
    "button_small_text_weight": "400",
    "button_secondary_background_fill": "white",
    "button_secondary_background_fill_hover": "*neutral_50",
    "button_secondary_background_fill_dark": "#1b222c",
    "button_secondary_background_fill_hover_dark": "#232c38",
    "button_secondary_border_color": "#d3dae3",
    "button_secondary_border_color_dark": "#313c4d",
    "button_primary_background_fill": "*primary_600",
    "button_primary_background_fill_hover": "*primary_700",
    "button_primary_background_fill_dark": "*primary_600",
    "button_primary_background_fill_hover_dark": "*primary_500",
    "button_primary_text_color": "white",
    "button_primary_text_color_dark": "white",
    "input_background_fill_dark": "#0d1117",
    "input_border_color_dark": "#2d3748",
    "input_placeholder_color": "*neutral_600",
    "input_placeholder_color_dark": "*neutral_400",
    "link_text_color": "*primary_700",
    "link_text_color_hover": "*primary_600",
    "link_text_color_dark": "*primary_300",
    "link_text_color_hover_dark": "*primary_200",
    "table_even_background_fill": "white",
    "table_even_background_fill_dark": "#151b23",
    "table_odd_background_fill": "#f6f7f9",
    "table_odd_background_fill_dark": "#10151c",
    "color_accent_soft": "*primary_50",
    "color_accent_soft_dark": "*primary_900",
    "border_color_accent_subdued": "*primary_200",
    "border_color_accent_subdued_dark": "*primary_800",
    "error_text_color": "#9f1d1d",
    "error_text_color_dark": "#ffb4ab",
}


def theme() -> gr.themes.Base:
    """The theme of every page; the stylesheet's colours are its variables."""
    return gr.themes.Base(
        primary_hue=TIDE,
        secondary_hue=TIDE,
        neutral_hue=gr.themes.colors.slate,
        font=SANS,
        font_mono=MONO,
        radius_size=gr.themes.sizes.radius_lg,
        spacing_size=gr.themes.sizes.spacing_md,
        text_size=gr.themes.sizes.text_md,
    ).set(**COLOURS)


def stylesheet() -> str:
    """The page's own rules: those of every tab, then each tab's."""
    return "\n".join(path.read_text("utf-8") for path in [ASSETS / "style.css", *sorted(ASSETS.glob("style/*.css"))])


def head() -> str:
    """What the page's head gets: its description, the colour schemes it knows, and its small scripts."""
    scripts = [ASSETS / "page.js", *sorted(ASSETS.glob("script/*.js"))]
    script = "\n".join(path.read_text("utf-8") for path in scripts)
    return (
        '<meta name="description" content="Talk with BLIP-2 about a picture.">'
        '<meta name="color-scheme" content="light dark">'
        f"<script>{script}</script>"
    )
