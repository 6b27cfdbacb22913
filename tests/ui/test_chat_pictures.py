"""Pictures in the chat: new ones, bad ones, foreign ones; and conversations that come with theirs."""

from pathlib import Path

from chatting import BLUE, CHOICE, RED, a_picture, asked, last, make, visit_after

from blip2.errors import BadImage
from blip2.ui.chat_actions import NEW_PICTURE, NO_PICTURE
from blip2.ui.conversation_file import save
from blip2.ui.visit import Step, Visit


def test_a_new_picture_starts_anew_and_says_so():
    actions = make()
    visit = asked(actions, "What is it?")
    step = actions.look(visit, BLUE)
    assert step.notice
    assert step.notice.text == NEW_PICTURE
    assert step.visit
    assert step.visit.conversation.turns == ()
    assert step.visit.conversation.picture == BLUE
    removed = actions.look(visit, None)
    assert removed.notice
    assert removed.notice.text == NO_PICTURE


def test_the_same_picture_and_the_first_picture_need_no_words():
    actions = make()
    assert actions.look(asked(actions, "What is it?"), a_picture("red")) == Step()
    first = actions.look(Visit(), RED)
    assert first.notice
    assert first.notice.text == ""


def test_asking_at_once_about_a_picture_the_visit_does_not_know_yet():
    actions = make()
    visit = visit_after(actions.ask(asked(actions, "What is it?"), BLUE, "And this?", CHOICE))
    assert [turn.question for turn in visit.conversation.turns] == ["And this?"]
    assert visit.conversation.picture == BLUE


def test_a_bad_file_is_a_sentence_and_the_conversation_stays():
    actions = make()
    visit = asked(actions, "What is it?")
    step = actions.look(visit, BadImage("notes.txt is not a picture."))
    assert step.visit is None
    assert step.notice
    assert step.notice.failed
    tried = last(actions.ask(visit, BadImage("notes.txt is not a picture."), "Why?", CHOICE))
    assert tried.text == "Why?"
    assert tried.visit is None


def test_suggestions_are_the_pictures_own_and_shrink_as_they_are_asked():
    actions = make()
    assert actions.suggestions(Visit()) == []
    assert actions.suggestions(asked(actions, "What is it?")) == ["Where is it?", "What colour is it?", "Why?"]
    blue = actions.look(Visit(), BLUE).visit
    assert blue
    assert actions.suggestions(blue)


def test_foreign_pictures_make_only_pocket_models_doubtful():
    actions = make(foreign=lambda picture: picture == BLUE)
    assert actions.doubtful(asked(actions, "What is it?")) == frozenset()
    blue = actions.look(Visit(), BLUE).visit
    assert blue
    assert actions.doubtful(blue) == {"pocket"}


def test_a_saved_conversation_is_taken_up_and_a_wrong_file_is_a_sentence(tmp_path: Path):
    actions = make()
    visit = asked(actions, "What is it?")
    path = tmp_path / "talk.json"
    path.write_text(save(visit.conversation, "json").text)
    step = actions.resume(Visit(), str(path))
    assert step.visit
    assert [turn.answer for turn in step.visit.conversation.turns] == ["a red square"]
    assert step.visit.conversation.picture == RED
    path.write_text("{}")
    wrong = actions.resume(visit, str(path))
    assert wrong.visit is None
    assert wrong.notice
    assert wrong.notice.failed
