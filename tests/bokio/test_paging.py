import itertools
import json
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bokio_app.bokio import paging
from bokio_app.bokio.connections import Connection
from bokio_app.bokio.errors import OutcomeUnknown
from bokio_app.bokio.filters import F
from bokio_app.bokio.paging import MOST_ROUNDS, Page, walk
from tests.bokio.server import answers, raw_answer

ROWS = [{"id": str(UUID(int=number)), "name": f"No {number}"} for number in range(1, 251)]


def page(rows, *, pages=3, key="items", total=None):
    return answers({key: rows, "totalPages": pages, "totalItems": total, "currentPage": 1})


def names(found):
    return [each.name for each in found]


@pytest.mark.parametrize("key", ["items", "result", "data"])
def test_every_row_of_every_page_comes_once(server, bokio, key):
    server.will(*(page(ROWS[start : start + 100], key=key) for start in (0, 100, 200)))

    assert names(bokio.customers.find()) == [row["name"] for row in ROWS]
    assert [seen.target.partition("?")[2] for seen in server.seen] == [
        f"page={number}&pageSize=100" for number in (1, 2, 3)
    ]


def test_the_next_page_is_asked_for_only_when_it_is_needed(server, bokio):
    server.will(page(ROWS[:100]), page(ROWS[100:200]), page(ROWS[200:]))

    found = bokio.customers.find(F("type") == "company")
    assert server.seen == []
    list(itertools.islice(found, 100))
    assert len(server.seen) == 1

    next(found)

    assert len(server.seen) == 2
    assert all("query=type%3D%3Dcompany" in seen.target for seen in server.seen)


def test_a_row_that_moved_to_the_next_page_meanwhile_comes_once(server, bokio):
    server.will(page(ROWS[:100], pages=2), page(ROWS[99:150], pages=2))

    assert names(bokio.customers.find()) == [row["name"] for row in ROWS[:150]]


def test_an_empty_list_may_have_no_pages_at_all(server, bokio):
    server.will(page([], pages=0))

    assert list(bokio.customers.find()) == []
    assert len(server.seen) == 1


def test_an_empty_page_ends_the_list_whatever_the_count_says(server, bokio):
    server.will(page(ROWS[:100], pages=99), page([], pages=99))

    assert len(list(bokio.customers.find())) == 100
    assert len(server.seen) == 2


def test_without_a_count_the_list_ends_when_nothing_new_comes(server, bokio):
    server.will(*(answers({"items": ROWS[start : start + 100]}) for start in (0, 100, 100)))

    assert len(list(bokio.customers.find())) == 200
    assert len(server.seen) == 3


def test_a_bare_list_is_the_whole_of_it(server, bokio):
    server.will(answers(ROWS[:5]))

    assert len(list(bokio.customers.find())) == 5
    assert len(server.seen) == 1


def test_a_list_that_never_ends_is_given_up(server, bokio, monkeypatch):
    monkeypatch.setattr(paging, "MOST_PAGES", 4)

    def endless(wire):
        rows = [{"id": str(uuid4()), "name": "x"}]
        wire.sock.sendall(raw_answer(json.dumps({"items": rows, "totalPages": 10**9}).encode()))

    server.will(endless)

    with pytest.raises(OutcomeUnknown, match="does not end"):
        list(bokio.customers.find())

    assert len(server.seen) == 4


@pytest.mark.parametrize("body", [{}, {"items": {}}, {"items": [1]}, {"items": [{}]}, "text", None])
def test_a_page_that_is_no_list_is_never_taken_for_an_empty_one(server, bokio, body):
    server.will(answers(b"null" if body is None else body))

    with pytest.raises(OutcomeUnknown):
        list(bokio.customers.find())


class Shelf:
    """A list that is rearranged while it is read, and counts how often it is asked."""

    def __init__(self, length, *, size=4):
        self.ids, self.size, self.asked = [uuid4() for _ in range(length)], size, 0
        self.changes = {}

    def before_request(self, number, change):
        """Carry `change` out directly before the request of this number, from 1."""
        self.changes.setdefault(number, []).append(change)

    def fetch(self, number):
        self.asked += 1
        for change in self.changes.get(self.asked, []):
            change(self.ids)
        start = (number - 1) * self.size
        rows = [Connection(each, each, "", "") for each in self.ids[start : start + self.size]]
        return Page(rows, pages=-(-len(self.ids) // self.size), total=len(self.ids))

    def read(self):
        return [row.id for row in walk("get-connections", self.fetch)]


def insert_first(ids):
    ids.insert(0, uuid4())


def remove_first(ids):
    del ids[0]


def move_last_to_first(ids):
    ids.insert(0, ids.pop())


@pytest.mark.parametrize("change", [insert_first, remove_first, move_last_to_first])
@pytest.mark.parametrize("when", [2, 3])
def test_a_row_that_slipped_past_between_two_pages_is_fetched_in_a_second_reading(change, when):
    shelf = Shelf(12)
    stayed = set(shelf.ids)
    shelf.before_request(when, change)

    found = shelf.read()

    assert len(found) == len(set(found))
    assert set(shelf.ids) <= set(found) <= stayed | set(shelf.ids)
    assert shelf.asked == (8 if change is insert_first else 6)


def test_a_count_that_fell_and_rose_again_is_still_a_shift():
    shelf = Shelf(12)
    shelf.before_request(2, remove_first)
    shelf.before_request(3, lambda ids: ids.append(uuid4()))

    assert set(shelf.ids) <= set(shelf.read())


def test_a_list_that_holds_still_is_read_once():
    shelf = Shelf(12)

    assert shelf.read() == shelf.ids
    assert shelf.asked == 3


def test_a_list_of_one_page_is_read_once_even_if_the_count_is_wrong(server, bokio):
    server.will(page(ROWS[:5], pages=1, total=7))

    assert len(list(bokio.customers.find())) == 5
    assert len(server.seen) == 1


def test_a_count_that_is_always_too_large_costs_one_more_reading_and_no_more(server, bokio):
    server.will(
        *(page(ROWS[start : start + 100], pages=2, total=999) for start in (0, 100, 0, 100))
    )

    assert len(list(bokio.customers.find())) == 200
    assert len(server.seen) == 4


@given(
    length=st.integers(0, 30),
    changes=st.lists(st.tuples(st.integers(1, 12), st.integers(0, 2), st.integers(0, 40))),
)
def test_however_the_rows_shift_none_comes_twice_and_the_reading_ends(length, changes):
    shelf = Shelf(length)
    ever = set(shelf.ids)

    def rearrange(kind, place):
        def change(ids):
            if kind == 0 or not ids:
                ids.insert(place, uuid4())
            elif kind == 1:
                del ids[place % len(ids)]
            else:
                ids.insert(place, ids.pop(place % len(ids)))
            ever.update(ids)

        return change

    for when, kind, place in changes:
        shelf.before_request(when, rearrange(kind, place))

    found = shelf.read()

    assert len(found) == len(set(found))
    assert set(found) <= ever
    assert shelf.asked <= MOST_ROUNDS * (2 + (length + len(changes)) // shelf.size)


@given(length=st.integers(0, 30), when=st.integers(1, 9), place=st.integers(0, 40))
def test_no_single_addition_removal_or_move_hides_a_row(length, when, place):
    for change in (
        lambda ids: ids.insert(place, uuid4()),
        lambda ids: ids and ids.pop(place % len(ids)),
        lambda ids: ids and ids.insert(place, ids.pop(0)),
        lambda ids: ids and ids.insert(place // 2, ids.pop()),
    ):
        shelf = Shelf(length)
        stayed = set(shelf.ids)
        shelf.before_request(when, change)

        found = set(shelf.read())

        stayed &= set(shelf.ids)
        assert stayed <= found
