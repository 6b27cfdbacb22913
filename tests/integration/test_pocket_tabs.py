"""Every tab on the bundled models: `python app.py`, a real browser, one visitor's walk, and what that visitor reads."""

import json
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import expect
from started import ROOT, started
from visitor import LIMIT, Visitor, open_browser

from blip2.__main__ import main
from blip2.pocket.examples import load_examples
from blip2.zoo import ROWS

pytestmark = pytest.mark.browser
POCKET = {row.family: row for row in ROWS if row.pocket}
MISSING = [row.key for row in POCKET.values() if not (row.folder and (row.folder / "model.safetensors").is_file())]
SEA = next(example for example in load_examples() if example.path.stem == "sea")
BEACH = next(example for example in load_examples() if example.path.stem == "beach")


@pytest.fixture(scope="module")
def visitor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Visitor]:
    """One visitor of a studio that may load models, has a folder to caption, and an evaluation to show."""
    if MISSING:
        pytest.skip(f"THE BUNDLED MODELS ARE NOT HERE ({', '.join(MISSING)}): the tabs were not tried on them.")
    own = tmp_path_factory.mktemp("studio")
    run = ["eval", "pocket", "--model", POCKET["opt"].key, "--limit", "2", "--out", str(own / "runs" / "two scenes")]
    assert main(run) == 0
    settings = {"data": str(own / "data"), "manage": "yes", "folders": str(ROOT / "assets" / "examples")}
    with started(own / "runs", **settings) as address, open_browser() as browser:
        visitor = Visitor(browser, address)
        yield visitor
        assert {url.split("/")[2] for url in visitor.requests if url.startswith("http")} == {address.split("/")[2]}
        assert visitor.errors == []
        visitor.leave()


def tab(visitor: Visitor, title: str) -> None:
    visitor.page.get_by_role("tab", name=title, exact=True).click()


def download(visitor: Visitor, button: str) -> Path:
    with visitor.page.expect_download() as saved:
        visitor.at(button).click()
    return Path(saved.value.path())


def test_compare_both_models_answer_right_and_a_vote_is_counted(visitor: Visitor):
    tab(visitor, "Compare")
    visitor.at("#compare-examples .thumbnail-item").nth(load_examples().index(SEA)).click()
    visitor.at("#compare-chips button:visible").first.wait_for()
    for count, question in enumerate(SEA.questions[:2], 1):
        visitor.at("#compare-box textarea").fill(question)
        visitor.at("#compare-box textarea").press("Enter")
        expect(visitor.at(".round")).to_have_count(count, timeout=LIMIT)
        expect(visitor.at(".round").last.locator(".facts")).to_have_count(2, timeout=LIMIT)
        expect(visitor.at(".round").last.locator(".answer")).to_have_text([SEA.answers[count - 1]] * 2)
        expect(visitor.at("#compare-again")).to_be_enabled(timeout=LIMIT)
    for title in (POCKET["opt"].title, POCKET["t5"].title):
        expect(visitor.at(".round").last).to_contain_text(title)
    visitor.at("#compare-vote-tie").click()
    expect(visitor.at("#compare-vote-tie")).to_have_attribute("aria-pressed", "true", timeout=LIMIT)
    visitor.at("#compare-results > button").click()
    expect(visitor.at("#compare-tally")).to_contain_text("1 vote by 1 visitor", timeout=LIMIT)


def test_caption_one_picture_ranked_and_an_album_with_a_broken_file(visitor: Visitor, tmp_path: Path):
    tab(visitor, "Caption")
    visitor.at("#caption-image input[type=file]").first.set_input_files(BEACH.path)
    visitor.at("#caption-image img").first.wait_for()
    visitor.at("#caption-go").click()
    first = visitor.at("#caption-shown .caption-card .text").first
    first.wait_for()
    assert "dog" in first.inner_text()

    broken = tmp_path / "album.zip"
    with zipfile.ZipFile(broken, "w") as album:
        for example in (BEACH, SEA):
            album.write(example.path, example.path.name)
        album.writestr("torn.jpg", BEACH.path.read_bytes()[:900])
    visitor.page.get_by_label("Many pictures").check()
    visitor.at("#caption-files input[type=file]").set_input_files(broken)
    expect(visitor.at("#caption-found")).to_contain_text("3 pictures", timeout=LIMIT)
    visitor.at("#caption-run").click()
    expect(visitor.at("#caption-progress")).to_contain_text("3 of 3", timeout=LIMIT)
    expect(visitor.at("#caption-table tbody tr").filter(has_text="torn.jpg")).to_contain_text("again", timeout=LIMIT)
    rows = [json.loads(line) for line in download(visitor, "#caption-jsonl").read_text("utf-8").splitlines()]
    assert [row["file"] for row in rows] == ["beach.jpg", "sea.jpg", "torn.jpg"]
    assert "whale" in rows[1]["caption"]
    assert rows[2]["error"]


def test_match_ranks_texts_finds_a_label_and_shows_a_word(visitor: Visitor):
    tab(visitor, "Match")
    visitor.at("#match-image input[type=file]").first.set_input_files(BEACH.path)
    visitor.at("#match-image img").first.wait_for()
    right = "a dog, a blue ball, a red umbrella and a sailboat on a beach"
    visitor.at("#match-texts textarea").fill(f"a cow on a meadow\n{right}\ntwo cats in the snow")
    visitor.at("#match-go").click()
    expect(visitor.at(".match-bars tbody tr")).to_have_count(3, timeout=LIMIT)
    expect(visitor.at(".match-bars tbody tr").first).to_contain_text(right)

    visitor.at("#match-kind label").filter(has_text="Classify").click()
    visitor.at("#match-labels textarea").fill("cow, dog, piano")
    visitor.at("#match-go").click()
    expect(visitor.at(".match-labels tbody tr").first).to_contain_text("dog", timeout=LIMIT)

    visitor.at("#match-kind label").filter(has_text="Words").click()
    sentence = visitor.at("#match-sentence :is(input, textarea)")
    sentence.fill("a dog on a beach")
    sentence.press("Enter")
    visitor.at(".match-words label").filter(has_text="dog").click()
    expect(visitor.at(".match-heat .over")).to_be_visible(timeout=LIMIT)
    expect(visitor.at(".match-heat")).to_contain_text("not an explanation")


def test_search_finds_the_scene_that_was_described(visitor: Visitor):
    tab(visitor, "Search")
    visitor.at("#search-scenes").click()
    expect(visitor.at("#search-facts")).to_contain_text("76 pictures", timeout=LIMIT)
    box = visitor.at("#search-words").locator("input, textarea")
    box.fill("an airplane, a ship, a whale and an octopus on the sea")
    box.press("Enter")
    expect(visitor.at("#search-results [role=status]")).to_contain_text("re-ranked", timeout=LIMIT)
    expect(visitor.at("#search-results li").first).to_contain_text("sea.jpg")
    visitor.page.get_by_role("button", name="More like").first.click()
    expect(visitor.at("#search-results [role=status]")).to_contain_text("sea.jpg", timeout=LIMIT)


def test_evaluate_shows_a_run_and_one_of_its_answers(visitor: Visitor):
    tab(visitor, "Evaluate")
    expect(visitor.at("#evaluate-figures")).to_contain_text("Pocket scenes", timeout=LIMIT)
    visitor.at("#evaluate-table tbody tr").first.click()
    expect(visitor.at("#evaluate-detail")).to_contain_text("Question:", timeout=LIMIT)


def test_models_are_unloaded_loaded_and_checked(visitor: Visitor):
    tab(visitor, "Models")
    expect(visitor.at("#models-figures")).to_contain_text("3 of", timeout=LIMIT)
    visitor.at("#models-model input").click()
    visitor.page.get_by_role("option", name=POCKET["itm"].title).click()
    expect(visitor.at("#models-unload")).to_be_enabled(timeout=LIMIT)
    visitor.at("#models-unload").click()
    expect(visitor.at("#models-notice")).to_contain_text("is unloaded", timeout=LIMIT)
    expect(visitor.at(".models-fit")).to_contain_text("fits", timeout=LIMIT)
    visitor.at("#models-load").click()
    expect(visitor.at("#models-notice")).to_contain_text("is loaded", timeout=LIMIT)
    expect(visitor.at("#models-check")).to_be_enabled(timeout=LIMIT)
    visitor.at("#models-check").click()
    expect(visitor.at(".models-check h2")).to_contain_text("well", timeout=LIMIT)


def test_a_picture_that_is_none_is_one_sentence_in_every_frame(visitor: Visitor, tmp_path: Path):
    torn = tmp_path / "torn.png"
    Image.effect_noise((64, 64), 50).save(torn)
    torn.write_bytes(torn.read_bytes()[:700])
    for title, frame, line in (("Chat", "chat-image", "chat-notice"), ("Compare", "compare-image", "compare-notice")):
        tab(visitor, title)
        remove = visitor.at(f"#{frame} button[aria-label='Remove Image']")
        if remove.count():
            remove.first.click()
        visitor.at(f"#{frame} input[type=file]").first.set_input_files(torn)
        expect(visitor.at(f"#{line}")).to_contain_text("again", timeout=LIMIT)
    expect(visitor.at("[data-testid=toast-body]")).to_have_count(0)
