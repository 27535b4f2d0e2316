"""Journal entries with their tags and comments."""

from datetime import UTC, date, datetime
from decimal import Decimal
from uuid import UUID, uuid4

import pytest

from bokio_app.bokio.errors import Invalid, OutcomeUnknown, StateRefused, Unsendable
from bokio_app.bokio.filters import F
from bokio_app.bokio.journal_comments import Comment
from bokio_app.bokio.journal_entries import EntryTag, JournalEntryDraft, JournalRow
from tests.bokio.server import answers, json_of

ENTRY, OTHER, COMMENT, GROUP, TAG = (uuid4() for _ in range(5))
DAY = date(2024, 10, 10)
TAG_BODY = {
    "tagId": str(TAG),
    "tagGroupId": str(GROUP),
    "tagName": "Alfa",
    "tagGroupName": "Projekt",
    "weight": 0.6,
}

ENTRY_BODY = {
    "id": str(ENTRY),
    "title": "Hyra ref 7HK2",
    "journalEntryNumber": "V342",
    "date": "2024-10-10",
    "items": [
        {"id": 11, "account": 5010, "debit": 200.5, "credit": 0, "tags": []},
        {"id": 9, "account": 1930, "debit": 0, "credit": 200.5, "tags": [TAG_BODY], "note": "new"},
    ],
    "tags": [],
    "uploadRef": {"id": str(OTHER)},
}

BALANCED = (
    JournalRow(5010, debit=Decimal("200.50")),
    JournalRow(1930, credit=Decimal("200.50")),
)


def draft(**changes):
    options = {"title": "Hyra ref 7HK2", "date": DAY, "items": BALANCED}
    return JournalEntryDraft(**options | changes)


class TestEntries:
    def test_an_entry_is_sent_to_the_ore_and_read_back_with_what_is_new(
        self, server, bokio, company_id
    ):
        server.will(answers(ENTRY_BODY))

        entry = bokio.journal_entries.create(draft())

        (seen,) = server.seen
        assert (seen.method, seen.target) == ("POST", f"/v1/companies/{company_id}/journal-entries")
        assert json_of(seen) == {
            "title": "Hyra ref 7HK2",
            "date": "2024-10-10",
            "items": [
                {"account": "5010", "debit": "200.50", "credit": "0"},
                {"account": "1930", "debit": "0", "credit": "200.50"},
            ],
        }
        assert (entry.id, entry.number, entry.reversing) == (ENTRY, "V342", None)
        assert [row.id for row in entry.items] == ["11", "9"]
        assert entry.items[1].tags == (
            EntryTag(TAG, Decimal("0.6"), "Alfa", group_id=GROUP, group_name="Projekt"),
        )
        assert entry.items[1].extra == {"note": "new"}
        assert entry.extra == {"uploadRef": {"id": str(OTHER)}}

    def test_tags_go_on_the_whole_entry_or_on_its_rows(self, server, bokio):
        server.will(answers(ENTRY_BODY))
        tag = EntryTag(TAG, Decimal("0.25"), name="never sent")
        tagged = (
            JournalRow(5010, debit=Decimal(1), tags=(tag,)),
            JournalRow(1930, credit=Decimal(1)),
        )

        bokio.journal_entries.create(draft(tags=(tag,)))
        bokio.journal_entries.create(draft(items=tagged))

        whole, rows = map(json_of, server.seen)
        sent = [{"tagId": str(TAG), "weight": "0.25"}]
        assert whole["tags"] == sent
        assert rows["items"][0]["tags"] == sent
        assert "tags" not in rows
        assert "tags" not in rows["items"][1]

    @pytest.mark.parametrize(
        "changes, message",
        [
            ({"title": " "}, "title"),
            ({"items": ()}, "rows"),
            ({"items": BALANCED[:1]}, "differ"),
            ({"items": (*BALANCED, JournalRow(3740, credit=Decimal("0.01")))}, "differ"),
            ({"items": (*BALANCED, JournalRow(3740))}, "either"),
            ({"items": (JournalRow(1930, Decimal(1), Decimal(1)),)}, "either"),
            ({"items": (JournalRow(1930, Decimal(-1)), JournalRow(1, Decimal(1)))}, "negative"),
            (
                {"items": (JournalRow(1, credit=Decimal(-1)), JournalRow(2, credit=Decimal(1)))},
                "negative",
            ),
            ({"items": (JournalRow(1930, Decimal("0.001")),)}, "two decimals"),
            ({"items": (JournalRow(1930, 0.5),)}, "Decimal"),
            ({"tags": (EntryTag(TAG, Decimal(0)),)}, "weight"),
            ({"tags": (EntryTag(TAG, Decimal("1.01")),)}, "weight"),
            ({"tags": (EntryTag(TAG, group_id=GROUP), EntryTag(OTHER, group_id=GROUP))}, "sum"),
            (
                {
                    "tags": (EntryTag(TAG),),
                    "items": (
                        JournalRow(1930, Decimal(1), tags=(EntryTag(TAG),)),
                        JournalRow(1910, credit=Decimal(1)),
                    ),
                },
                "not on both",
            ),
        ],
    )
    def test_an_entry_that_bokio_would_refuse_is_refused_before_sending(self, changes, message):
        with pytest.raises(Unsendable, match=message):
            draft(**changes)

    def test_the_tags_of_a_group_may_take_the_whole_together(self):
        halves = tuple(EntryTag(each, Decimal("0.5"), group_id=GROUP) for each in (TAG, OTHER))

        assert len(draft(tags=halves).to_json()["tags"]) == 2

    def test_a_reversal_is_the_other_entry(self, server, bokio):
        reversal = ENTRY_BODY | {"id": str(OTHER), "reversingJournalEntryId": str(ENTRY)}
        server.will(answers(reversal))

        entry = bokio.journal_entries.reverse(ENTRY)

        assert (entry.id, entry.reversing) == (OTHER, ENTRY)
        assert server.seen[0].body == b""
        assert server.seen[0].path.endswith(f"/journal-entries/{ENTRY}/reverse")

    @pytest.mark.parametrize(
        "body",
        [ENTRY_BODY, ENTRY_BODY | {"id": str(OTHER), "reversingJournalEntryId": str(uuid4())}],
    )
    def test_an_answer_that_is_no_reversal_of_the_entry_is_settled_by_a_read(
        self, server, bokio, body
    ):
        server.will(answers(body))

        with pytest.raises(OutcomeUnknown, match="not the reversal"):
            bokio.journal_entries.reverse(ENTRY)

    def test_a_closed_year_or_an_earlier_reversal_is_told_to_look_first(self, server, bokio):
        body = {"code": "validation-error", "message": "closed", "innerCode": "fiscal-year-closed"}
        server.will(answers(body, 400))

        with pytest.raises(StateRefused) as raised:
            bokio.journal_entries.reverse(ENTRY)

        assert raised.value.inner_code == "fiscal-year-closed"

    @pytest.mark.parametrize(
        "tags, rows, sent",
        [
            ((), None, {"tags": [], "items": []}),
            (
                (EntryTag(TAG, Decimal("0.6")), EntryTag(OTHER, Decimal("0.4"))),
                None,
                {
                    "tags": [
                        {"tagId": str(TAG), "weight": "0.6"},
                        {"tagId": str(OTHER), "weight": "0.4"},
                    ],
                    "items": [],
                },
            ),
            (
                (),
                {"9": [EntryTag(TAG)], "11": []},
                {
                    "tags": [],
                    "items": [
                        {"id": "9", "tags": [{"tagId": str(TAG), "weight": "1"}]},
                        {"id": "11", "tags": []},
                    ],
                },
            ),
        ],
        ids=["none", "whole", "rows"],
    )
    def test_all_tags_of_an_entry_are_replaced_at_once(self, server, bokio, tags, rows, sent):
        server.will(answers(ENTRY_BODY))

        assert bokio.journal_entries.set_tags(ENTRY, tags, rows=rows).id == ENTRY

        (seen,) = server.seen
        assert (seen.method, json_of(seen)) == ("PUT", sent)
        assert seen.path.endswith(f"/journal-entries/{ENTRY}/tags")

    @pytest.mark.parametrize(
        "tags, rows, message",
        [
            ((EntryTag(TAG),), {"9": [EntryTag(TAG)]}, "not on both"),
            ((), {"V9": [EntryTag(TAG)]}, "number"),
            ((), {"9": [EntryTag(TAG, Decimal(2))]}, "weight"),
        ],
    )
    def test_tags_that_bokio_would_refuse_are_refused_before_sending(
        self, server, bokio, tags, rows, message
    ):
        with pytest.raises(Unsendable, match=message):
            bokio.journal_entries.set_tags(ENTRY, tags, rows=rows)

        assert server.seen == []


def test_a_field_error_of_an_entry_names_the_row(server, bokio):
    fields = [{"field": "#/items/1/account", "message": "no such account"}]
    server.will(answers({"code": "validation-error", "errors": fields}, 400))

    with pytest.raises(Invalid) as raised:
        bokio.journal_entries.create(draft())

    assert raised.value.fields[0].path == ("items", 1, "account")


def test_entries_are_found_by_tag(server, bokio):
    server.will(answers({"items": [ENTRY_BODY], "totalPages": 1}))

    (entry,) = bokio.journal_entries.find(F("title").contains("7HK2"), tag_id=TAG)

    assert entry.id == ENTRY
    assert f"tagId={TAG}&query=title~7HK2&page=1&pageSize=100" in server.seen[0].target
    assert isinstance(entry.items[1].tags[0].tag_id, UUID)


class TestComments:
    BODY = {
        "id": str(COMMENT),
        "content": "Se faktura 1",
        "authorName": "Our app",
        "createdDatetime": "2024-10-15T08:30:00Z",
        "updatedDatetime": "2024-10-16 08:30:00+00:00",
        "pinned": True,
    }

    def test_they_are_made_listed_fetched_changed_and_deleted_below_their_entry(
        self, server, bokio, company_id
    ):
        server.will(
            answers(self.BODY),
            answers([self.BODY, self.BODY]),
            answers(self.BODY),
            answers(self.BODY),
            answers(status=204),
        )
        comments = bokio.journal_comments

        made = comments.create(ENTRY, "Se faktura 1")
        listed = comments.list(ENTRY)
        found = comments.get(ENTRY, COMMENT)
        changed = comments.update(ENTRY, COMMENT, "Se faktura 2")
        comments.delete(ENTRY, COMMENT)

        below = f"/v1/companies/{company_id}/journal-entries/{ENTRY}/comments"
        assert [(seen.method, seen.target) for seen in server.seen] == [
            ("POST", below),
            ("GET", below),
            ("GET", f"{below}/{COMMENT}"),
            ("PUT", f"{below}/{COMMENT}"),
            ("DELETE", f"{below}/{COMMENT}"),
        ]
        assert json_of(server.seen[0]) == {"content": "Se faktura 1"}
        assert json_of(server.seen[3]) == {"content": "Se faktura 2"}
        assert listed == [made, made] == [found, changed]
        assert made == Comment(
            id=COMMENT,
            content="Se faktura 1",
            author="Our app",
            created_at=datetime(2024, 10, 15, 8, 30, tzinfo=UTC),
            updated_at=datetime(2024, 10, 16, 8, 30, tzinfo=UTC),
            extra={"pinned": True},
        )

    def test_a_comment_that_is_somebody_elses_is_not_changed(self, server, bokio):
        server.will(answers({"code": "operation-not-allowed", "message": "not yours"}, 400))

        with pytest.raises(StateRefused, match="not yours"):
            bokio.journal_comments.update(ENTRY, COMMENT, "Mine")

    @pytest.mark.parametrize("content", ["", " \n"])
    def test_a_blank_comment_is_refused_before_sending(self, server, bokio, content):
        with pytest.raises(Unsendable, match="content"):
            bokio.journal_comments.create(ENTRY, content)

        assert server.seen == []

    def test_an_answer_about_another_comment_is_no_answer(self, server, bokio):
        server.will(answers(self.BODY | {"id": str(uuid4())}))

        with pytest.raises(OutcomeUnknown, match="another"):
            bokio.journal_comments.get(ENTRY, COMMENT)
