"""Loading and unloading from several threads at once."""

import threading
from dataclasses import replace
from pathlib import Path

import pytest
import tiny

from blip2.backends.base import answer
from blip2.backends.local import LocalBackend
from blip2.errors import Blip2Error, UnknownModel, WillNotFit
from blip2.loading import LoadedModel, fit, load
from blip2.values import Decoding, Request
from blip2.zoo import find
from tests.backends.conftest import picture


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str, str]:
    made = tmp_path_factory.mktemp("shelf")
    return str(tiny.make_opt(made / "a")), str(tiny.make_opt(made / "b", seed=1)), str(tiny.make_itm(made / "c"))


def test_a_loaded_model_answers_while_another_is_loaded(folders: tuple[str, str, str]) -> None:
    begun, go = threading.Event(), threading.Event()

    def loader(name: str, dtype: str, device: str) -> LoadedModel:
        if name == folders[1]:
            begun.set()
            assert go.wait(30)
        return load(name, dtype, device)

    backend = LocalBackend(folders[:1], device="cpu", allow=folders[1:], loader=loader)
    backend.describe(folders[0])
    thread = threading.Thread(target=backend.load, args=(folders[1],))
    thread.start()
    assert begun.wait(30)
    assert backend.stats().loading == folders[1]
    assert answer(backend, Request(folders[0], picture(9), "what", Decoding(max_new_tokens=3))).final
    waiting = threading.Thread(target=backend.load, args=(folders[2],))
    waiting.start()
    assert folders[2] not in backend.stats().loaded, "a load waits for the one before it"
    go.set()
    for each in (thread, waiting):
        each.join()
    assert set(backend.stats().loaded) == set(folders)
    assert [info.name for info in backend.models()] == list(folders)
    backend.close()


def test_what_is_allowed_is_not_loaded_by_asking_for_it(folders: tuple[str, str, str]) -> None:
    backend = LocalBackend(folders[:1], device="cpu", allow=folders[1:])
    with pytest.raises(UnknownModel, match="not served"):
        backend.describe(folders[1])
    backend.load(folders[1])
    assert backend.describe(folders[1]).family == "opt"
    backend.close()


def test_unloading_many_times_at_once_harms_nobody(folders: tuple[str, str, str]) -> None:
    """Requests go on while the model is loaded and unloaded: each ends with an answer or with a sentence."""
    backend = LocalBackend(folders[:2], device="cpu")
    backend.models()
    stop = threading.Event()
    ended: list[str] = []

    def ask() -> None:
        while not stop.is_set():
            try:
                ended.append(str(answer(backend, Request(folders[1], picture(9), "what")).finish))
            except Blip2Error as error:
                ended.append(str(error))

    threads = [threading.Thread(target=ask) for _ in range(3)]
    for thread in threads:
        thread.start()
    for _ in range(4):
        backend.unload(folders[1])
        backend.load(folders[1])
    stop.set()
    for thread in threads:
        thread.join(30)
        assert not thread.is_alive()
    assert ended
    backend.close()


def test_idle_models_make_room_and_the_answer_says_so(
    folders: tuple[str, str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded: list[str] = []

    def loader(name: str, dtype: str, device: str) -> LoadedModel:
        if name == folders[1] and "gone" not in loaded:
            loaded.append("gone")
            raise WillNotFit("too little memory.")
        made = load(name, dtype, device)
        return replace(made, info=replace(made.info, memory_bytes=50_000_000))

    backend = LocalBackend(folders[:1], device="cpu", allow=folders[1:], loader=loader)
    title = backend.describe(folders[0]).title
    with monkeypatch.context() as patched:
        patched.setattr("blip2.quantize.free_memory", lambda: 1000)
        told = backend.fits(folders[1])
        assert told.fits
        assert f"Unloading {title}" in told.sentence
        assert not fit(folders[1], device="cpu").fits
    backend.load(folders[1])
    assert backend.stats().loaded == (folders[1],)
    backend.close()


def test_a_model_that_is_nowhere_does_not_fit_and_says_why(tmp_path: Path) -> None:
    told = fit(str(tmp_path), device="cpu")
    assert not told.fits
    assert "no config.json" in told.sentence


def test_a_model_goes_by_the_name_of_its_row_whatever_it_was_called() -> None:
    row = find("blip2/pocket")
    backend = LocalBackend([str(row.folder)], device="cpu")
    assert [info.name for info in backend.models()] == backend.loadable() == ["blip2/pocket"]
    assert backend.describe("blip2/pocket") == backend.describe(str(row.folder))
    assert backend.load(str(row.folder)) == backend.describe("blip2/pocket")
    assert backend.fits(str(row.folder)).sentence.startswith(f"{row.title} is loaded")
    assert backend.stats().loaded == ("blip2/pocket",)
    backend.close()
