"""Fixtures that several tests share: folders with tiny checkpoints, written once a session."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # tests import `tiny`, under pytest's importlib mode too

import tiny


@pytest.fixture(scope="session")
def opt_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.make_opt(tmp_path_factory.mktemp("tiny") / "tiny_opt")


@pytest.fixture(scope="session")
def t5_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.make_t5(tmp_path_factory.mktemp("tiny") / "tiny_t5")


@pytest.fixture(scope="session")
def itm_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.make_itm(tmp_path_factory.mktemp("tiny") / "tiny_itm")
