"""Packed matrices give what plain ones give, and whole models with them answer the same."""

from pathlib import Path

import pytest
import torch
from torch import nn

from blip2.engine import packed
from blip2.engine.engine import Engine
from blip2.loading import load
from blip2.values import Decoding, Picture, Request
from tests.engine.conftest import PROMPTS

pytestmark = pytest.mark.skipif(not packed.available(), reason="this build of torch has no oneDNN")
ROWS = (0, 1, 2, 3, 5, 64)


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_the_product_is_the_plain_one(bias: bool, dtype: torch.dtype) -> None:
    torch.manual_seed(0)
    layer = nn.Linear(640, 512, bias=bias, dtype=dtype)
    inputs = [torch.randn(2, rows, 640, dtype=dtype) for rows in ROWS] + [torch.randn(640, 3, dtype=dtype).T]
    with torch.inference_mode():
        before = [layer(x) for x in inputs]
        assert packed.pack(layer) == 1
        for x, right in zip(inputs, before, strict=True):
            torch.testing.assert_close(layer(x), right, atol=2e-2 if dtype == torch.bfloat16 else 1e-5, rtol=1e-2)


def test_the_plain_copy_is_let_go_and_comes_back_for_a_gradient() -> None:
    layer = nn.Linear(640, 512)
    x = torch.randn(3, 640, requires_grad=True)
    layer(x).sum().backward()
    right = x.grad
    packed.pack(layer)
    assert layer.weight.numel() == 0
    assert layer.weight.dtype == torch.float32
    x.grad = None
    layer(x).sum().backward()
    torch.testing.assert_close(x.grad, right)


def test_small_and_quantised_layers_stay_and_nothing_is_packed_twice() -> None:
    class Quantised(nn.Linear):
        """Stands for a layer whose weights are not plain numbers."""

    model = nn.Sequential(nn.Linear(16, 16), Quantised(640, 512), nn.Linear(640, 512))
    assert packed.pack(model) == 1
    assert packed.pack(model) == 0
    assert model[0].weight.shape == (16, 16)
    assert model[1].weight.shape == (512, 640)


@pytest.mark.parametrize("family", ["opt", "t5"])
def test_models_answer_the_same(
    family: str, opt_folder: Path, t5_folder: Path, pictures: list[Picture], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = str(opt_folder if family == "opt" else t5_folder)
    written = []
    for least in (1 << 40, 1):
        monkeypatch.setattr(packed, "LEAST", least)
        loaded = load(folder, "float32", "cpu")
        engine = Engine(loaded)
        requests = [
            Request(loaded.info.name, pictures[i % 3], prompt, decoding)
            for i, prompt in enumerate(PROMPTS)
            for decoding in (Decoding(method="greedy", max_new_tokens=8), Decoding(max_new_tokens=8))
        ]
        written.append([list(engine.submit(request))[-1].candidates[0].ids for request in requests])
        engine.close()
        assert any(layer.weight.numel() == 0 for layer in loaded.model.modules() if type(layer) is nn.Linear) == (
            least == 1
        )
    assert written[0] == written[1]
