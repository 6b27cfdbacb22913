"""Coming back, in a real browser: a reload, a link, another tab, and what New chat leaves behind."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import expect
from visitor import LIMIT, Visitor, until

from blip2.ui.examples import examples

pytestmark = pytest.mark.browser
RECORDS = """async () => {
  const opening = indexedDB.open('blip2-studio', 1);
  const database = await new Promise((done) => { opening.onsuccess = () => done(opening.result); });
  const asked = database.transaction('visits').objectStore('visits').get(sessionStorage.getItem('blip2-tab') ?? '');
  const found = await new Promise((done) => { asked.onsuccess = () => done(asked.result); });
  database.close();
  return JSON.stringify((found ? [found] : []).map((each) => ({ text: each.text, bytes: each.picture.size })));
}"""


AGED = """async () => {
  const opening = indexedDB.open('blip2-studio', 1);
  const database = await new Promise((done) => { opening.onsuccess = () => done(opening.result); });
  const visits = database.transaction('visits', 'readwrite').objectStore('visits');
  const tab = sessionStorage.getItem('blip2-tab');
  const asked = visits.get(tab);
  await new Promise((done) => { asked.onsuccess = () => {
    visits.put({ ...asked.result, when: Date.now() - 86_500_000 }, tab).onsuccess = done;
  }; });
  database.close();
}"""


def kept(visitor: Visitor) -> list[dict[str, Any]]:
    """What the browser keeps for the tab, read as the page's own script would."""
    records: list[dict[str, Any]] = json.loads(visitor.page.evaluate(RECORDS))
    return records


def until_kept(visitor: Visitor, turns: list[int]) -> None:
    """Wait until the browser keeps so many turns of the tab's conversation, or none."""
    count = f"JSON.parse(await ({RECORDS})()).map((each) => JSON.parse(each.text).turns.length)"
    until(visitor.page, f"async () => String({count}) === '{','.join(map(str, turns))}'")


def reload(visitor: Visitor) -> None:
    visitor.page.reload()
    visitor.box.wait_for()


def test_a_reload_brings_the_conversation_back_and_it_goes_on(visit: Callable[..., Visitor], photo: Path):
    visitor = visit()
    visitor.picture(photo)
    assert visitor.ask("Which animal is it?") == "a dog"
    visitor.ask("What does it eat?")
    until_kept(visitor, [2])
    (record,) = kept(visitor)
    assert record["bytes"] == photo.stat().st_size
    assert "png" not in json.loads(record["text"])["picture"]
    reload(visitor)
    visitor.says("Your conversation is back: 2 questions.")
    visitor.turns(2)
    expect(visitor.answers).to_have_text(["a dog", "meat"])
    visitor.ask("And where?")
    assert "Question: What does it eat? Answer: meat. Question: And where? Answer:" in visitor.read_facts()
    until_kept(visitor, [3])
    visitor.at("#chat-clear").click()
    visitor.turns(0)
    until_kept(visitor, [])
    reload(visitor)
    visitor.at("#chat-bot .empty").wait_for()
    expect(visitor.questions).to_have_count(0)


def test_what_was_undone_stays_undone_and_another_tab_sees_nothing(visit: Callable[..., Visitor], photo: Path):
    visitor = visit()
    visitor.example(1, examples()[1].questions[0])
    visitor.ask("Which animal is it?")
    visitor.ask("What does it eat?")
    visitor.at("#chat-bot button[aria-label=Undo]").last.click()
    visitor.turns(1)
    until_kept(visitor, [1])
    other = visitor.context.new_page()
    other.goto(visitor.address)
    other.locator("#chat-bot .empty").wait_for()
    other.locator("#chat-examples .thumbnail-item").nth(0).click()
    other.locator("#chat-chips button:visible").first.wait_for()
    expect(other.locator("#chat-bot [data-testid=user]")).to_have_count(0)
    other.close()
    reload(visitor)
    visitor.says("Your conversation is back: 1 question.")
    expect(visitor.at("#chat-examples .thumbnail-item").nth(1)).to_have_class(re.compile("selected"))
    visitor.picture(photo)
    visitor.turns(0)
    until_kept(visitor, [])


def test_a_link_opens_example_model_and_settings_and_wins_over_what_is_kept(visit: Callable[..., Visitor], photo: Path):
    visitor = visit()
    visitor.example(2, examples()[2].questions[0])
    visitor.ask("Which animal is it?")
    until_kept(visitor, [1])
    visitor.at("#chat-model input").click()
    visitor.page.get_by_role("option", name="Pocket FlanT5").click()
    visitor.at("#chat-settings > button").click()
    visitor.page.get_by_label("Nucleus sampling").check()
    expect(visitor.at("#chat-settings > button")).to_contain_text("nucleus sampling")
    visitor.at("#chat-file > button").click()
    visitor.at("#chat-link").click()
    visitor.says("The link is copied; it opens this example")
    link = visitor.page.evaluate("navigator.clipboard.readText()")
    stem = Path(examples()[2].path).stem
    assert parse_qs(urlsplit(link).query) == {"example": [stem], "model": ["pocket/t5"], "method": ["nucleus"]}

    visitor.page.goto(link)
    visitor.box.wait_for()
    expect(visitor.chips.filter(has_text=examples()[2].questions[0]).first).to_be_visible(timeout=LIMIT)
    expect(visitor.questions).to_have_count(0)
    expect(visitor.at("#chat-model input")).to_have_value("Pocket FlanT5")
    expect(visitor.at("#chat-settings > button")).to_contain_text("nucleus sampling")
    assert urlsplit(visitor.page.url).query == "", "a reload must not follow the link again"
    visitor.ask("Which animal is it?")
    assert "pocket/t5" in visitor.read_facts()
    until_kept(visitor, [1])
    reload(visitor)
    visitor.says("Your conversation is back: 1 question.")
    expect(visitor.at("#chat-model input")).to_have_value("Pocket FlanT5")
    expect(visitor.at("#chat-settings > button")).to_contain_text("nucleus sampling")

    visitor.page.goto(f"{visitor.address}?example=moon&model=pocket%2Fopt")
    visitor.says("The link asks for the example 'moon', which is not here; choose another yourself.")


def test_what_is_older_than_a_day_is_forgotten(visit: Callable[..., Visitor], photo: Path):
    visitor = visit()
    visitor.picture(photo)
    visitor.ask("Which animal is it?")
    until_kept(visitor, [1])
    visitor.page.evaluate(AGED)
    reload(visitor)
    until_kept(visitor, [])
    visitor.at("#chat-bot .empty").wait_for()
    expect(visitor.questions).to_have_count(0)


def test_an_answer_says_how_well_it_fits_and_the_map_shows_where_the_model_looked(
    visit: Callable[..., Visitor], photo: Path
):
    visitor = visit()
    visitor.picture(photo)
    visitor.ask("Which animal is it?")
    expect(visitor.at("#chat-bot .fit")).to_contain_text("fits the picture", timeout=LIMIT)
    assert "which does not read the question" in visitor.read_facts()
    visitor.ask("What does it eat?")
    expect(visitor.at("#chat-bot .fit")).to_have_count(1)
    button = visitor.at("#chat-look")
    button.click()
    expect(visitor.at("#chat-heat img")).to_have_count(2, timeout=LIMIT)
    expect(visitor.at("#chat-heat figcaption")).to_contain_text("no explanation of an answer")
    expect(button).to_have_text("Hide where it looked")
    visitor.at("#chat-model input").click()
    visitor.page.get_by_role("option", name="Pocket FlanT5").click()
    expect(visitor.at("#chat-heat img")).to_have_count(0)
    expect(button).to_have_text("Where it looked")
    assert visitor.errors == []
