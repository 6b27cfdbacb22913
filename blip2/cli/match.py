"""`match`: how well texts match pictures, as ITM probabilities and ITC cosines; or which of some labels they show."""

import argparse
import json
import re
from typing import TYPE_CHECKING, Any

from blip2.cli import matcher
from blip2.errors import BadSetting

if TYPE_CHECKING:
    from blip2.matching import Label
    from blip2.values import Match, Picture


def add(commands: Any) -> None:
    """Add the command's parser."""
    parser = commands.add_parser(
        "match",
        help="match pictures with texts, or classify them",
        description="Compare every picture with every text. ITM is the probability that the two belong together, read "
        "by the Q-Former from both; ITC the cosine of their features, each made alone. With --labels: the share of "
        "each label, whose ITM is that of the template's sentence, among all of them.",
        epilog='examples:\n  python -m blip2 match photo.jpg --text "a dog on a beach" --text "a cat in a room"\n'
        '  python -m blip2 match *.jpg --labels "dog, cat, bus" --csv',
    )
    matcher.add_flags(parser, "+")
    asked = parser.add_mutually_exclusive_group(required=True)
    asked.add_argument("--text", metavar="TEXT", action="append", help="a text; give it again for more")
    asked.add_argument("--labels", metavar="LABELS", help="classify: labels with commas between them")
    parser.add_argument("--template", metavar="TEXT", help='sentence for --labels (default: "a photo of a {}")')
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="print JSON; of texts the matrices, a row for each picture")
    form.add_argument("--csv", action="store_true", help="print CSV, a line for each picture and text or label")
    parser.set_defaults(run=run)


def run(typed: argparse.Namespace) -> int:
    """Compare and print; 0. Raises what pictures, texts and the model raise."""
    if typed.template is not None and typed.labels is None:
        raise BadSetting("A --template is for labels; add --labels, or leave it out.")
    labels = [part.strip() for part in re.split(r"[,\n]", typed.labels or "") if part.strip()]
    if typed.labels is not None and not labels:
        raise BadSetting('The --labels are empty; name some with commas between them, such as "dog, cat".')
    with matcher.opened(typed) as (backend, pictures):
        from blip2.matching import TEMPLATE, classify, match

        if labels:
            template = TEMPLATE if typed.template is None else typed.template
            found = [classify(backend, typed.model, each, labels, template) for each in pictures]
            print(_labels(typed, pictures, found))
        else:
            print(_pairs(typed, pictures, match(backend, typed.model, pictures, typed.text)))
    return 0


def _pairs(typed: argparse.Namespace, pictures: list["Picture"], made: "Match") -> str:
    from blip2.match_tables import pairs_csv

    if typed.csv:
        return pairs_csv(typed.images, typed.text, made).replace("\r\n", "\n").rstrip("\n")
    if typed.json:
        head = {"model": typed.model, "images": _named(typed, pictures), "texts": typed.text}
        return _json(head | {"itm": made.itm.tolist(), "itc": made.itc.tolist()})
    lines = []
    for row, path in enumerate(typed.images):
        lines += [path] if len(typed.images) > 1 else []
        for column in made.itm[row].argsort()[::-1]:
            lines.append(f"ITM {made.itm[row][column]:7.2%}  ITC {made.itc[row][column]:6.3f}  {typed.text[column]}")
    return "\n".join(lines)


def _labels(typed: argparse.Namespace, pictures: list["Picture"], found: list[list["Label"]]) -> str:
    """For each picture its labels, the likeliest first."""
    from blip2.match_tables import labels_csv, labels_json

    if typed.csv:
        return labels_csv(zip(typed.images, found, strict=True)).replace("\r\n", "\n").rstrip("\n")
    if typed.json:
        named = zip(_named(typed, pictures), found, strict=True)
        return _json({"model": typed.model, "images": [name | {"labels": labels_json(each)} for name, each in named]})
    lines = []
    for path, labels in zip(typed.images, found, strict=True):
        lines += [path] if len(found) > 1 else []
        lines += [f"{each.share:7.2%}  ITM {each.itm:7.2%}  ITC {each.itc:6.3f}  {each.name}" for each in labels]
    return "\n".join(lines)


def _named(typed: argparse.Namespace, pictures: list["Picture"]) -> list[dict[str, Any]]:
    return [{"file": path, "digest": each.digest} for path, each in zip(typed.images, pictures, strict=True)]


def _json(data: dict[str, Any]) -> str:
    return json.dumps(data, ensure_ascii=False, indent=2)
