"""The workloads: what is asked of every peer, how it is timed, and the proof that all wrote the same tokens.

Answers have a fixed length and prompts a fixed history, so that every peer does the same work. Peers are timed in turn
within each repetition, so that a busy machine slows all alike.
"""

import statistics
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from time import perf_counter, sleep
from typing import Any

import numpy as np
from PIL import Image

from blip2.bench.peers import Ask, Naive, Ours, Peer, Reply, Stock
from blip2.loading import LoadedModel
from blip2.values import Decoding

TALK = (
    ("what is in the picture?", "a dog and a red ball on a beach"),
    ("what colour is the ball?", "red"),
    ("where is the dog?", "left of the ball"),
    ("what is the dog doing there at this time of the day?", "it is playing"),
)


@dataclass(slots=True)
class Row:
    """One workload: seconds per turn (or per item) by peer, whether all wrote the same, and what else was seen."""

    workload: str
    seconds: dict[str, list[float]] = field(default_factory=dict)
    rate: dict[str, float] = field(default_factory=dict)  # turns or items a second
    correct: bool = True
    notes: dict[str, Any] = field(default_factory=dict)

    def ratio(self, peer: str) -> float | None:
        """How many times faster ours is: by throughput where there is one, else by the median."""
        if "ours" in self.rate and peer in self.rate:
            return self.rate["ours"] / self.rate[peer]
        if self.seconds.get("ours") and self.seconds.get(peer):
            return statistics.median(self.seconds[peer]) / statistics.median(self.seconds["ours"])
        return None


def picture(seed: int, size: tuple[int, int] = (640, 480)) -> Image.Image:
    """An opened upload of smooth noise."""
    small = np.random.default_rng(seed).integers(0, 256, (12, 16, 3), dtype=np.uint8)
    return Image.fromarray(small).resize(size, Image.Resampling.BICUBIC)


def prompt(turn: int) -> str:
    """The prompt of turn `turn` of the fixed conversation."""
    past = [f"Question: {q} Answer: {a}." for q, a in TALK[:turn]]
    return " ".join([*past, f"Question: {TALK[turn % len(TALK)][0]} Answer:"])


def fixed(beams: int, tokens: int) -> Decoding:
    """Exactly `tokens` new tokens. Without length penalty and of one length, all beam searches define the same."""
    method = "beam" if beams > 1 else "greedy"
    return Decoding(
        method="beam" if method == "beam" else "greedy",
        num_beams=max(beams, 1),
        max_new_tokens=tokens,
        min_new_tokens=tokens,
        length_penalty=0.0,
    )


def single(peers: Sequence[Peer], beams: int, tokens: int, repeats: int) -> list[Row]:
    """One visitor: a new picture's first turn, then three follow-ups on it."""
    label = f"beam{beams}" if beams > 1 else "greedy"
    new, follow = Row(f"new_{label}"), Row(f"followup_{label}")
    for peer in peers:  # the first call of each also pays for lazy set-up
        peer.ask([Ask(picture(999), prompt(0), fixed(beams, 2))])
    for repeat in range(repeats):
        image = picture(repeat)
        for turn in range(4):
            row = new if turn == 0 else follow
            ask = Ask(image, prompt(turn), fixed(beams, tokens))
            replies = {peer.name: peer.ask([ask])[0] for peer in peers}
            for name, reply in replies.items():
                row.seconds.setdefault(name, []).append(reply.total)
            row.correct &= len({reply.ids for reply in replies.values()}) == 1
            ours = replies["ours"]
            row.notes.setdefault("ttft", []).append(ours.first)
            row.notes.setdefault("inter_token", []).append((ours.total - ours.first) / max(1, tokens - 1))
    return [new, follow]


def visitors(peers: Sequence[Peer], count: int, rounds: int, beams: int, tokens: int, naive_turns: int) -> Row:
    """`count` visitors at once, each with `rounds` turns (4 at most) about a picture of their own, in order."""
    row = Row(f"visitors{count}_" + (f"beam{beams}" if beams > 1 else "greedy"))
    images = [picture(10_000 + i) for i in range(count)]
    turns = [
        [Ask(image, prompt(turn), fixed(beams, tokens + (i + turn) % 3)) for turn in range(rounds)]
        for i, image in enumerate(images)
    ]
    written: dict[str, dict[tuple[int, int], tuple[int, ...]]] = {}
    for peer in peers:
        begun = perf_counter()
        if isinstance(peer, Ours):
            replies = _each_in_a_thread(peer, turns)
        elif peer.together:
            replies = _in_rounds(peer, turns)
        else:
            few = [(i, t) for t in range(rounds) for i in range(count)][:naive_turns]
            replies = {place: peer.ask([turns[place[0]][place[1]]])[0] for place in few}
        took = perf_counter() - begun
        row.rate[peer.name] = len(replies) / took
        row.seconds[peer.name] = [reply.total for reply in replies.values()]
        written[peer.name] = {place: reply.ids for place, reply in replies.items()}
        row.notes[f"{peer.name}_turns"] = len(replies)
    row.correct = _same(written)
    row.notes["tokens_per_second"] = sum(map(len, written["ours"].values())) * row.rate["ours"] / len(written["ours"])
    return row


def _each_in_a_thread(peer: Ours, turns: Sequence[Sequence[Ask]]) -> dict[tuple[int, int], Reply]:
    replies: dict[tuple[int, int], Reply] = {}

    def visit(i: int) -> None:
        for t, ask in enumerate(turns[i]):
            replies[i, t] = peer.ask([ask])[0]

    threads = [threading.Thread(target=visit, args=(i,)) for i in range(len(turns))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return replies


def _in_rounds(peer: Peer, turns: Sequence[Sequence[Ask]]) -> dict[tuple[int, int], Reply]:
    """Static batching: the turns of one round and length together, the longest length first."""
    replies: dict[tuple[int, int], Reply] = {}
    for t in range(len(turns[0])):
        lengths = {ask.decoding.max_new_tokens for asks in turns for ask in (asks[t],)}
        for length in sorted(lengths, reverse=True):
            who = [i for i, asks in enumerate(turns) if asks[t].decoding.max_new_tokens == length]
            for i, reply in zip(who, peer.ask([turns[i][t] for i in who]), strict=True):
                replies[i, t] = reply
    return replies


def _same(written: dict[str, dict[tuple[int, int], tuple[int, ...]]]) -> bool:
    ours = written["ours"]
    return all(ids == ours[place] for other in written.values() for place, ids in other.items())


def open_loop(ours: Ours, rate: float, count: int, beams: int, tokens: int) -> Row:
    """Turns that arrive at `rate` a second whatever is running (Poisson), so that waiting shows."""
    row = Row(f"open_loop_{rate:.2g}_per_second")
    gaps = np.random.default_rng(0).exponential(1 / rate, count)
    lasted: list[float] = []

    def turn(i: int) -> None:
        lasted.append(ours.ask([Ask(picture(20_000 + i % 8), prompt(i % 4), fixed(beams, tokens))])[0].total)

    threads = []
    for i, gap in enumerate(gaps):
        sleep(gap)
        threads.append(threading.Thread(target=turn, args=(i,)))
        threads[-1].start()
    for thread in threads:
        thread.join()
    row.seconds["ours"] = lasted
    return row


def captions(peers: Sequence[Peer], count: int, beams: int, tokens: int, naive_items: int) -> Row:
    """A folder of `count` pictures captioned, sixteen at a time where the peer can."""
    row = Row(f"captions{count}")
    asks = [Ask(picture(30_000 + i), "", fixed(beams, tokens)) for i in range(count)]
    written: dict[str, dict[tuple[int, int], tuple[int, ...]]] = {}
    for peer in peers:
        mine = asks if peer.together else asks[:naive_items]
        begun = perf_counter()
        replies = [reply for at in range(0, len(mine), 16) for reply in peer.ask(mine[at : at + 16])]
        row.rate[peer.name] = len(mine) / (perf_counter() - begun)
        written[peer.name] = {(i, 0): reply.ids for i, reply in enumerate(replies)}
    row.correct = _same(written)
    return row


def percentiles(seconds: Sequence[float]) -> dict[str, float]:
    """p50, p95 and p99 of seconds."""
    return {f"p{p}": float(np.percentile(seconds, p)) for p in (50, 95, 99)} if seconds else {}


def make_peers(loaded: LoadedModel, stock: LoadedModel) -> tuple[list[Peer], Callable[[], None]]:
    """The three peers, and what frees ours. `stock` is the same model for the others: the engine may change its own."""
    ours = Ours(loaded)
    return [ours, Stock(stock), Naive(stock)], ours.close
