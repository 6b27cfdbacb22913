"""A run from its settings to its report: read the data, ask what is missing, and when all is there, score and write.

    run(Plan("vqav2", "blip2_t5/pretrain_flant5xl", data=Path("coco")), backend)

Killed at any moment, it goes on with `resume=True`. Several processes share a run by `shard`; `finish` merges them.
"""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from blip2.backends.base import Backend
from blip2.errors import BadInput, BadSetting, ModelUnusable
from blip2.evaluation import caption_files, captions, journal, ptb, question_files, reports, run_folder
from blip2.evaluation.asking import Asker, ask_all
from blip2.evaluation.examples import Dataset, shard
from blip2.evaluation.journal import Journal
from blip2.evaluation.progress import Progress
from blip2.evaluation.protocols import Protocol, find
from blip2.evaluation.run_folder import About
from blip2.evaluation.scoring import score
from blip2.memory import Family

ROWS_AT_ONCE = 64  # the engine's widest batch: an answer searched with five beams takes five rows of it
SPARE = 4  # requests beyond that, so that the batch is full again as soon as one ends
READERS: dict[str, Callable[[Path], Dataset]] = {
    "vqav2": question_files.vqav2,
    "okvqa": question_files.okvqa,
    "gqa": question_files.gqa,
    "textvqa": question_files.textvqa,
    "vizwiz": question_files.vizwiz,
    "coco-caption": caption_files.coco_caption,
    "nocaps": caption_files.nocaps,
    "coco-retrieval": caption_files.coco_retrieval,
    "flickr-retrieval": caption_files.flickr_retrieval,
}
FEATURES = "features"  # what the first pass of retrieval leaves on disk while it is needed


@dataclass(frozen=True, slots=True)
class Plan:
    """What to run. `limit` takes the first examples (scenes, for pocket); `shard` is (number from 1, of how many)."""

    task: str
    model: str
    data: Path | None = None
    protocol: str = "paper"
    out: Path | None = None
    limit: int | None = None
    seed: int = 0
    shard: tuple[int, int] = (1, 1)
    at_once: int | None = None
    resume: bool = False
    use_java: bool | None = None
    with_spice: bool = False

    @property
    def folder(self) -> Path:
        """Where the run is written: `runs/TASK-MODEL-PROTOCOL` if nothing else is said."""
        return self.out or Path("runs") / f"{self.task}-{Path(self.model).name}-{self.protocol}"


def dataset_of(task: str, data: Path | None, family: Family, limit: int | None, seed: int) -> Dataset:
    """The examples of a task. Raises `BadInput` where a file is missing, with where to get it."""
    if task == "pocket":
        from blip2.evaluation.pocket_task import pocket  # the bundled world is not needed for the other tasks

        dataset = pocket(family, limit, seed)
    else:
        if data is None:
            raise BadSetting(f"The evaluation {task} needs its data: give the folder with --data.")
        if not data.is_dir():
            raise BadInput(f"There is no folder {data}; give the one that holds the data of {task} with --data.")
        dataset = READERS[task](data).limited(limit)
    ids = {each.id for each in dataset.examples}
    if len(ids) < len(dataset.examples):
        raise BadInput(
            f"The data of {task} names {len(dataset.examples) - len(ids)} examples twice; get the files anew."
        )
    return dataset


def ready(plan: Plan, family: Family | None) -> Dataset | None:
    """What can go wrong before a large model is loaded: data, folder, packages. The data, where the family is known."""
    number, of = plan.shard
    if not 1 <= number <= of:
        raise BadSetting(f"The shard {number}/{of} is impossible; parts are numbered from 1, such as 1/{of}.")
    if plan.limit is not None and plan.limit < 1:
        raise BadSetting(f"The limit is {plan.limit}; it must be at least 1.")
    run_folder.check_started(plan.folder, journal.part_name(number, of), plan.resume)
    if family is None:
        return None
    if find(plan.task, plan.protocol, family).kind == "caption" and ptb.package() is None:
        raise ModelUnusable(captions.MISSING)
    return dataset_of(plan.task, plan.data, family, plan.limit, plan.seed)


def run(
    plan: Plan, backend: Backend, dataset: Dataset | None = None, say: Callable[[str], None] = print
) -> dict[str, Any] | None:
    """Run a plan; the report, or None where other parts of the run are still missing. `dataset` is what `ready` gave.

    Raises what the data, the settings and the model raise; what was answered until then is kept.
    """
    info = backend.describe(plan.model)
    protocol = find(plan.task, plan.protocol, info.family)
    dataset = dataset or ready(plan, info.family)
    assert dataset is not None, "the family of a loaded model is known"
    number, of = plan.shard
    data = str(plan.data.resolve()) if plan.data else ""
    about = About.of(plan.task, plan.protocol, info, dataset, data=data, limit=plan.limit, seed=plan.seed, shards=of)
    part = journal.part_name(number, of)
    run_folder.enter(plan.folder, about, part, plan.resume)
    mine = shard(dataset.examples, number, of)
    with Journal(plan.folder / part) as written:
        _answer(plan, backend, protocol, dataset, mine, written)
    missing = len(dataset.examples) - len(run_folder.rows(plan.folder))
    if missing:
        say(f"Part {number} of {of} is done; {missing} examples of other parts are missing. Merge with `eval merge`.")
        return None
    return finish(plan.folder, dataset, plan.use_java, plan.with_spice)


def finish(
    folder: Path, dataset: Dataset | None = None, use_java: bool | None = None, with_spice: bool = False
) -> dict[str, Any]:
    """Score a complete run and write its report; no model is needed. Raises `BadInput` where answers are missing."""
    about = run_folder.load(folder)
    family: Any = about.family
    protocol = find(about.task, about.protocol, family)
    if dataset is None:
        data = Path(about.data) if about.data else None
        dataset = dataset_of(about.task, data, family, about.limit, about.seed)
    if run_folder.digest(dataset) != about.digest:
        raise BadInput(f"The data of the run in {folder} has changed since it was made; restore it, or run anew.")
    rows = run_folder.rows(folder)
    missing = [each.id for each in dataset.examples if each.id not in rows]
    if missing:
        raise BadInput(
            f"The run in {folder} lacks {len(missing)} of {len(dataset.examples)} examples, the first being "
            f"{missing[0]!r}; finish its parts with --resume, then merge again."
        )
    scores = score(protocol, dataset.examples, rows, use_java, with_spice)
    made = reports.write(folder, about, protocol, dataset, rows, scores)
    shutil.rmtree(folder / FEATURES, ignore_errors=True)
    return made


def _answer(
    plan: Plan, backend: Backend, protocol: Protocol, dataset: Dataset, mine: list[Any], written: Journal
) -> None:
    """Ask for what the journal lacks of `mine`."""
    before = sum(each.id in written.rows for each in mine)
    if before == len(mine):
        return
    if protocol.kind == "retrieval":
        _rank(plan, backend, protocol, dataset, mine, written)
        return
    width = protocol.decoding.width if protocol.decoding else 1
    at_once = plan.at_once or (1 if protocol.decoding is None else ROWS_AT_ONCE // width + SPARE)
    progress = Progress(len(mine), before)
    try:
        ask_all(Asker(backend, plan.model, protocol, plan.seed), mine, written, progress, at_once)
    finally:
        progress.close()


def _rank(
    plan: Plan, backend: Backend, protocol: Protocol, dataset: Dataset, mine: list[Any], written: Journal
) -> None:
    from blip2.evaluation.ranking import Ranker, matcher_of

    texts = [text for example in dataset.examples for text in example.references]
    ranker = Ranker(matcher_of(backend, plan.model), protocol, dataset.examples, texts, plan.folder / FEATURES)
    first = Progress(len(dataset.examples), unit="pictures compared by ITC")
    try:
        ranker.first(first)
    finally:
        first.close()
    second = Progress(len(mine), sum(each.id in written.rows for each in mine), unit="pictures re-ranked by ITM")
    try:
        ranker.second(mine, written, second)
    finally:
        second.close()
