"""The doctor finds each bundled model well, and its answers about committed scenes right."""

import pytest

from blip2 import doctor, zoo


@pytest.mark.parametrize("model", [row.key for row in zoo.ROWS if row.pocket])
def test_a_bundled_model_is_well(model: str) -> None:
    found = doctor.report(model, device="cpu", scenes=6)
    assert found["error"] == ""
    assert found["ok"], doctor.render(found)
    assert found["loaded"]["dtype"] == "float32"
    assert found["scenes"]["scenes"] == 6
