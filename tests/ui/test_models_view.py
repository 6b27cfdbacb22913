"""The models tab's HTML."""

from blip2.checkup import Progress
from blip2.ui import models_view as view
from blip2.ui.models_actions import Card, Overview
from blip2.values import Fit, Stats

OPT = Card("m/opt", "OPT <b>", "opt", "hub/opt", "loaded", "cuda:0", "float16", 7_700_000_000, 41.4, 1234, 2, 1, 0.5)


def test_a_loaded_model_says_how_it_does_and_nothing_is_markup() -> None:
    shown = view.cards([OPT])
    for said in (
        "OPT &lt;b&gt;",
        "CUDA:0",
        "float16",
        "7.7 GB",
        "41 tokens a second",
        "2 running, 1 waiting",
        "1,234",
        "50%",
    ):
        assert said in shown
    assert "<b>" not in shown


def test_a_matching_model_has_no_speed_and_one_not_loaded_has_sizes() -> None:
    shown = view.cards([Card("m/itm", "ITM", "itm", "", "loaded", "cpu", "float32", 1000)])
    assert "Speed" not in shown
    asleep = view.cards([Card("m/t5", "T5", "t5", "hub/t5", "not loaded", sizes=(("bfloat16", 7_900_000_000),))])
    for said in ("Not loaded", "In 16 bits", "7.9 GB", "hub/t5"):
        assert said in asleep


def test_the_figures_count_models_memory_and_pictures() -> None:
    stats = Stats(
        image_hits=3, image_misses=1, rss_bytes=2_000_000_000, gpu_allocated=8_000_000_000, gpu_total=80 * 10**9
    )
    shown = view.figures(Overview((OPT, Card("x", "X", "t5", "", "not loaded")), stats))
    for said in ("1 of 2", "7.7 GB", "2.0 GB", "8.0 GB", "of 80.0 GB GPU memory", "75%", "3 of 4 pictures"):
        assert said in shown
    assert "none yet" in view.figures(Overview((), Stats()))
    assert "GPU" not in view.figures(Overview((), Stats()))


def test_whether_it_fits_is_said() -> None:
    assert "Choose a model" in view.fit(None)
    assert 'models-fit no"' in view.fit(Fit("m", False, "It is 2 GB <short>."))
    assert "&lt;short&gt;" in view.fit(Fit("m", False, "It is 2 GB <short>."))
    assert 'models-fit yes"' in view.fit(Fit("m", True, "It fits."))


def test_a_check_shows_how_far_it_is_then_its_verdict() -> None:
    assert 'value="25"' in view.check(Progress(0.25, "Asking", {}))
    loaded = {
        "title": "OPT",
        "dtype": "float32",
        "device": "cpu",
        "memory_bytes": 1,
        "note": "n",
        "source": "s",
        "revision": "r",
    }
    found = {
        "model": "m",
        "ok": True,
        "error": "",
        "loaded": loaded,
        "self_check": ["<eps>"],
        "published": [],
        "scenes": None,
    }
    shown = view.check(Progress(1.0, "", found))
    assert "OPT: all is well." in shown
    assert "&lt;eps&gt;" in shown
    row = {"id": "F1", "skipped": "", "agrees": False, "given": "a <i>dog</i>"}
    ill = view.check(Progress(1.0, "", found | {"ok": False, "published": [row]}))
    assert "not the known ones" in ill
    assert "NOT as published: a &lt;i&gt;dog" in ill
    assert "gone" in view.check(Progress(1.0, "", {"model": "m", "ok": False, "error": "gone"}))
