"""CSV of matches: every pair and label, numbers as numbers, nothing that a spreadsheet would calculate."""

import csv
import io

import numpy as np

from blip2.match_tables import labels_csv, labels_json, pairs_csv
from blip2.matching import Label
from blip2.values import Match


def test_every_pair_is_a_line_and_no_cell_a_formula() -> None:
    made = Match(np.asarray([[0.9, 0.1]], np.float32), np.asarray([[-0.25, 0.5]], np.float32))
    rows = list(csv.reader(io.StringIO(pairs_csv(["=a.png"], ["@dog", 'a "cat", two'], made))))
    assert rows[0] == ["picture", "text", "itm", "itc"]
    assert rows[1] == ["'=a.png", "'@dog", "0.9", "-0.25"]
    assert rows[2][:2] == ["'=a.png", 'a "cat", two']
    assert len(rows) == 3


def test_labels_keep_their_order() -> None:
    found = [Label("+dog", "a photo of a +dog", 0.75, 0.5, 0.9), Label("cat", "a photo of a cat", 0.08, 0.1, 0.1)]
    rows = list(csv.DictReader(io.StringIO(labels_csv([("=a.png", found)]))))
    assert {row["picture"] for row in rows} == {"'=a.png"}
    assert [row["label"] for row in rows] == ["'+dog", "cat"]
    assert float(rows[0]["share"]) == 0.9
    assert [each["label"] for each in labels_json(found)] == ["+dog", "cat"]
