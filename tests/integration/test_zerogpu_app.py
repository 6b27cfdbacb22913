"""`python app.py` as a ZeroGPU Space starts it, asked by the Spacefile's own smoke test."""

import os
from dataclasses import replace
from pathlib import Path

import pytest
from started import started

from blip2.backends.local import POCKET
from blip2.space.smoke import try_out
from blip2.space.spacefile import NAME, read
from blip2.zoo import ROOT

SPACES = "from lender import Spaces\nlent = Spaces()\nGPU = lent.GPU\n"


def test_the_app_answers_on_borrowed_gpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "spaces.py").write_text(SPACES, encoding="utf-8")
    path = [str(tmp_path), str(ROOT / "tests"), os.environ.get("PYTHONPATH", "")]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(path))
    monkeypatch.setenv("SPACES_ZERO_GPU", "true")
    smoke = replace(read(ROOT / NAME).smoke, model=POCKET[0])
    with started(tmp_path, data=str(tmp_path)) as address:
        assert try_out(address.rstrip("/"), smoke, ROOT).answer == "a dog"
