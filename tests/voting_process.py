"""Casts votes without end and says the id of each on its output once it is on the disk: to be killed by a test."""

import sys

from voting import a_vote

from blip2.votes import VoteBook


def main(path: str, count: int) -> None:
    book = VoteBook(path)
    while count:
        vote = a_vote()
        book.cast(vote)
        print(vote.id, flush=True)
        count -= 1


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
