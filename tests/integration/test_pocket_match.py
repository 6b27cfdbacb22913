"""The bundled matching model on bundled scenes: the right sentence first, label and place."""

import pytest

from blip2.backends.local import LocalBackend
from blip2.images import open_picture
from blip2.pocket.examples import load_examples
from blip2.settings import Settings
from blip2.ui import match_heat
from blip2.ui.match_actions import MatchActions
from blip2.ui.match_tab import TRY
from blip2.ui.studio import Studio
from blip2.zoo import ROWS

ROW = next(row for row in ROWS if row.pocket and row.family == "itm")
pytestmark = pytest.mark.skipif(
    not (ROW.folder and (ROW.folder / "model.safetensors").is_file()), reason="THE BUNDLED MATCHING MODEL IS NOT HERE"
)


def test_the_example_of_the_match_tab_comes_out_right() -> None:
    backend = LocalBackend([ROW.key], "float32", "cpu")
    try:
        on = MatchActions(Studio(Settings(), backend))
        beach = open_picture(next(each.path for each in load_examples() if each.path.stem == "beach"))
        *_, table = on.one(beach, TRY["texts"], None)
        by_text = dict(zip(table.texts, table.made.itm[0], strict=True))
        assert by_text["a dog on a beach"] > by_text["a cat on a beach"] > by_text["a bus in a street"]
        assert table.foreign == 0
        assert table.strange == ()
        assert on.classify(beach, TRY["labels"], "", None).found[0].name == "dog"
        where = on.where(beach, TRY["sentence"], None)
        places = dict(zip(where.attention.words, where.attention.maps, strict=True))
        assert match_heat.place(places["umbrella"])[0] == "middle left"
        assert match_heat.place(places["dog"])[0] == "bottom center"
        assert where.is_foreign is False
    finally:
        backend.close()
