"""The committed report and the model card say the same, and are of the committed weights."""

import hashlib
import json
from typing import Any

import pytest

from blip2 import zoo
from blip2.errors import BadSetting
from blip2.pocket import report_card
from blip2.pocket.publish import BEGIN, END, FOLDER, figures_of, merged, with_figures


@pytest.fixture
def made() -> dict[str, Any]:
    file = FOLDER / "report.json"
    if not file.is_file():
        pytest.skip("THE ACCURACY REPORT IS MISSING: see `make pocket`")
    return json.loads(file.read_text("utf-8"))  # type: ignore[no-any-return]


def test_figures_go_between_the_marks_and_nothing_else_changes(made: dict[str, Any]) -> None:
    card = f"# Title\n\n{BEGIN}\nold\n{END}\n\nthe end\n"
    changed = with_figures(card, made)
    assert changed.startswith("# Title\n\n")
    assert changed.endswith(f"{END}\n\nthe end\n")
    assert figures_of(changed) == report_card.card(made)
    assert with_figures(changed, made) == changed
    assert with_figures("no marks", made) == "no marks"


def test_reports_of_single_models_merge_if_they_are_of_the_same_scenes() -> None:
    about = {"scenes": 5, "seed": 1, "source": "fresh"}
    opt = about | {"opt": {"all": 0.5}, "weights_sha256": {"a": "1"}, "seconds": 2.0}
    t5 = about | {"t5": {"all": 0.25}, "weights_sha256": {"b": "2"}, "seconds": 3.5}
    both = merged(opt, t5)
    assert both["opt"] == opt["opt"]
    assert both["t5"] == t5["t5"]
    assert both["weights_sha256"] == {"a": "1", "b": "2"}
    assert both["seconds"] == 5.5
    assert merged(both, opt | {"opt": {"all": 0.75}})["opt"] == {"all": 0.75}
    with pytest.raises(BadSetting, match="scenes 5"):
        merged(opt, t5 | {"scenes": 6})


def test_the_model_card_shows_the_committed_report(made: dict[str, Any]) -> None:
    assert figures_of((FOLDER / "MODEL_CARD.md").read_text("utf-8")) == report_card.card(made)


def test_the_report_is_of_the_committed_weights(made: dict[str, Any]) -> None:
    for name, checksum in made["weights_sha256"].items():
        folder = zoo.find(name).folder
        assert folder is not None
        assert hashlib.sha256((folder / "model.safetensors").read_bytes()).hexdigest() == checksum, name
    assert len(made["weights_sha256"]) == 3
    assert made["scenes"] >= 2000
