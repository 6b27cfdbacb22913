"""A stand-in of the Hub, and an app with scripted answers that its Spaces are said to be."""

from collections.abc import Iterator

import pytest
from apiserver import listening, made
from hubroutes import Hub
from hubserver import serving

from blip2.backends.scripted import ScriptedBackend


@pytest.fixture(scope="session")
def app() -> Iterator[str]:
    """The address of an app that finds a dog in every picture."""
    with listening(made(ScriptedBackend(default="a dog"))) as url:
        yield url


@pytest.fixture
def hub(app: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """The stand-in, which the Hub's client takes for the Hub. It stores large files by LFS, as where Xet is off."""
    from huggingface_hub import constants
    from huggingface_hub.utils import disable_progress_bars

    disable_progress_bars()
    with serving(app=app) as made_hub:
        monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
        monkeypatch.setattr(constants, "ENDPOINT", made_hub.endpoint)
        yield made_hub
