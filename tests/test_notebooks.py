"""The notebooks run from top to bottom on the bundled models, and are committed with their outputs.

PYTHONWARNINGS=ignore PYTHONPATH=$PWD jupyter-execute --inplace examples/*.ipynb      # makes the outputs again
"""

import os
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

from blip2.zoo import ROWS

FOLDER = Path(__file__).resolve().parents[1] / "examples"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
BUNDLED = all((row.folder / "model.safetensors").is_file() for row in ROWS if row.pocket and row.folder)


def printed(notebook: Any) -> list[str]:
    """What each cell showed, as text; a cell's output may come in several pieces."""
    shown = []
    for cell in notebook.cells:
        texts = [each.get("text") or each.get("data", {}).get("text/plain", "") for each in cell.get("outputs", ())]
        shown.append("".join(texts))
    return shown


def test_there_are_the_four() -> None:
    assert [path.stem for path in NOTEBOOKS] == [
        "compare_opt_flant5",
        "feature_extraction",
        "image_text_matching",
        "instructed_generation",
    ]


@pytest.mark.skipif(not BUNDLED, reason="the bundled models are not here")
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs_and_is_committed_as_executed(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONWARNINGS", "ignore")  # tqdm's, which asks for widgets
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(FOLDER.parent), os.environ.get("PYTHONPATH", "")]))
    committed = nbformat.read(path, as_version=4)
    code = [cell for cell in committed.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    fresh = nbformat.read(path, as_version=4)
    NotebookClient(fresh, timeout=300, resources={"metadata": {"path": str(FOLDER)}}).execute()
    assert [len(text.splitlines()) for text in printed(fresh)] == [
        len(text.splitlines()) for text in printed(committed)
    ]
    assert not [each for cell in code for each in cell.outputs if each.get("name") == "stderr"]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_names_its_models_in_one_line(path: Path) -> None:
    cells = [cell.source for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]
    lines = [line for source in cells for line in source.splitlines() if '"pocket' in line or "/pocket" in line]
    assert len(lines) == 1
    assert lines[0] == cells[0]
