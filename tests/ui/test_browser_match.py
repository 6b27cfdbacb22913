"""The match tab as visitors and programs use it: bars, a matrix that is stopped, labels, words, features, downloads."""

import csv
import io
import json
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from gradio_client import Client, handle_file
from PIL import Image
from playwright.sync_api import Browser, Page, expect
from visitor import LIMIT

from blip2.backends.scripted import MODELS, ScriptedBackend
from blip2.settings import Settings
from blip2.ui.shell import TABS, page, serve
from blip2.ui.studio import Studio
from blip2.values import Match, Picture

pytestmark = pytest.mark.browser


class Slow(ScriptedBackend):
    """Compares with the text "slowly" only once the gate is open, after the first slice."""

    def __init__(self) -> None:
        super().__init__(models=MODELS)
        self.gate = threading.Event()
        self.asked = 0

    def match(self, model: str, images: Sequence[Picture], texts: Sequence[str]) -> Match:
        self.asked += 1
        if "slowly" in texts and self.asked > 1:
            self.gate.wait(LIMIT / 1000)
        return super().match(model, images, texts)


@pytest.fixture(scope="module")
def served() -> Iterator[tuple[str, Slow]]:
    backend, settings = Slow(), Settings(port=0)
    blocks = page(Studio(settings, backend, lambda picture: False), [tab for tab in TABS if tab.title == "Match"])
    yield serve(blocks, settings), backend
    backend.gate.set()
    blocks.close(verbose=False)
    backend.close()


@pytest.fixture(scope="module")
def visitor(browser: Browser, served: tuple[str, Slow]) -> Iterator[Page]:
    made = browser.new_page(viewport={"width": 1280, "height": 900})
    made.set_default_timeout(LIMIT)
    made.goto(served[0])
    made.locator("#match-shown .empty").wait_for()
    yield made
    made.close()


@pytest.fixture
def pictures(tmp_path: Path) -> list[Path]:
    made = [tmp_path / f"{at:02}.png" for at in range(20)]
    for at, path in enumerate(made):
        Image.new("RGB", (30, 20), (at * 9, 120, 90)).save(path)
    return made


def choose(visitor: Page, kind: str, box: str) -> None:
    visitor.locator("#match-kind label").filter(has_text=kind).click()
    visitor.locator(box).wait_for()


def download(visitor: Page, button: str) -> bytes:
    with visitor.expect_download() as saved:
        visitor.locator(button).click()
    return Path(saved.value.path()).read_bytes()


def test_one_picture_its_labels_and_its_words(visitor: Page, pictures: list[Path]) -> None:
    go, said = visitor.locator("#match-go"), visitor.locator("#match-notice")
    choose(visitor, "One picture", "#match-texts")
    go.click()
    expect(said).to_contain_text("There is no picture yet", timeout=LIMIT)
    visitor.locator("#match-image input[type=file]").first.set_input_files(pictures[3])
    visitor.locator("#match-image img").wait_for()
    go.click()
    expect(said).to_contain_text("There is no text yet", timeout=LIMIT)
    visitor.locator("#match-texts textarea").fill("=a dog\na cat\n<b>a bus</b>")
    go.click()
    rows = visitor.locator(".match-bars tbody tr")
    expect(rows).to_have_count(3, timeout=LIMIT)
    shown = [float(text.rstrip("%")) for text in visitor.locator(".match-bars td.itm b").all_inner_texts()]
    assert shown == sorted(shown, reverse=True)
    assert "<b>a bus</b>" in visitor.locator(".match-bars").inner_text()
    lines = list(csv.DictReader(io.StringIO(download(visitor, "#match-csv").decode())))
    assert {line["text"] for line in lines} == {"'=a dog", "a cat", "<b>a bus</b>"}

    choose(visitor, "Classify", "#match-labels")
    visitor.locator("#match-labels textarea").fill("dog, cat")
    visitor.locator("#match-template :is(input, textarea)").fill("no place")
    go.click()
    expect(said).to_contain_text("no place for the label", timeout=LIMIT)
    visitor.locator("#match-template :is(input, textarea)").fill("one {} here")
    go.click()
    expect(visitor.locator(".match-labels")).to_contain_text("one dog here", timeout=LIMIT)
    made = json.loads(download(visitor, "#match-json"))
    assert sum(each["share"] for each in made["labels"]) == pytest.approx(1)

    choose(visitor, "Words", "#match-sentence")
    sentence = visitor.locator("#match-sentence :is(input, textarea)")
    sentence.fill("a small dog")
    sentence.press("Enter")
    word = visitor.locator(".match-words label").filter(has_text="dog")
    word.click()
    heat = word.locator("input").get_attribute("data-heat")
    expect(visitor.locator(".match-heat .over")).to_have_attribute("src", str(heat), timeout=LIMIT)
    expect(visitor.locator(".match-heat")).to_contain_text("not an explanation")


def test_a_matrix_is_stopped_and_what_is_done_stays(
    visitor: Page, pictures: list[Path], served: tuple[str, Slow]
) -> None:
    backend = served[1]
    choose(visitor, "Many pictures", "#match-files")
    visitor.locator("#match-files input[type=file]").set_input_files(pictures)
    expect(visitor.locator("#match-found")).to_contain_text("20 pictures", timeout=LIMIT)
    visitor.locator("#match-texts textarea").fill("a dog\nslowly")
    backend.asked = 0
    visitor.locator("#match-go").click()
    expect(visitor.locator("#match-progress")).to_contain_text("8 of 20", timeout=LIMIT)
    visitor.locator("#match-stop").click()
    expect(visitor.locator("#match-notice")).to_contain_text("Stopped after 8 of 20", timeout=LIMIT)
    backend.gate.set()
    expect(visitor.locator(".match-matrix tbody tr")).to_have_count(8, timeout=LIMIT)
    assert len(download(visitor, "#match-csv").splitlines()) == 17
    cell = visitor.locator(".match-matrix td").first
    assert "%" in cell.inner_text()
    visitor.locator("#match-measure label").filter(has_text="ITC").click()
    assert "%" not in cell.inner_text()
    visitor.locator("#match-measure label").filter(has_text="ITM").click()
    visitor.locator("#match-go").click()
    expect(visitor.locator("#match-progress")).to_contain_text("20 of 20", timeout=LIMIT)
    expect(visitor.locator(".match-matrix tbody tr")).to_have_count(20, timeout=LIMIT)

    choose(visitor, "Features", "#match-mode")
    visitor.locator("#match-go").click()
    expect(visitor.locator(".match-list")).to_contain_text("20 × 4 × 16", timeout=LIMIT)
    with np.load(io.BytesIO(download(visitor, "#match-npz"))) as archive:
        assert archive["image_embeds_proj"].shape[0] == 20
    visitor.set_viewport_size({"width": 360, "height": 740})
    assert visitor.evaluate("document.documentElement.scrollWidth") <= 360


def test_programs_have_the_same(served: tuple[str, Slow], pictures: list[Path]) -> None:
    client = Client(served[0], verbose=False, httpx_kwargs={"timeout": None})
    served[1].gate.set()
    files = [handle_file(str(path)) for path in pictures[:2]]
    made = client.predict(files, "a dog\na cat", "", api_name="/match")
    assert made["pictures"] == ["00.png", "01.png"]
    assert np.shape(made["itm"]) == np.shape(made["itc"]) == (2, 2)
    assert "choose one of scripted/itm" in client.predict(files, "a dog", "none", api_name="/match")["error"]
    found = client.predict(files[0], "dog, cat", "", "", api_name="/classify")["labels"]
    assert [each["text"][:12] for each in found] == ["a photo of a"] * 2
    where = client.predict(files[0], "a dog", "", api_name="/where_matched")
    assert where["words"] == ["", "a", "dog"]
    assert np.sum(where["maps"][2]) == pytest.approx(1, abs=0.01)
    told, archive = client.predict(files, "", "image", "", api_name="/extract_features")
    with np.load(archive) as read:
        assert list(read["image_embeds"].shape) == told["features"]["image_embeds"]["shape"]
        assert list(read["images"]) == ["00.png", "01.png"]
    told, archive = client.predict(files, "", "sound", "", api_name="/extract_features")
    assert "choose image, text or multimodal" in told["error"]
    assert archive is None
