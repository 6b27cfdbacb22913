"""`report.html`: one file that opens anywhere, offline: figures, tables, plots, the worst 50 with their pictures."""

import base64
import io
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from blip2.errors import BadImage
from blip2.evaluation import svg
from blip2.evaluation.calibration import Bin, Point
from blip2.evaluation.examples import Dataset, Example
from blip2.evaluation.retrieval_scores import best_texts
from blip2.evaluation.scores import Scores, mean

WORST = 50
THUMB = 320  # pixels, the longer side
STYLE = """
:root{color-scheme:light dark;--ink:#1d2330;--dim:#5c6577;--line:#dfe3ea;--bg:#fff;--card:#f6f7fa;--hue:#3d63dd}
@media(prefers-color-scheme:dark){:root{--ink:#e8ebf2;--dim:#9aa4b8;--line:#313848;--bg:#151922;--card:#1d2330;--hue:#87a3ff}}
*{box-sizing:border-box}body{margin:0;background:var(--bg);color:var(--ink);font:15px/1.5 system-ui,sans-serif}
main{max-width:1080px;margin:0 auto;padding:32px 20px 64px}h1{font-size:26px;margin:0}
h2{font-size:18px;margin:36px 0 10px}
.sub{color:var(--dim);margin:4px 0 0}.big{display:flex;flex-wrap:wrap;gap:12px;margin:20px 0}
.big div{background:var(--card);border:1px solid var(--line);border-radius:10px;padding:12px 16px;min-width:120px}
.big b{display:block;font-size:24px;font-variant-numeric:tabular-nums}.big .head b{color:var(--hue)}
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}
th,td{text-align:left;padding:5px 10px;border-bottom:1px solid var(--line)}
th{color:var(--dim);font-weight:600}td.n,th.n{text-align:right}.scroll{overflow-x:auto}
.plots{display:flex;flex-wrap:wrap;gap:24px}svg.plot{width:330px;max-width:100%}svg.wide{width:580px}
svg text{fill:var(--dim);font-size:12px}.grid{stroke:var(--line)}.ideal{stroke:var(--dim);stroke-dasharray:4 4}
.bar{fill:var(--hue)}.dot{fill:var(--ink)}.curve{fill:none;stroke:var(--hue);stroke-width:2}
.worst{display:grid;grid-template-columns:repeat(auto-fill,minmax(240px,1fr));gap:14px}
.worst figure{margin:0;background:var(--card);border:1px solid var(--line);border-radius:10px;overflow:hidden}
.worst img{width:100%;height:180px;object-fit:contain;background:var(--bg);display:block}
.worst figcaption{padding:10px 12px}.q{font-weight:600}.a{color:var(--hue)}.dim{color:var(--dim);font-size:13px}
.none{height:180px;display:grid;place-items:center;color:var(--dim);padding:12px;text-align:center}
li{margin:3px 0}code{background:var(--card);border-radius:4px;padding:0 4px;overflow-wrap:anywhere}
"""
Rows = Mapping[str, Mapping[str, Any]]


def page(made: Mapping[str, Any], dataset: Dataset, rows: Rows, scores: Scores) -> str:
    """The whole page of a report as `reports.build` makes it."""
    model, protocol = made["model"], made["protocol"]
    title = f"{made['dataset']}: {model['title']}"
    parts = [
        f"<h1>{escape(title)}</h1>",
        f'<p class="sub">{escape(made["split"])}, {made["n"]} examples, protocol {protocol["name"]}, '
        f"{escape(model['dtype'])} on {escape(model['device'])}, finished {escape(made['finished'])}</p>",
        _big(made),
        _published(made["published"]),
        _notes(made),
        *(_table(name, each) for name, each in made["tables"].items()),
        _calibration(made["calibration"]),
        _worst(dataset, rows, scores),
        _settings(made),
    ]
    head = f'<meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{escape(title)}</title>'
    body = f"<body><main>{''.join(parts)}</main></body>"
    return f'<!doctype html><html lang="en"><head>{head}<style>{STYLE}</style></head>{body}</html>\n'


def _big(made: Mapping[str, Any]) -> str:
    cells = []
    for name, value in made["figures"].items():
        kind = ' class="head"' if name == made["headline"] else ""
        cells.append(f"<div{kind}><b>{value:.2f}</b>{escape(name)}</div>")
    if made["broken"]["n"]:
        cells.append(f"<div><b>{made['broken']['n']}</b>broken, counted as wrong</div>")
    cells.append(f"<div><b>{made['examples_per_second']:.2f}</b>examples a second</div>")
    return f'<div class="big">{"".join(cells)}</div>'


def _published(rows: Sequence[Mapping[str, Any]]) -> str:
    if not rows:
        return '<p class="sub">No figure of this model on this data was published by its makers.</p>'
    lines = []
    for row in rows:
        own = "–" if row["measured"] is None else f"{row['measured']:.2f}"
        gap = "–" if row["difference"] is None else f"{row['difference']:+.2f}"
        source = escape(f"{row['source']}{'; ' + row['note'] if row['note'] else ''}")
        lines.append(
            f'<tr><td>{escape(row["figure"])}</td><td class="n">{own}</td><td class="n">{row["published"]:g}</td>'
            f'<td class="n">{gap}</td><td>{escape(row["protocol"])}</td><td>{source}</td></tr>'
        )
    head = (
        '<tr><th>figure</th><th class="n">here</th><th class="n">published</th><th class="n">difference</th>'
        "<th>protocol that should give it</th><th>source</th></tr>"
    )
    return f'<h2>Beside the published figures</h2><div class="scroll"><table>{head}{"".join(lines)}</table></div>'


def _table(title: str, groups: Mapping[str, Mapping[str, float]]) -> str:
    names = list(dict.fromkeys(name for each in groups.values() for name in each if name != "n"))
    head = "".join(f'<th class="n">{escape(name)}</th>' for name in ("n", *names))
    lines = []
    for group, each in groups.items():
        cells = "".join(f'<td class="n">{each[name]:.2f}</td>' if name in each else "<td></td>" for name in names)
        lines.append(f'<tr><td>{escape(group)}</td><td class="n">{each["n"]:.0f}</td>{cells}</tr>')
    largest = list(groups.items())[:20]
    rows = [(group, each[names[0]], f"{each[names[0]]:.1f} of {each['n']:.0f}") for group, each in largest]
    plot = svg.bars(rows, max(100.0, *(value for _, value, _ in rows)))
    body = f"<table><tr><th></th>{head}</tr>{''.join(lines)}</table>"
    return f'<h2>{escape(title.capitalize())}</h2>{plot}<div class="scroll">{body}</div>'


def _calibration(made: Mapping[str, Any]) -> str:
    if not made["n"]:
        return ""
    bins, curve = [Bin(**each) for each in made["bins"]], [Point(**each) for each in made["curve"]]
    words = (
        f"Expected calibration error {made['ece']:.3f} (largest gap {made['mce']:.3f}, Brier score {made['brier']:.3f})"
        f" of the confidence in {made['of']}: {made['confidence']:.3f} on average, against an accuracy of "
        f"{made['accuracy']:.3f}, over {made['n']} values."
    )
    plots = f'<div class="plots">{svg.reliability(bins)}{svg.coverage(curve)}</div>'
    return f"<h2>Can its confidence be trusted?</h2><p>{escape(words)}</p>{plots}"


def worst(dataset: Dataset, rows: Rows, scores: Scores, count: int = WORST) -> list[Example]:
    """The examples with the lowest value of the figure that counts, the most confident of them first."""

    def key(example: Example) -> tuple[float, float]:
        return mean(scores.values[example.id][scores.headline]), -float(rows[example.id].get("confidence", 0.0))

    return sorted(dataset.examples, key=key)[:count]


def _worst(dataset: Dataset, rows: Rows, scores: Scores) -> str:
    texts = [text for example in dataset.examples for text in example.references]
    cards = []
    for example in worst(dataset, rows, scores):
        row = rows[example.id]
        lines = [f'<div class="q">{escape(example.question)}</div>'] if example.question else []
        if "error" in row:
            lines.append(f"<div>{escape(row['error'])}</div>")
        elif "answer" in row:
            lines.append(f'<div class="a">{escape(row["answer"]) or "(nothing)"}</div>')
            lines.append(f'<div class="dim">confidence {row["confidence"]:.2f}</div>')
        elif "flags" in row:
            lines += [f'<div class="a">{escape(texts[at])}</div>' for at in best_texts(row, 3)]
        else:
            lines += [
                f'<div class="a">{chance:.2f} {escape(text)}</div>'
                for text, chance in zip(row["texts"], row["itm"], strict=True)
            ]
        right = " | ".join(dict.fromkeys(example.references))
        lines.append(f'<div class="dim">right: {escape(right)}</div>')
        value = mean(scores.values[example.id][scores.headline])
        lines.append(f'<div class="dim">{escape(scores.headline)} {value:.2f} · {escape(example.id)}</div>')
        cards.append(f"<figure>{_thumb(example)}<figcaption>{''.join(lines)}</figcaption></figure>")
    return f'<h2>The worst {len(cards)}</h2><div class="worst">{"".join(cards)}</div>'


def _thumb(example: Example) -> str:
    try:
        image = example.picture().image.copy()
    except BadImage as error:
        return f'<div class="none">{escape(str(error))}</div>'
    image.thumbnail((THUMB, THUMB))
    packed = io.BytesIO()
    image.save(packed, "JPEG", quality=80)
    data = base64.b64encode(packed.getvalue()).decode()
    return f'<img loading="lazy" alt="{escape(example.image)}" src="data:image/jpeg;base64,{data}">'


def _notes(made: Mapping[str, Any]) -> str:
    parts = []
    for title, lines in (
        ("What to know", [*made["departures"], *made["notes"], *made["protocol"]["assumed"]]),
        ("How the paper's settings and LAVIS's differ here", made["paper_and_lavis_differ"]),
        ("Broken", [f"{row['id']}: {row['error']}" for row in made["broken"]["first"]]),
    ):
        if lines:
            parts.append(f"<h2>{title}</h2><ul>{''.join(f'<li>{escape(line)}</li>' for line in lines)}</ul>")
    return "".join(parts)


def _settings(made: Mapping[str, Any]) -> str:
    rows = {f"model {name}": value for name, value in made["model"].items()}
    rows |= {f"protocol {name}": value for name, value in made["protocol"].items() if name != "assumed"}
    rows |= {f"version of {name}": value for name, value in made["versions"].items()}
    rows |= {name: made[name] for name in ("seed", "seconds", "sessions", "shards", "digest")}
    lines = "".join(
        f"<tr><td>{escape(name)}</td><td><code>{escape(str(value))}</code></td></tr>" for name, value in rows.items()
    )
    return f'<h2>Settings</h2><div class="scroll"><table>{lines}</table></div>'
