"""Votes are kept: durably, from many at once, and with a sentence where they cannot be."""

import os
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from voting import BIG, OPT, T5, a_vote, cast

from blip2.chat import Turn
from blip2.errors import VotesUnusable
from blip2.values import Decoding, Finish, Usage
from blip2.votes import FILE, Side, VoteBook

PROCESS = Path(__file__).with_name("voting_process.py")
ENVIRONMENT = {**os.environ, "PYTHONPATH": os.pathsep.join([str(PROCESS.parent), str(PROCESS.parents[1])])}


@pytest.fixture
def book(tmp_path: Path) -> VoteBook:
    return VoteBook(tmp_path / "data" / FILE)


def started(path: Path, count: int) -> "subprocess.Popen[str]":
    command = [sys.executable, str(PROCESS), str(path), str(count)]
    return subprocess.Popen(command, env=ENVIRONMENT, stdout=subprocess.PIPE, text=True)


def test_a_vote_comes_back_as_it_was_cast(book: VoteBook):
    odd = replace(T5, decoding=Decoding("nucleus", top_p=0.5, stop=("\n", "=1")), seed=7, mode="raw", answer="")
    vote = a_vote("neither", OPT, odd, blind=True, swapped=True, question='=cmd|"x" \x00 é 🐕')
    book.cast(vote)
    assert book.votes() == [vote]


def test_a_half_character_does_not_lose_the_vote(book: VoteBook):
    book.cast(a_vote(question="dog \ud83d", left=replace(OPT, answer="\ud83d")))
    assert book.votes()[0].question == "dog ?"


def test_a_vote_can_be_changed_and_taken_back(book: VoteBook):
    vote = a_vote("left")
    book.cast(vote)
    book.cast(replace(vote, verdict="tie"))
    assert [kept.verdict for kept in book.votes()] == ["tie"]
    assert book.withdraw(vote.id)
    assert not book.withdraw(vote.id)
    assert book.votes() == []


def test_one_visitors_votes_are_theirs_alone(book: VoteBook):
    ann, ben = a_vote(visitor="ann"), a_vote(visitor="ben")
    book.cast(ann)
    book.cast(ben)
    assert book.votes("ben") == [ben]
    assert book.votes("session") == []


def test_reading_makes_no_file(book: VoteBook):
    assert book.votes() == []
    assert book.tally().votes == 0
    assert not book.path.parent.exists()


def test_the_tally_counts_sides_as_models(book: VoteBook):
    cast(book, "left", "left", "right", "tie", "neither")
    cast(book, "right", left=T5, right=OPT)
    book.cast(a_vote("right", T5, OPT, blind=True, visitor="ben"))
    (pair,) = book.tally().pairs
    assert (pair.first, pair.second) == ("opt", "t5")
    assert (pair.first_wins, pair.second_wins, pair.ties, pair.neither) == (4, 1, 1, 1)
    assert (pair.votes, pair.blind, pair.visitors) == (7, 1, 2)
    assert pair.rate == 4 / 5


def test_one_model_with_two_settings_is_two_contestants(book: VoteBook):
    greedy = replace(OPT, decoding=Decoding("greedy"))
    cast(book, "left", left=greedy, right=OPT)
    cast(book, "left", left=OPT, right=OPT)  # nothing to tell them apart: no contest
    (pair,) = book.tally().pairs
    assert (pair.first, pair.second) == ("opt (method greedy)", "opt (usual settings)")
    assert (pair.first_wins, pair.second_wins) == (1, 0)
    drawn = replace(OPT, decoding=Decoding("nucleus"), mode="raw")
    assert a_vote(left=drawn, right=replace(drawn, seed=3)).names[1] == "opt (method nucleus, seed 3, raw prompt)"
    assert a_vote(left=greedy, right=BIG).names == ("opt", "big")


def test_a_side_is_made_of_a_turn():
    turn = Turn(
        "what?", "a dog", "Question: what? Answer:", 5, 0, "opt", "opt-source", "r1", "float32", Decoding(), 0, "chat",
        Finish.END, Usage(new_tokens=2, total=0.5), 0.9,
    )  # fmt: skip
    assert Side.of(turn) == OPT


def test_every_acknowledged_vote_outlives_a_killed_process(book: VoteBook):
    with started(book.path, -1) as process:
        assert process.stdout is not None
        acknowledged = {process.stdout.readline().strip() for _ in range(20)}
        process.send_signal(signal.SIGKILL)
        acknowledged |= {line.strip() for line in process.stdout if line.endswith("\n")}
    kept = {vote.id for vote in book.votes()}
    assert len(acknowledged) >= 20
    assert acknowledged <= kept
    assert len(kept) <= len(acknowledged) + 1  # at most the one that was being acknowledged
    book.cast(a_vote())
    assert len(book.votes()) == len(kept) + 1


def test_what_was_acknowledged_is_synchronised(book: VoteBook):
    book.cast(a_vote())
    with book._open() as opened:
        assert opened.execute("PRAGMA journal_mode").fetchone()[0] == "wal"
        assert opened.execute("PRAGMA synchronous").fetchone()[0] == 2  # FULL


def test_many_processes_and_threads_write_at_once(book: VoteBook):
    processes = [started(book.path, 15) for _ in range(4)]
    failures: list[Exception] = []

    def vote() -> None:
        try:
            cast(book, *["tie"] * 5)
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=vote) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    acknowledged = [line.strip() for process in processes for line in process.communicate()[0].splitlines()]
    assert failures == []
    assert len(acknowledged) == 60
    assert len(book.votes()) == 100
    assert set(acknowledged) <= {kept.id for kept in book.votes()}


def no_folder(path: Path) -> None:
    path.parent.write_text("a file where the folder should be")


def a_folder(path: Path) -> None:
    path.mkdir(parents=True)


def no_database(path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b"these are not the votes you are looking for" * 100)


def something_else(path: Path) -> None:
    path.parent.mkdir()
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE recipes (name TEXT)")


def a_later_version(path: Path) -> None:
    VoteBook(path).cast(a_vote())
    with sqlite3.connect(path) as other:
        other.execute("PRAGMA user_version=99")


def damaged(path: Path) -> None:
    VoteBook(path).cast(a_vote())
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xa5" * (size - 4096))


@pytest.mark.parametrize(
    ("spoil", "word"),
    [
        (no_folder, "Check that its folder"),
        (a_folder, "Check that its folder"),
        (no_database, "move it away"),
        (something_else, "a database of something else"),
        (a_later_version, "version 99"),
        (damaged, "move it away"),
    ],
)
def test_what_is_no_file_of_votes_is_a_sentence(book: VoteBook, spoil: Callable[[Path], None], word: str):
    spoil(book.path)
    reading = (book.votes, book.tally) if book.path.exists() else ()
    for use in (lambda: book.cast(a_vote()), lambda: book.withdraw("1"), *reading):
        with pytest.raises(VotesUnusable, match=word) as caught:
            use()
    assert str(book.path) in str(caught.value)
    assert str(caught.value).count("\n") == 0


def test_a_foreign_database_is_not_touched(book: VoteBook):
    something_else(book.path)
    before = book.path.read_bytes()
    with pytest.raises(VotesUnusable):
        book.cast(a_vote())
    assert book.path.read_bytes() == before


def test_a_mended_file_is_taken_up_without_a_restart(book: VoteBook):
    no_database(book.path)
    with pytest.raises(VotesUnusable):
        book.votes()
    book.path.unlink()
    book.cast(a_vote())
    assert len(book.votes()) == 1
