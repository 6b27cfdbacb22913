"""What can be done on the models tab, on scripted models."""

from dataclasses import replace

import pytest
from PIL import Image

from blip2.backends.base import answer
from blip2.backends.scripted import ScriptedBackend
from blip2.errors import WillNotFit
from blip2.images import picture_from
from blip2.ui.models_actions import CLOSED, ModelsActions, versions
from blip2.ui.visit import CRASHED
from blip2.values import Fit, ModelInfo, Request

MODELS = (
    ModelInfo("pocket/opt", "Pocket OPT", "opt", "pocket", memory_bytes=11_000_000, pocket=True),
    ModelInfo("pocket/itm", "Pocket matching", "itm", "pocket", memory_bytes=15_000_000, pocket=True),
)
EXTRA = ModelInfo("blip2_opt/pretrain_opt2.7b", "BLIP-2 opt-2.7b", "opt", "Salesforce/blip2-opt-2.7b")


def made(manage: bool = True) -> ModelsActions:
    return ModelsActions(ScriptedBackend(default="a dog", models=MODELS, allow=(EXTRA,)), manage)


def test_every_model_has_its_card_and_the_loaded_ones_say_how_they_do() -> None:
    actions = made()
    answer(actions.backend, Request("pocket/opt", picture_from(Image.new("RGB", (9, 9))), "what"))
    cards = {card.name: card for card in actions.overview().cards}
    assert list(cards) == ["pocket/opt", "pocket/itm", EXTRA.name]
    opt = cards["pocket/opt"]
    assert (opt.state, opt.title, opt.device, opt.dtype) == ("loaded", "Pocket OPT", "cpu", "float32")
    assert (opt.tokens, opt.running, opt.waiting) == (2, 0, 0)
    extra = cards[EXTRA.name]
    assert (extra.state, extra.family, extra.source) == ("not loaded", "opt", "Salesforce/blip2-opt-2.7b")
    assert dict(extra.sizes)["float32"] > dict(extra.sizes)["int8"]
    assert actions.overview().to_json()["models"][2]["state"] == "not loaded"


def test_loading_says_first_that_it_loads_and_then_how_it_went() -> None:
    actions = made()
    first, last = actions.load(EXTRA.name)
    assert first.text.startswith("Loading BLIP-2 opt-2.7b")
    assert "is loaded" in last.text
    assert not last.failed
    assert EXTRA.name in actions.backend.stats().loaded
    _, last = actions.unload(EXTRA.name)
    assert "is unloaded" in last.text
    assert EXTRA.name not in actions.backend.stats().loaded


def test_without_leave_nothing_is_loaded_or_unloaded() -> None:
    actions = made(manage=False)
    for said in (actions.load(EXTRA.name), actions.unload("pocket/itm")):
        (only,) = said
        assert (only.text, only.failed) == (CLOSED, True)
    assert actions.backend.stats().loaded == ("pocket/opt", "pocket/itm")


@pytest.mark.parametrize(
    ("name", "said"), [("", "Choose a model"), (None, "Choose a model"), ("no/such", "may not be loaded")]
)
def test_a_wrong_name_is_a_sentence(name: str | None, said: str) -> None:
    last = list(made().load(name))[-1]
    assert last.failed
    assert said in last.text


def test_what_does_not_fit_is_not_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    actions = made()
    short = Fit(EXTRA.name, False, "It needs 15 GB, and 2 GB are free.")
    monkeypatch.setattr(actions.backend, "fits", lambda name: short)
    last = list(actions.load(EXTRA.name))[-1]
    assert (last.text, last.failed) == (short.sentence, True)
    assert EXTRA.name not in actions.backend.stats().loaded


def test_failures_are_sentences(monkeypatch: pytest.MonkeyPatch) -> None:
    actions = made()
    for fault, said in ((WillNotFit("The memory ran out."), "The memory ran out."), (KeyError("secret"), CRASHED)):

        def fail(name: str, fault: Exception = fault) -> ModelInfo:
            raise fault

        monkeypatch.setattr(actions.backend, "load", fail)
        last = list(actions.load(EXTRA.name))[-1]
        assert (last.text, last.failed) == (said, True)


def test_the_last_model_cannot_be_unloaded() -> None:
    actions = made()
    list(actions.unload("pocket/itm"))
    last = list(actions.unload("pocket/opt"))[-1]
    assert last.failed
    assert "only model" in last.text


def test_whether_a_model_fits_is_told_before() -> None:
    actions = made()
    assert actions.fits("") is None
    loaded, extra, unknown = (actions.fits(name) for name in ("pocket/opt", EXTRA.name, "no/such"))
    assert loaded is not None
    assert extra is not None
    assert unknown is not None
    assert (loaded.fits, extra.fits, unknown.fits) == (True, True, False)
    assert "no/such" in unknown.sentence


def test_a_check_ends_with_a_verdict_whatever_is_chosen() -> None:
    actions = made()
    actions.backend = ScriptedBackend(models=[replace(info, pocket=False) for info in MODELS])
    for name, said in (("pocket/opt", ""), (None, "none is not"), ("no/such", "no/such is not")):
        *_, last = actions.check(name)
        assert last.share == 1.0
        assert said in last.found["error"]
        assert last.found["ok"] is (name == "pocket/opt")


def test_versions_name_what_an_answer_depends_on() -> None:
    assert list(versions()) == ["BLIP-2 Studio", "Python", "PyTorch", "Transformers", "Gradio"]
    assert all(number[0].isdigit() for number in versions().values())
