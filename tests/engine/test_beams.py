"""Beam search: the rules step by step, and the ranking of candidates."""

import torch

from blip2.engine.beams import Beams, Step, draw_some, rank
from blip2.engine.sampling import warp
from blip2.values import Decoding

END = 9


def beams(**settings: object) -> Beams:
    decoding = Decoding(**{"num_beams": 2, "max_new_tokens": 4} | settings)  # type: ignore[arg-type]
    return Beams(decoding, start_id=0, end_ids=(END,))


def test_an_end_token_closes_only_when_ranked_among_the_beams() -> None:
    search = beams()
    search.advance([Step(0, 1, -1.0, -1.0), Step(0, END, -1.5, -1.5), Step(0, 2, -2.0, -2.0), Step(0, 3, -3.0, -3.0)])
    assert [row.tokens for row in search.open] == [(1,), (2,)]
    assert [(score, row.tokens) for score, row, _ in search.closed] == [(-1.5, ())], "length 1: the start token counts"
    search.advance([Step(1, 4, -2.5, -0.5), Step(0, 5, -2.6, -1.6), Step(0, END, -2.7, -1.7), Step(1, 6, -2.8, -0.8)])
    assert [row.tokens for row in search.open] == [(2, 4), (1, 5)]
    assert search.parents == [1, 0]
    assert len(search.closed) == 1, "an end token of rank 2 is dropped"


def test_done_once_no_open_beam_can_win() -> None:
    search = beams()
    search.advance([Step(0, END, -0.1, -0.1), Step(0, 1, -4.0, -4.0), Step(0, 2, -5.0, -5.0), Step(0, 3, -6.0, -6.0)])
    assert not search.done, "one of two is kept"
    search.advance([Step(0, 5, -4.1, -0.1), Step(0, END, -4.2, -0.2), Step(1, 4, -6.0, -1.0), Step(1, 6, -7.0, -2.0)])
    assert not search.done, "-4.1 / 3 still beats -4.2 / 2"
    search.advance([Step(0, END, -9.0, -4.9), Step(1, 4, -9.5, -3.5), Step(0, 4, -9.6, -5.5), Step(1, 6, -9.7, -3.7)])
    assert search.done
    assert [row.tokens for _, row, _ in search.best()] == [(), (1,)]


def test_open_beams_are_closed_at_the_maximum_length() -> None:
    search = beams(max_new_tokens=1, length_penalty=2.0)
    search.advance([Step(0, 1, -1.0, -1.0), Step(0, 2, -2.0, -2.0), Step(0, END, -3.0, -3.0), Step(0, 3, -4.0, -4.0)])
    assert search.done
    assert [(score, row.tokens, ended) for score, row, ended in search.best()] == [
        (-0.25, (1,), False),
        (-0.5, (2,), False),
    ]


def test_equal_scores_put_the_later_hypothesis_first() -> None:
    search = beams(max_new_tokens=1, length_penalty=0.0)
    search.advance([Step(0, 1, -1.0, -1.0), Step(0, 2, -1.0, -1.0)])
    assert [row.tokens for _, row, _ in search.best()] == [(2,), (1,)]


def test_rank_equals_a_plain_sort() -> None:
    torch.manual_seed(0)
    searches = [beams(num_beams=3), beams(num_beams=3)]
    for search in searches:
        search.advance([Step(0, 1, -1.0, -1.0), Step(0, 2, -2.0, -2.0), Step(0, 3, -2.5, -2.5), Step(0, 4, -3.0, -3.0)])
    logprobs = torch.randn(6, 10).log_softmax(-1)
    index, totals, raw = rank(logprobs.view(2, 3, 10), searches, (END,), [torch.Generator()] * 2).unbind(2)
    for n, search in enumerate(searches):
        every = [
            (float(logprobs[3 * n + r, v]) + search.open[r].total, r * 10 + v) for r in range(3) for v in range(10)
        ]
        best = sorted(every, reverse=True)[:6]
        assert index[n].tolist() == [flat for _, flat in best]
        torch.testing.assert_close(totals[n], torch.tensor([total for total, _ in best]))
        torch.testing.assert_close(raw[n], logprobs[3 * n : 3 * n + 3].reshape(-1)[index[n].long()])


def test_drawing_goes_on_where_no_row_has_a_way_left() -> None:
    """A sure row that has ended leaves only rows that were filled up, without any probability."""
    generator = torch.Generator().manual_seed(0)
    assert sorted(draw_some(torch.full((5,), -torch.inf), 3, generator).tolist()) == [0, 1, 2]
    kept = warp(torch.tensor([9.0, 1.0, 0.0, -1.0]), Decoding(top_p=0.5, top_k=1), keep=2)
    assert torch.isfinite(kept).tolist() == [True, True, False, False]
