"""Credit notes: what is asked, and what comes of it."""

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from uuid import uuid4

import pytest

from bokio_app.bokio.credit_notes import CreditNoteDraft, CreditNoteStatus
from bokio_app.bokio.errors import OutcomeUnknown, StateRefused
from bokio_app.bokio.filters import F
from tests.bokio.sales import (
    DAY,
    ENTRY,
    INVOICE,
    INVOICE_BODY,
    NOTE,
    NOTE_BODY,
    SET_BY_BOKIO,
    note_draft,
)
from tests.bokio.server import answers, json_of


class TestCreditNotes:
    def test_crediting_an_invoice_drafts_a_note_over_it(self, server, bokio, company_id):
        server.will(answers(NOTE_BODY))

        note = bokio.invoices.credit(INVOICE)

        (seen,) = server.seen
        assert (seen.method, seen.body) == ("POST", b"")
        assert seen.target == f"/v1/companies/{company_id}/invoices/{INVOICE}/credit"
        assert (note.id, note.invoice_id, note.invoice_number) == (NOTE, INVOICE, "1001")
        assert (note.number, note.status) == ("1002", CreditNoteStatus.DRAFT)
        assert (note.credit_date, note.due_date) == (DAY, date(2026, 4, 1))
        assert (note.total, note.total_tax, note.paid) == (200, 40, Decimal("10.5"))
        assert note.published_at == datetime(2026, 3, 2, 12, tzinfo=UTC)
        assert (note.journal_entry_id, note.customer_number) == (ENTRY, "K-17")
        assert [each.name for each in note.attachments] == ["a.pdf", "b.pdf"]

    @pytest.mark.parametrize(
        "body",
        [INVOICE_BODY, NOTE_BODY | {"id": str(INVOICE)}, {"id": str(NOTE)}],
        ids=["the invoice", "a note with the invoice's id", "too little"],
    )
    def test_an_answer_that_is_not_the_note_is_settled_by_a_look(self, server, bokio, body):
        server.will(answers(body))

        with pytest.raises(OutcomeUnknown):
            bokio.invoices.credit(INVOICE)

    def test_a_note_of_another_invoice_is_never_taken_for_this_ones(self, server, bokio):
        server.will(answers(NOTE_BODY | {"invoiceRef": {"id": str(uuid4())}}))

        with pytest.raises(OutcomeUnknown, match="another invoice"):
            bokio.invoices.credit(INVOICE)

    def test_a_part_is_credited_by_fewer_of_a_line_and_everything_else_stays(
        self, server, bokio, company_id
    ):
        server.will(answers(NOTE_BODY))
        draft = CreditNoteDraft.from_credit_note(bokio.credit_notes.get(NOTE))
        first, words = draft.line_items

        fewer = replace(first, quantity=Decimal(3))
        bokio.credit_notes.update(NOTE, replace(draft, line_items=(fewer, words)))

        seen = server.seen[1]
        assert (seen.method, seen.path) == (
            "PUT",
            f"/v1/companies/{company_id}/credit-notes/{NOTE}",
        )
        body = json_of(seen)
        assert (body["id"], body["creditDate"]) == (str(NOTE), "2026-03-02")
        assert body["lineItems"][0]["quantity"] == "3"
        assert body["lineItems"][0]["id"] == "18320626"
        assert body["lineItems"][1] == {
            "id": "18320627",
            "description": "Tack!",
            "itemType": "descriptionOnlyItem",
        }
        assert body["giftWrapping"] == {"paper": ["red", "1.1"]}
        assert not SET_BY_BOKIO & set(body)
        assert "customerRef" not in body

    def test_notes_are_found_published_recorded_and_deleted(self, server, bokio, company_id):
        below = f"/v1/companies/{company_id}/credit-notes"
        server.will(
            answers({"items": [NOTE_BODY], "totalPages": 1}),
            answers(NOTE_BODY),
            answers(NOTE_BODY),
            answers(status=204),
        )

        (found,) = bokio.credit_notes.find(F("metadata.op_key") == "k")
        assert found == bokio.credit_notes.publish(NOTE) == bokio.credit_notes.record(NOTE)
        bokio.credit_notes.delete(NOTE)

        assert [(seen.method, seen.path) for seen in server.seen] == [
            ("GET", below),
            ("POST", f"{below}/{NOTE}/publish"),
            ("POST", f"{below}/{NOTE}/record"),
            ("DELETE", f"{below}/{NOTE}"),
        ]
        assert "query=metadata.op_key%3D%3Dk" in server.seen[0].target
        assert [seen.body for seen in server.seen] == [b""] * 4

    @pytest.mark.parametrize(
        "act",
        [
            lambda notes: notes.get(NOTE),
            lambda notes: notes.publish(NOTE),
            lambda notes: notes.record(NOTE),
            lambda notes: notes.update(NOTE, note_draft()),
        ],
    )
    def test_an_answer_about_another_note_is_no_answer(self, server, bokio, act):
        server.will(answers(NOTE_BODY | {"id": str(uuid4())}))

        with pytest.raises(OutcomeUnknown, match="another"):
            act(bokio.credit_notes)

    @pytest.mark.parametrize("act", ["publish", "record", "delete"])
    def test_a_state_that_forbids_it_asks_for_a_look(self, server, bokio, act):
        server.will(answers({"code": "operation-not-allowed", "message": "no draft"}, 400))

        with pytest.raises(StateRefused) as raised:
            getattr(bokio.credit_notes, act)(NOTE)

        assert not raised.value.not_executed
