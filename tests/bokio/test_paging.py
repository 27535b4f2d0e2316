import itertools
import json
from uuid import UUID, uuid4

import pytest

from bokio_app.bokio import resource
from bokio_app.bokio.errors import OutcomeUnknown
from bokio_app.bokio.filters import F
from tests.bokio.server import answers, raw_answer

ROWS = [{"id": str(UUID(int=number)), "name": f"No {number}"} for number in range(1, 251)]


def page(rows, *, pages=3, key="items"):
    return answers({key: rows, "totalPages": pages, "totalItems": len(ROWS), "currentPage": 1})


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
    monkeypatch.setattr(resource, "MOST_PAGES", 4)

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
