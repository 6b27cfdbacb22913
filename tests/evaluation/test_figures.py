"""The published figures are those of the paper, and the table in the docs is made from them."""

import re
import shlex

from blip2 import cli, zoo
from blip2.evaluation import figures, table
from blip2.evaluation.protocols import NAMES, TASKS


def test_rows_name_models_of_the_zoo_and_tasks_there_are() -> None:
    keys = {row.key for row in zoo.ROWS}
    for row in figures.ROWS:
        assert row.model in keys
        assert row.task in TASKS
        assert row.protocol in NAMES
        assert row.source
        assert 0 < row.value < 200


def test_some_figures_of_the_paper() -> None:
    found = {
        (row.model, row.task, row.figure): row.value for row in figures.ROWS if row.source.startswith(figures.PAPER)
    }
    assert found["blip2_t5/pretrain_flant5xxl", "vqav2", "vqa_official"] == 65.2
    assert found["blip2_t5/caption_coco_flant5xl", "nocaps", "CIDEr"] == 121.6
    assert found["blip2_opt/caption_coco_opt2.7b", "coco-caption", "Bleu_4"] == 43.7
    assert found["blip2/coco", "flickr-retrieval", "img_r1"] == 89.7


def test_the_table_in_the_docs_is_up_to_date() -> None:
    page = table.PAGE.read_text("utf-8")
    _, _, rest = page.partition(table.BEGIN)
    shown, end, _ = rest.partition(table.END)
    assert end, "the docs have the marks that the table lies between"
    assert shown.strip() == table.table(table.measured()), "run python -m blip2.evaluation.table"


def test_every_row_of_the_zoo_is_in_the_table_and_nothing_is_measured_unless_it_was() -> None:
    made = table.table([])
    for row in zoo.ROWS:
        assert f"`{row.key}`" in made
    assert all(line.endswith("| – |") for line in made.splitlines()[2:])
    assert {each["model"] for each in table.measured()} <= {row.key for row in zoo.ROWS if row.pocket}


def test_every_command_in_the_docs_parses() -> None:
    blocks = re.findall(r"^```\n(.*?)^```", table.PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    lines = [line for block in blocks for line in block.splitlines()]
    assert len(lines) >= 10
    for line in lines:
        words = shlex.split(line)
        assert words[:4] == ["python", "-m", "blip2", "eval"]
        assert cli.parser().parse_args(words[3:]).run
