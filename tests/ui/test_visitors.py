"""Each visitor gets a share: places at a time, requests a minute."""

import pytest

from blip2.errors import Busy
from blip2.ui.visitors import Behind, Visitors


def test_a_visitor_has_so_many_places_and_gets_them_back() -> None:
    visitors = Visitors(waiting=2)
    with visitors.admitted("a"), visitors.admitted("a"):
        with pytest.raises(Busy, match="2 of your requests"), visitors.admitted("a"):
            pass
        with visitors.admitted("b"):
            pass
    with visitors.admitted("a"):
        pass


def test_a_failed_request_gives_its_place_back() -> None:
    visitors = Visitors(waiting=1)
    with pytest.raises(ValueError), visitors.admitted("a"):
        raise ValueError
    with visitors.admitted("a"):
        pass


def test_the_rate_is_each_visitors_own() -> None:
    visitors = Visitors(waiting=9, rate=2)
    for _ in range(2):
        with visitors.admitted("a"):
            pass
    with pytest.raises(Busy, match="try again in"), visitors.admitted("a"):
        pass
    with visitors.admitted("b"):
        pass


def test_new_sessions_from_one_address_gain_nothing() -> None:
    visitors = Visitors(waiting=2, of_address=(3, 0), behind=lambda: Behind(address="1.1.1.1"))
    three = visitors.admitted("a"), visitors.admitted("b"), visitors.admitted("c")
    with three[0], three[1], three[2], pytest.raises(Busy, match="your address's"), visitors.admitted("d"):
        pass
    with visitors.admitted("d"):
        pass


def test_a_person_is_counted_by_name_whatever_the_session() -> None:
    who = ["ada"]
    visitors = Visitors(waiting=1, behind=lambda: Behind(who[0], "1.1.1.1"))
    with visitors.admitted("a"):
        with pytest.raises(Busy), visitors.admitted("b"):
            pass
        who[0] = "bob"
        with visitors.admitted("a"):
            pass


def test_all_visitors_together_have_so_many_places() -> None:
    visitors = Visitors(waiting=9, most=2)
    two = visitors.admitted("a"), visitors.admitted("b")
    with two[0], two[1], pytest.raises(Busy, match="2 requests are under way here"), visitors.admitted("c"):
        pass
    with visitors.admitted("c"):
        pass
