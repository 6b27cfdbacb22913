"""The bar of long work: its share, its words, and what a screen reader is told."""

from blip2.ui.progress_bar import bad, bar, pace, pictures, spent


def test_the_share_is_drawn_and_told() -> None:
    shown = bar("Pictures read", 250, 1000, ["quickly"])
    assert 'aria-label="Pictures read" aria-valuemin="0" aria-valuemax="1000" aria-valuenow="250"' in shown
    assert "width:25.0%" in shown
    assert "<b>250 of 1,000</b> · quickly</p>" in shown
    assert 'class="progress running"' in shown
    assert 'class="progress"' in bar("Pictures read", 1000, 1000, running=False)


def test_nothing_to_do_is_no_division_by_nothing() -> None:
    assert "width:0.0%" in bar("Pictures read", 0, 0)


def test_the_pace_is_a_second_or_a_minute_and_nothing_while_unknown() -> None:
    assert pace(10.0, 750) == ["10.0 a second", "1:15 left"]
    assert pace(0.5, 9) == ["30 a minute", "0:18 left"]
    assert pace(0.0, 9) == []
    assert pace(10.0, 4) == ["10.0 a second", "under a second left"]


def test_a_short_time_is_no_row_of_noughts() -> None:
    assert [spent(0.0), spent(0.99), spent(1.2)] == ["under a second", "under a second", "0:01"]


def test_one_picture_is_no_pictures() -> None:
    assert [pictures(0), pictures(1), pictures(1200)] == ["0 pictures", "1 picture", "1,200 pictures"]


def test_failures_are_counted_in_red() -> None:
    assert bad(1200, "could not be read") == ['<span class="bad">1,200 could not be read</span>']
    assert bad(0, "could not be read") == []
