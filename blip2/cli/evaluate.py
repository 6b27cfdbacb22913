"""`eval`: published evaluations, scoring of any system's files, comparisons, merging of parts, calibration."""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from blip2 import settings, zoo
from blip2.errors import BadSetting
from blip2.evaluation.protocols import NAMES, TASKS
from blip2.settings import Settings

ENDING = """\
examples:
  python -m blip2 eval pocket --limit 20
  python -m blip2 eval vqav2 --model blip2_t5/pretrain_flant5xl --data /data/coco --protocol lavis
  python -m blip2 eval score captions --predictions results.json --references captions_val2014.json
  python -m blip2 eval compare runs/first runs/second
"""
EXAMPLES = {  # of what cannot be guessed from the name of a task
    "pocket": "pocket --limit 20",
    "coco-caption": "coco-caption --model blip2_opt/caption_coco_opt2.7b --data /data/coco",
    "nocaps": "nocaps --model blip2_opt/caption_coco_opt2.7b --data /data/nocaps",
    "coco-retrieval": "coco-retrieval --model blip2/coco --data /data/coco",
    "flickr-retrieval": "flickr-retrieval --model blip2/coco --data /data/flickr30k",
    "score captions": "score captions --predictions results.json --references captions_val2014.json",
    "score vqa": "score vqa --predictions answers.json --references v2_mscoco_val2014_annotations.json",
    "score retrieval": "score retrieval --predictions scores.npz --references coco_karpathy_test.json",
    "compare": "compare runs/first runs/second",
    "merge": "merge runs/big",
    "calibration": "calibration runs/first --accuracy 0.9",
}


def add(commands: Any) -> None:
    """Add the command's parser, and one for each of its own commands."""
    parser = commands.add_parser(
        "eval",
        help="reproduce published figures, or score predictions",
        description="Reproduce BLIP-2's published figures, score predictions of any system, compare runs.",
        epilog=ENDING,
    )
    inner = parser.add_subparsers(title="tasks and tools", metavar="TASK", required=True, parser_class=type(parser))
    for task in TASKS:
        _add_task(inner, task)
    _add_score(inner)
    _add_compare(inner)
    _add_merge(inner)
    _add_calibration(inner)


def _example(name: str) -> str:
    rest = EXAMPLES.get(name, f"{name} --model blip2_t5/pretrain_flant5xl --data /data/{name} --protocol lavis")
    return f"example: python -m blip2 eval {rest}"


def _add_task(inner: Any, task: str) -> None:
    words = f"Run the evaluation {task} and write a report."
    parser = inner.add_parser(task, help=f"run {task}", description=words, epilog=_example(task))
    pocket = task == "pocket"
    default = Settings().model
    parser.add_argument(
        "--model",
        metavar="M",
        required=not pocket,
        default=default if pocket else None,
        help=f"zoo row, folder or Hub id{f' (default: {default})' if pocket else ''}",
    )
    if not pocket:
        parser.add_argument("--data", metavar="DIR", type=Path, required=True, help="folder with the official files")
    parser.add_argument("--protocol", choices=NAMES, default="paper", help="whose settings (default: paper)")
    limit = "scenes to draw (default: 200)" if pocket else "only the first N examples"
    parser.add_argument("--limit", metavar="N", type=int, help=limit)
    parser.add_argument("--out", metavar="DIR", type=Path, help="folder of the run (default: runs/TASK-MODEL-PROTOCOL)")
    parser.add_argument("--resume", action="store_true", help="go on with the run in that folder, or score it again")
    parser.add_argument("--shard", metavar="I/N", type=_shard, default=(1, 1), help="do part I of N, such as 1/4")
    parser.add_argument("--seed", metavar="N", type=int, default=0, help="seed of sampling and of pocket's scenes")
    parser.add_argument("--at-once", metavar="N", type=int, help="requests under way at a time (default: a full batch)")
    settings.add_flags(parser, ("device", "dtype"))
    _add_caption_flags(parser)
    parser.add_argument("--json", action="store_true", help="print the report as JSON")
    parser.set_defaults(run=run_task, task=task, data=None) if pocket else parser.set_defaults(run=run_task, task=task)


def _add_score(inner: Any) -> None:
    parser = inner.add_parser(
        "score",
        help="score files of predictions",
        description="Score predictions, without a model.",
        epilog=_example("score captions"),
    )
    kinds = parser.add_subparsers(title="kinds", metavar="KIND", required=True, parser_class=type(parser))
    for kind in ("captions", "vqa", "retrieval"):
        words = f"Score {kind} made by any system."
        each = kinds.add_parser(kind, help=f"score {kind}", description=words, epilog=_example(f"score {kind}"))
        each.add_argument("--predictions", metavar="FILE", type=Path, required=True, help="what the system made")
        each.add_argument("--references", metavar="FILE", type=Path, required=True, help="what is right")
        each.add_argument("--questions", metavar="FILE", type=Path, help="VQAv2's questions, to check ids against")
        each.add_argument("--protocol", choices=("official", "lavis"), default="official", help="form of VQA accuracy")
        each.add_argument("--partial", action="store_true", help="leave out what has no prediction")
        each.add_argument("--each", metavar="FILE", type=Path, help="write every example's scores there, a line each")
        _add_caption_flags(each)
        each.add_argument("--json", action="store_true", help="print JSON")
        each.set_defaults(run=run_score, kind=kind)


def _add_caption_flags(parser: Any) -> None:
    parser.add_argument("--no-java", action="store_true", help="captions: our tokenizer, no METEOR")
    parser.add_argument("--spice", action="store_true", help="captions: SPICE too; it fetches a parser when first used")


def _add_compare(inner: Any) -> None:
    words = "Compare runs with the first one."
    parser = inner.add_parser("compare", help="put runs side by side", description=words, epilog=_example("compare"))
    parser.add_argument("runs", metavar="RUN", nargs="+", type=Path, help="folder of a finished run")
    parser.add_argument("--draws", metavar="N", type=int, default=10_000, help="bootstrap draws (default: 10000)")
    parser.add_argument("--seed", metavar="N", type=int, default=0, help="seed of the draws (default: 0)")
    parser.add_argument("--html", metavar="FILE", type=Path, help="write a page too")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(run=run_compare)


def _add_merge(inner: Any) -> None:
    words = "Merge the parts of a run; score it."
    parser = inner.add_parser("merge", help="merge the parts of a run", description=words, epilog=_example("merge"))
    parser.add_argument("runs", metavar="RUN", nargs="+", type=Path, help="folder that holds parts of the run")
    parser.add_argument("--out", metavar="DIR", type=Path, help="folder to merge into (default: the first)")
    _add_caption_flags(parser)
    parser.add_argument("--json", action="store_true", help="print the report as JSON")
    parser.set_defaults(run=run_merge)


def _add_calibration(inner: Any) -> None:
    words = "Show how far a run's confidence can be trusted, and choose a threshold."
    about = "reliability and thresholds of a run"
    parser = inner.add_parser("calibration", help=about, description=words, epilog=_example("calibration"))
    parser.add_argument("folder", metavar="RUN", type=Path, help="folder of a finished run")
    wish = parser.add_mutually_exclusive_group()
    wish.add_argument("--accuracy", metavar="SHARE", type=float, help="lowest accuracy of what is answered, 0 to 1")
    wish.add_argument("--coverage", metavar="SHARE", type=float, help="lowest share of questions answered, 0 to 1")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(run=run_calibration)


def run_task(typed: argparse.Namespace) -> int:
    """Run a task; 0. What can be told before the model is loaded is told before."""
    from blip2.evaluation import reports
    from blip2.evaluation.run import Plan, ready, run

    chosen = settings.load({name: getattr(typed, name) for name in ("device", "dtype")})
    row = zoo.find(typed.model)
    plan = Plan(
        typed.task,
        row.key,
        typed.data,
        typed.protocol,
        typed.out,
        typed.limit,
        typed.seed,
        typed.shard,
        typed.at_once,
        typed.resume,
        False if typed.no_java else None,
        typed.spice,
    )
    dataset = ready(plan, row.family)
    from blip2.backends.local import LocalBackend  # torch from here on

    backend = LocalBackend([plan.model], chosen.dtype, chosen.device)
    try:
        made = run(plan, backend, dataset, say=lambda text: print(text, file=sys.stderr))
    finally:
        backend.close()
    if made is not None:
        print(json.dumps(made, indent=2, ensure_ascii=False) if typed.json else reports.card(made))
        print(f"The report is in {plan.folder / 'report.html'}.", file=sys.stderr)
    return 0


def run_score(typed: argparse.Namespace) -> int:
    """Score files; 0."""
    from blip2.evaluation import score_files

    use_java = False if typed.no_java else None
    if typed.kind == "captions":
        made = score_files.score_captions(typed.predictions, typed.references, use_java, typed.spice, typed.partial)
    elif typed.kind == "vqa":
        made = score_files.score_answers(
            typed.predictions, typed.references, typed.questions, typed.protocol, typed.partial
        )
    else:
        made = score_files.score_retrieval(typed.predictions, typed.references)
    if typed.each:
        rows = (json.dumps({"id": id_, **each}) + "\n" for id_, each in made.values.items())
        typed.each.write_text("".join(rows), "utf-8")
    print(json.dumps(made.to_json(), indent=2) if typed.json else score_files.card(made))
    return 0


def run_compare(typed: argparse.Namespace) -> int:
    """Compare finished runs; 0."""
    from blip2.evaluation import compare

    made = compare.compare([compare.load(folder) for folder in typed.runs], typed.draws, typed.seed)
    if typed.html:
        typed.html.write_text(compare.page(made), "utf-8")
    print(json.dumps(made, indent=2) if typed.json else compare.card(made))
    return 0


def run_merge(typed: argparse.Namespace) -> int:
    """Merge parts and score; 0."""
    from blip2.evaluation import reports, run, run_folder

    folder = run_folder.merge(typed.runs, typed.out)
    made = run.finish(folder, None, False if typed.no_java else None, typed.spice)
    print(json.dumps(made, indent=2, ensure_ascii=False) if typed.json else reports.card(made))
    return 0


def run_calibration(typed: argparse.Namespace) -> int:
    """Show a run's reliability; 0."""
    from blip2.evaluation import reliability, run_folder

    made = reliability.of(run_folder.report(typed.folder), typed.accuracy, typed.coverage)
    print(json.dumps(made, indent=2) if typed.json else reliability.card(made))
    return 0


def _shard(text: str) -> tuple[int, int]:
    number, slash, of = text.partition("/")
    if not slash or not number.isdigit() or not of.isdigit():
        raise BadSetting(f"The shard {text!r} is not of the form I/N; write it like 1/4.")
    return int(number), int(of)
