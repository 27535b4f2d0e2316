"""Drafts made from what Bokio has, and tax reductions: what is sent, and what is refused before."""

from dataclasses import replace
from decimal import Decimal

import pytest

from bokio_app.bokio.addresses import Address
from bokio_app.bokio.credit_notes import CreditNoteDraft
from bokio_app.bokio.customers import CustomerDraft
from bokio_app.bokio.errors import Unsendable
from bokio_app.bokio.filters import F
from bokio_app.bokio.invoices import InvoiceDraft
from bokio_app.bokio.tax_reductions import DeductionPerson, PropertyType, ReductionType
from tests.bokio.sales import (
    CONTACT,
    CUSTOMER,
    DELIVERY,
    INVOICE,
    INVOICE_BODY,
    NOTE,
    NOTE_BODY,
    NUMBER,
    SET_BY_BOKIO,
    invoice_draft,
    note_draft,
    rot,
)
from tests.bokio.server import answers, json_of


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
