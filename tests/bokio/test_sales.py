"""Items, credit notes, and drafts made from what Bokio has: what is asked, and what comes of it."""

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from uuid import uuid4

import pytest

from bokio_app.bokio.addresses import Address
from bokio_app.bokio.credit_notes import CreditNoteDraft, CreditNoteStatus
from bokio_app.bokio.customers import CustomerDraft
from bokio_app.bokio.errors import NotFound, OutcomeUnknown, StateRefused, Unsendable
from bokio_app.bokio.filters import F
from bokio_app.bokio.invoices import InvoiceDraft
from bokio_app.bokio.items import ItemDraft
from bokio_app.bokio.line_items import ItemType, LineItem, ProductType, ReverseCharge
from bokio_app.bokio.tax_reductions import (
    DeductionPerson,
    Job,
    LineReduction,
    PropertyType,
    ReductionType,
    TaxReduction,
)
from tests.bokio.server import answers, json_of

INVOICE, NOTE, ITEM, CUSTOMER, CONTACT, ENTRY, FILE = (uuid4() for _ in range(7))
DAY = date(2026, 3, 2)
NUMBER = "19811218-9876"

ITEM_BODY = {
    "id": str(ITEM),
    "description": "Hylla",
    "itemType": "salesItem",
    "productType": "goods",
    "unitType": "piece",
    "unitPrice": 99.9,
    "taxRate": 25,
    "bookkeepingAccountNumber": 3920,
    "shelf": "B7",
}
WORDS_BODY = {"id": str(ITEM), "description": "Tack!", "itemType": "descriptionOnlyItem"}
LINE_BODY = {
    "id": 18320626,
    "itemRef": {"id": str(ITEM), "description": "Hylla"},
    "description": "Hylla",
    "itemType": "salesItem",
    "productType": "services",
    "unitType": "låda",
    "quantity": 4,
    "unitPrice": 0.125,
    "taxRate": 0,
    "bookkeepingAccountNumber": None,
    "taxReduction": {"taxReductionType": "rot", "jobType": "rotPainting", "hours": 3},
    "reverseChargeType": "construction",
    "discount": {"percent": 5},
}
DELIVERY = {
    "line1": "1 High St",
    "line2": "Floor 2",
    "city": "London",
    "postalCode": "SW1A 1AA",
    "country": "GB",
    "countrySubdivision": "ENG",
    "doorCode": "1234",
}
REDUCTION_BODY = {
    "type": "rot",
    "description": "Målning",
    "propertyType": "housingDesignation",
    "tenantOrgNumber": "7164009068",
    "apartmentNumber": "1001",
    "deductionAmount": 1500.5,
    "status": "draft",
    "deductionPeople": [{"personalNumber": NUMBER, "deductionAmount": 1500.5, "share": 1}],
    "keyNumber": 9,
}
SHARED_BODY = {
    "customerRef": {"id": str(CUSTOMER), "name": "Jane Doe", "customerNumber": "K-17"},
    "contactDetailRef": {"id": str(CONTACT), "email": "jane@example.com", "phone": "070"},
    "currency": "EUR",
    "currencyRate": 11.4321,
    "totalAmount": 200,
    "totalTax": 40,
    "paidAmount": 10.5,
    "status": "draft",
    "dueDate": "2026-04-01",
    "orderNumberReference": "O",
    "projectReference": "P",
    "buyerReference": "B",
    "contractReference": None,
    "lineItems": [LINE_BODY, WORDS_BODY | {"id": 18320627}],
    "billingAddress": {"line1": "Gatan 1", "city": "Umeå", "postalCode": "90325", "country": "SE"},
    "deliveryAddress": DELIVERY,
    "attachmentRefs": [{"id": str(FILE), "name": "a.pdf"}, {"id": str(FILE), "fileName": "b.pdf"}],
    "metadata": {"op_key": "k"},
    "giftWrapping": {"paper": ["red", 1.10]},
}
INVOICE_BODY = SHARED_BODY | {
    "id": str(INVOICE),
    "type": "cashInvoice",
    "invoiceDate": "2026-03-02",
    "invoiceNumber": None,
    "paymentReference": None,
    "publishedDateTime": None,
    "taxReduction": REDUCTION_BODY,
    "totalRoundingEnabled": False,
    "journalEntryRef": None,
    "creditNoteRefs": [{"id": str(NOTE)}],
}
NOTE_BODY = SHARED_BODY | {
    "id": str(NOTE),
    "creditDate": "2026-03-02",
    "invoiceRef": {"id": str(INVOICE), "invoiceNumber": "1001"},
    "invoiceNumber": "1002",
    "publishedDateTime": "2026-03-02T12:00:00",
    "journalEntryRef": {"id": str(ENTRY)},
}
# What Bokio sets itself: a full replace that carried these would only be ignored.
SET_BY_BOKIO = {
    "invoiceNumber",
    "paymentReference",
    "totalAmount",
    "totalTax",
    "paidAmount",
    "status",
    "publishedDateTime",
    "billingAddress",
    "attachmentRefs",
    "journalEntryRef",
    "creditNoteRefs",
    "invoiceRef",
}


class TestItems:
    def test_an_item_is_sent_with_its_exact_price_and_read_back(self, server, bokio, company_id):
        server.will(answers(ITEM_BODY))
        draft = ItemDraft(
            description="Hylla",
            product_type=ProductType.GOODS,
            unit_type="piece",
            unit_price=Decimal("99.90"),
            account=3920,
        )

        item = bokio.items.create(draft)

        (seen,) = server.seen
        assert (seen.method, seen.target) == ("POST", f"/v1/companies/{company_id}/items")
        assert json_of(seen) == {
            "description": "Hylla",
            "itemType": "salesItem",
            "productType": "goods",
            "unitType": "piece",
            "unitPrice": "99.90",
            "taxRate": "25",
            "bookkeepingAccountNumber": "3920",
        }
        assert (item.id, item.unit_price, item.account) == (ITEM, Decimal("99.9"), 3920)
        assert item.extra == {"shelf": "B7"}

    def test_an_item_of_words_has_neither_price_nor_account(self, server, bokio):
        server.will(answers(WORDS_BODY))
        draft = ItemDraft(description="Tack!", item_type=ItemType.DESCRIPTION)

        item = bokio.items.create(draft)

        assert json_of(server.seen[0]) == {
            "description": "Tack!",
            "itemType": "descriptionOnlyItem",
        }
        assert (item.item_type, item.unit_price, item.account) == (ItemType.DESCRIPTION, 0, None)

    def test_items_are_found_fetched_replaced_and_deleted(self, server, bokio, company_id):
        below = f"/v1/companies/{company_id}/items"
        server.will(
            answers({"items": [ITEM_BODY], "totalPages": 1}),
            answers(ITEM_BODY),
            answers(ITEM_BODY),
            answers(status=204),
        )

        (found,) = bokio.items.find(F("description").contains("Hylla"))
        fetched = bokio.items.get(ITEM)
        bokio.items.update(ITEM, replace(ItemDraft.from_item(fetched), tax_rate=Decimal(6)))
        bokio.items.delete(ITEM)

        assert found == fetched
        assert [(seen.method, seen.path) for seen in server.seen] == [
            ("GET", below),
            ("GET", f"{below}/{ITEM}"),
            ("PUT", f"{below}/{ITEM}"),
            ("DELETE", f"{below}/{ITEM}"),
        ]
        assert "query=description~Hylla" in server.seen[0].target
        body = json_of(server.seen[2])
        assert (body["taxRate"], body["unitPrice"], body["shelf"]) == ("6", "99.9", "B7")
        assert "id" not in body

    def test_a_row_made_of_an_item_names_it_and_keeps_its_price(self, server, bokio):
        server.will(answers(ITEM_BODY), answers(LINE_BODY))
        item = bokio.items.get(ITEM)

        bokio.invoices.add_line(INVOICE, item.line(quantity=Decimal("2.5")))

        body = json_of(server.seen[1])
        assert body["itemRef"] == {"id": str(ITEM)}
        assert (body["quantity"], body["unitPrice"], body["taxRate"]) == ("2.5", "99.9", "25")
        assert "bookkeepingAccountNumber" not in body

    @pytest.mark.parametrize("description", ["", " ", "x" * 501])
    def test_a_description_that_bokio_would_refuse_is_refused_before_sending(self, description):
        with pytest.raises(Unsendable, match="description"):
            ItemDraft(description=description)

    def test_a_price_of_fractions_of_an_ore_is_refused_before_sending(self, server, bokio):
        with pytest.raises(Unsendable, match="two decimals"):
            bokio.items.create(ItemDraft(description="x", unit_price=Decimal("0.001")))

        assert server.seen == []

    def test_an_answer_about_another_item_is_no_answer(self, server, bokio):
        server.will(answers(ITEM_BODY | {"id": str(uuid4())}))

        with pytest.raises(OutcomeUnknown, match="another"):
            bokio.items.get(ITEM)

    def test_an_item_that_is_gone_is_not_found(self, server, bokio):
        server.will(answers({"code": "not-found", "message": "Item not found"}, 404))

        with pytest.raises(NotFound):
            bokio.items.delete(ITEM)


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


class TestLines:
    def test_a_line_is_added_and_comes_back_with_its_id(self, server, bokio, company_id):
        server.will(answers(LINE_BODY))
        line = LineItem(description="Hylla", quantity=Decimal(4), unit_price=Decimal("12.50"))

        made = bokio.invoices.add_line(INVOICE, line)

        (seen,) = server.seen
        below = f"/v1/companies/{company_id}/invoices/{INVOICE}"
        assert (seen.method, seen.target) == ("POST", f"{below}/line-items")
        assert (json_of(seen)["unitPrice"], "id" in json_of(seen)) == ("12.50", False)
        assert (made.id, made.item_id, made.unit_type) == ("18320626", ITEM, "låda")
        assert made.tax_reduction == LineReduction(
            type="rot", job="rotPainting", extra={"hours": 3}
        )
        assert (made.reverse_charge, made.account) == (ReverseCharge.CONSTRUCTION, None)
        assert made.extra == {"discount": {"percent": 5}}

    @pytest.mark.parametrize("body", [{}, {"description": "Hylla"}, [], INVOICE_BODY | {"id": ""}])
    def test_an_answer_without_a_lines_id_leaves_the_outcome_unknown(self, server, bokio, body):
        server.will(answers(body))

        with pytest.raises(OutcomeUnknown):
            bokio.invoices.add_line(INVOICE, LineItem(description="Hylla"))

    def test_a_line_goes_back_with_all_that_bokio_said_of_it(self):
        sent = LineItem.from_json({**LINE_BODY, "unitPrice": Decimal("0.125")}).to_json()

        assert sent == {
            "id": 18320626,
            "itemRef": {"id": ITEM},
            "description": "Hylla",
            "itemType": "salesItem",
            "productType": "services",
            "unitType": "låda",
            "quantity": Decimal(4),
            "unitPrice": Decimal("0.125"),
            "taxRate": Decimal(0),
            "taxReduction": LINE_BODY["taxReduction"],
            "reverseChargeType": "construction",
            "discount": {"percent": 5},
        }

    def test_the_words_of_a_line_may_be_left_to_its_item(self):
        assert LineItem(description="", item_id=ITEM).to_json()["itemRef"] == {"id": ITEM}
        with pytest.raises(Unsendable, match="description"):
            LineItem(description="").to_json()


class TestDraftsOfWhatBokioHas:
    def test_an_invoice_goes_back_whole_without_what_bokio_sets_itself(self, server, bokio):
        server.will(answers(INVOICE_BODY))
        invoice = bokio.invoices.get(INVOICE)

        bokio.invoices.update(INVOICE, InvoiceDraft.from_invoice(invoice))

        body = json_of(server.seen[1])
        assert not SET_BY_BOKIO & set(body)
        assert body["giftWrapping"] == {"paper": ["red", "1.1"]}
        assert body["customerRef"] == {"id": str(CUSTOMER)}
        assert body["contactDetailRef"] == {"id": str(CONTACT)}
        assert (body["type"], body["invoiceDate"]) == ("cashInvoice", "2026-03-02")
        assert (body["currency"], body["currencyRate"]) == ("EUR", "11.4321")
        assert body["totalRoundingEnabled"] is False
        assert body["deliveryAddress"] == DELIVERY
        assert (body["orderNumberReference"], "contractReference" in body) == ("O", False)
        line = body["lineItems"][0]
        assert (line["discount"], line["unitPrice"]) == ({"percent": "5"}, "0.125")
        reduction = body["taxReduction"]
        assert "deductionAmount" not in reduction
        assert "status" not in reduction
        assert (reduction["keyNumber"], reduction["apartmentNumber"]) == ("9", "1001")
        assert reduction["deductionPeople"] == [
            {"personalNumber": NUMBER, "deductionAmount": "1500.5", "share": "1"}
        ]

    def test_a_credit_note_goes_back_with_the_delivery_address_that_bokio_sent(self, server, bokio):
        server.will(answers(NOTE_BODY))
        note = bokio.credit_notes.get(NOTE)

        bokio.credit_notes.update(NOTE, CreditNoteDraft.from_credit_note(note))

        assert json_of(server.seen[1])["deliveryAddress"] == DELIVERY

    def test_a_delivery_address_with_a_subdivision_is_refused_before_it_could_be_lost(self):
        address = Address("1 High St", "SW1A 1AA", "London", "GB")

        for draft in (invoice_draft(rot()), note_draft()):
            with pytest.raises(Unsendable, match="delivery address"):
                replace(draft, delivery_address=replace(address, subdivision="ENG"))

            assert replace(draft, delivery_address=address).to_json()["deliveryAddress"] == {
                "line1": "1 High St",
                "city": "London",
                "postalCode": "SW1A 1AA",
                "country": "GB",
            }

    def test_everything_that_an_invoice_tells_is_read(self, server, bokio):
        server.will(answers(INVOICE_BODY))

        invoice = bokio.invoices.get(INVOICE)

        assert (invoice.contact_id, invoice.contact_email) == (CONTACT, "jane@example.com")
        assert (invoice.contact_phone, invoice.customer_number) == ("070", "K-17")
        assert invoice.billing_address == Address("Gatan 1", "90325", "Umeå")
        assert invoice.delivery_address.subdivision == "ENG"
        assert (invoice.paid, invoice.project) == (Decimal("10.5"), "P")
        reduction = invoice.tax_reduction
        assert (reduction.type, reduction.status) == (ReductionType.ROT, "draft")
        assert reduction.amount == Decimal("1500.5")

    def test_control_characters_in_a_number_reach_nobody(self, server, bokio):
        server.will(
            answers(INVOICE_BODY | {"invoiceNumber": "10\0\x0117\x1f", "projectReference": "a\tb"})
        )

        invoice = bokio.invoices.get(INVOICE)

        assert (invoice.number, invoice.project) == ("1017", "a\tb")

    def test_a_number_of_the_customer_is_found_beside_the_customer_too(self, server, bokio):
        customer = {"id": str(CUSTOMER), "name": "Jane Doe"}
        server.will(answers(INVOICE_BODY | {"customerRef": customer, "customerNumber": 17}))

        assert bokio.invoices.get(INVOICE).customer_number == "17"

    @pytest.mark.parametrize("key", ["invoice", "creditNote"])
    def test_a_body_wrapped_in_its_own_name_is_read_as_if_it_were_not(self, server, bokio, key):
        body = INVOICE_BODY if key == "invoice" else NOTE_BODY
        server.will(answers({key: body}), answers(body))
        get = {
            "invoice": (bokio.invoices.get, INVOICE),
            "creditNote": (bokio.credit_notes.get, NOTE),
        }
        act, identifier = get[key]

        assert act(identifier) == act(identifier)

    @pytest.mark.parametrize("key", ["items", "result", "data"])
    def test_a_list_is_read_under_every_name_it_has_had(self, server, bokio, key):
        server.will(answers({key: [INVOICE_BODY], "totalPages": 1}))

        assert [each.id for each in bokio.invoices.find()] == [INVOICE]

    def test_an_invoice_without_a_customer_is_no_draft_to_send(self, server, bokio):
        server.will(answers(INVOICE_BODY | {"customerRef": None}))
        invoice = bokio.invoices.get(INVOICE)

        with pytest.raises(Unsendable, match="customer"):
            InvoiceDraft.from_invoice(invoice)

    def test_a_customer_goes_back_whole_and_says_when_vat_is_reversed(self, server, bokio):
        body = {
            "id": str(CUSTOMER),
            "name": "Bygg AB",
            "type": "company",
            "orgNumber": "556677-8899",
            "contactsDetails": [
                {"id": str(CONTACT), "name": "Jane", "isDefault": False, "title": "CFO"}
            ],
            "address": DELIVERY,
            "language": "en",
            "customerNumber": "K-17",
            "constructionReverseChargeEnabled": True,
            "modifiedDateTime": "2026-01-02T03:04:05Z",
            "peppolId": "0007:5566778899",
        }
        server.will(answers(body))
        customer = bokio.customers.get(CUSTOMER)

        bokio.customers.update(CUSTOMER, CustomerDraft.from_customer(customer))

        assert (customer.customer_number, customer.construction_reverse_charge) == ("K-17", True)
        read_only = {"id", "modifiedDateTime"}
        assert json_of(server.seen[1]) == {k: v for k, v in body.items() if k not in read_only}

    def test_a_new_customer_says_nothing_of_what_was_not_decided(self):
        sent = CustomerDraft(name="Jane Doe", customer_number="K-18").to_json()

        assert sent["customerNumber"] == "K-18"
        assert "constructionReverseChargeEnabled" not in sent

    def test_customers_are_found_by_their_number(self, server, bokio):
        server.will(answers({"items": [], "totalPages": 0}))

        assert [*bokio.customers.find(F("customerNumber") == "K-17")] == []
        assert "query=customerNumber%3D%3DK-17" in server.seen[0].target


class TestTaxReductions:
    def test_rot_is_sent_with_its_people_and_property(self, server, bokio):
        server.will(answers(INVOICE_BODY))

        bokio.invoices.create(invoice_draft(rot()))

        body = json_of(server.seen[0])
        assert body["taxReduction"] == {
            "type": "rot",
            "description": "Målning",
            "propertyType": "realEstate",
            "realEstateNumber": "UMEÅ 1:2",
            "deductionPeople": [{"personalNumber": NUMBER, "deductionAmount": "1500.50"}],
        }
        assert body["lineItems"][0]["taxReduction"] == {
            "taxReductionType": "rot",
            "jobType": "rotPainting",
        }

    @pytest.mark.parametrize(
        "changes, message",
        [
            ({"people": ()}, "person"),
            ({"description": " "}, "description"),
            ({"property_type": ""}, "property"),
            ({"real_estate_number": ""}, "property"),
            ({"property_type": PropertyType.HOUSING, "tenant_org_number": "1"}, "property"),
            (
                {"people": (DeductionPerson(personal_number="8112189876", amount=Decimal(1)),)},
                "reads",
            ),
            (
                {"people": (DeductionPerson(personal_number=NUMBER, amount=Decimal(-1)),)},
                "negative",
            ),
            (
                {"people": (DeductionPerson(personal_number=NUMBER, amount=Decimal("0.001")),)},
                "decimals",
            ),
            ({"type": ReductionType.RUT}, "own type"),
        ],
    )
    def test_what_bokio_would_refuse_is_refused_before_sending_without_quoting_a_number(
        self, server, bokio, changes, message
    ):
        with pytest.raises(Unsendable, match=message) as raised:
            bokio.invoices.create(invoice_draft(replace(rot(), **changes)))

        assert server.seen == []
        assert "8112" not in str(raised.value)

    def test_lines_with_a_reduction_need_an_invoice_with_one(self):
        with pytest.raises(Unsendable, match="own type"):
            invoice_draft(None).to_json()

    def test_a_kind_of_property_that_is_new_goes_back_as_it_came(self):
        reduction = replace(rot(), property_type="boat", real_estate_number="")

        assert reduction.to_json()["propertyType"] == "boat"

    def test_a_number_that_bokio_masked_goes_back_masked(self):
        masked = DeductionPerson(personal_number="19811218-XXXX", amount=Decimal(1))

        assert masked.to_json()["personalNumber"] == "19811218-XXXX"

    def test_a_persons_number_shows_in_no_representation(self, server, bokio):
        server.will(answers(INVOICE_BODY))

        shown = f"{rot()!r} {invoice_draft(rot())!r} {bokio.invoices.get(INVOICE)!r}"

        assert "9876" not in shown
        assert "7164009068" not in shown
        assert "jane@example.com" not in shown


def rot():
    return TaxReduction(
        type=ReductionType.ROT,
        description="Målning",
        people=(DeductionPerson(personal_number=NUMBER, amount=Decimal("1500.50")),),
        property_type=PropertyType.REAL_ESTATE,
        real_estate_number="UMEÅ 1:2",
    )


def invoice_draft(reduction):
    line = LineItem(
        description="Målning",
        unit_type="hour",
        tax_reduction=LineReduction(type=ReductionType.ROT, job=Job.ROT_PAINTING),
    )
    return InvoiceDraft(
        customer_id=CUSTOMER, invoice_date=DAY, line_items=(line,), tax_reduction=reduction
    )


def note_draft():
    return CreditNoteDraft(
        line_items=(LineItem(description="Hylla"),), credit_date=DAY, due_date=DAY
    )
