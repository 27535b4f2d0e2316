"""Payments from the company's account."""

from datetime import UTC, date, datetime
from decimal import Decimal
from uuid import uuid4

import pytest

from bokio_app.bokio.bank_payments import BankPaymentDraft, BankPaymentStatus
from bokio_app.bokio.errors import Invalid, OutcomeUnknown, Unsendable
from bokio_app.bokio.filters import F
from bokio_app.bokio.payees import BankgiroRecipient, OtherPayee, TransferRecipient
from tests.bokio.server import answers, json_of

PAYMENT = uuid4()
RECIPIENT = TransferRecipient("Hyresvärden AB", "5011", "0379101", "HYRA 8")
PAYMENT_BODY = {
    "id": str(PAYMENT),
    "status": "readyToSign",
    "amount": 1200.25,
    "createdDateTime": "2025-08-25T08:15:00Z",
    "paymentDate": "2025-08-25",
    "ownNote": "ref 7HK2",
    "recipientRef": {
        "kind": "transfer",
        "recipientName": "Hyresvärden AB",
        "recipientReference": "HYRA 8",
        "clearingNumber": "5011",
        "accountNumber": "0379101",
    },
    "signedBy": None,
}


def payment(**changes):
    options = {
        "amount": Decimal("1200.25"),
        "date": date(2025, 8, 25),
        "recipient": RECIPIENT,
        "note": "ref 7HK2",
    }
    return BankPaymentDraft(**options | changes)


class TestBankPayments:
    SENT = {
        "amount": "1200.25",
        "paymentDate": "2025-08-25",
        "ownNote": "ref 7HK2",
        "recipientRef": PAYMENT_BODY["recipientRef"],
    }

    def test_one_is_prepared_found_and_fetched(self, server, bokio, company_id):
        server.will(
            answers(PAYMENT_BODY),
            answers({"items": [PAYMENT_BODY], "totalPages": 1}),
            answers(PAYMENT_BODY),
        )

        made = bokio.bank_payments.create(payment())
        where = (F("amount") == Decimal("1200.25")) & (F("paymentDate") == date(2025, 8, 25))
        (found,) = bokio.bank_payments.find(where)
        assert made == found == bokio.bank_payments.get(PAYMENT)

        below = f"/v1/companies/{company_id}/bank-payments"
        assert [(seen.method, seen.path) for seen in server.seen] == [
            ("POST", below),
            ("GET", below),
            ("GET", f"{below}/{PAYMENT}"),
        ]
        assert json_of(server.seen[0]) == self.SENT
        assert (made.status, made.recipient) == (BankPaymentStatus.READY_TO_SIGN, RECIPIENT)
        assert (made.amount, made.note) == (Decimal("1200.25"), "ref 7HK2")
        assert made.created_at == datetime(2025, 8, 25, 8, 15, tzinfo=UTC)
        assert made.extra == {"signedBy": None}

    def test_many_go_together(self, server, bokio):
        server.will(answers([PAYMENT_BODY, PAYMENT_BODY | {"id": str(uuid4())}]))

        made = bokio.bank_payments.create_many([payment(), payment()])

        assert server.seen[0].path.endswith("/bank-payments/bulk")
        assert json_of(server.seen[0]) == {"payments": [self.SENT, self.SENT]}
        assert len({each.id for each in made}) == 2

    @pytest.mark.parametrize("number", [0, 101])
    def test_none_or_too_many_are_refused_before_sending(self, server, bokio, number):
        with pytest.raises(Unsendable, match="1 to 100"):
            bokio.bank_payments.create_many([payment()] * number)

        assert server.seen == []

    def test_an_answer_about_fewer_payments_is_settled_by_a_read(self, server, bokio):
        server.will(answers([PAYMENT_BODY]))

        with pytest.raises(OutcomeUnknown, match="number of payments"):
            bokio.bank_payments.create_many([payment(), payment()])

    def test_a_refused_one_is_named_by_its_place(self, server, bokio):
        fields = [{"field": "#/payments/1/amount", "message": "too little"}]
        server.will(answers({"code": "validation-error", "errors": fields}, 400))

        with pytest.raises(Invalid) as raised:
            bokio.bank_payments.create_many([payment(), payment()])

        assert raised.value.fields[0].path == ("payments", 1, "amount")

    @pytest.mark.parametrize(
        "recipient, body",
        [
            (
                BankgiroRecipient("Teknik AB", "5050-1055", ocr="123456789012345"),
                {
                    "kind": "bankgiro",
                    "recipientName": "Teknik AB",
                    "bankgiroNumber": "5050-1055",
                    "ocr": "123456789012345",
                },
            ),
            (
                BankgiroRecipient("Teknik AB", "50501055", message="Faktura 7"),
                {
                    "kind": "bankgiro",
                    "recipientName": "Teknik AB",
                    "bankgiroNumber": "50501055",
                    "message": "Faktura 7",
                },
            ),
            (
                TransferRecipient("Hyresvärden AB", "5011", "0379101"),
                {
                    "kind": "transfer",
                    "recipientName": "Hyresvärden AB",
                    "clearingNumber": "5011",
                    "accountNumber": "0379101",
                },
            ),
        ],
        ids=["ocr", "message", "transfer"],
    )
    def test_every_kind_of_recipient_is_sent_read_back_and_kept_out_of_sight(
        self, server, bokio, recipient, body
    ):
        server.will(answers(PAYMENT_BODY | {"recipientRef": body}))

        made = bokio.bank_payments.create(payment(recipient=recipient))

        assert json_of(server.seen[0])["recipientRef"] == body
        assert made.recipient == recipient
        numbers = [body[key] for key in body if key not in {"kind", "recipientName"}]
        assert not any(each in f"{made!r} {recipient!r} {payment()!r}" for each in numbers)

    def test_a_recipient_of_a_new_kind_is_kept_as_it_came(self, server, bokio):
        body = {"kind": "plusgiro", "plusgiroNumber": "12345-6"}
        server.will(answers(PAYMENT_BODY | {"recipientRef": body, "status": "onHold"}))

        found = bokio.bank_payments.get(PAYMENT)

        assert (found.recipient, found.status) == (OtherPayee("plusgiro", body), "onHold")
        assert "12345-6" not in repr(found)

    @pytest.mark.parametrize(
        "changes",
        [
            {"amount": Decimal(0)},
            {"amount": Decimal(-1)},
            {"amount": Decimal("0.001")},
            {"recipient": BankgiroRecipient("A", "5050-1055")},
            {"recipient": BankgiroRecipient("A", "5050-1055", ocr="1", message="m")},
            {"recipient": BankgiroRecipient("A", "5050-1055", ocr="12 34")},
            {"recipient": BankgiroRecipient("", "5050-1055", ocr="1")},
            {"recipient": BankgiroRecipient("A", "50", ocr="1")},
            {"recipient": TransferRecipient("A", "5011", "")},
            {"recipient": TransferRecipient("A", "", "0379101")},
            {"recipient": TransferRecipient(" ", "5011", "0379101")},
        ],
    )
    def test_a_payment_that_bokio_would_refuse_is_refused_before_sending(self, changes):
        with pytest.raises(Unsendable):
            payment(**changes)

    @pytest.mark.parametrize("missing", ["recipientRef", "status", "amount", "paymentDate", "id"])
    def test_a_success_that_tells_too_little_is_settled_by_a_read(self, server, bokio, missing):
        server.will(answers({key: each for key, each in PAYMENT_BODY.items() if key != missing}))

        with pytest.raises(OutcomeUnknown, match=missing):
            bokio.bank_payments.create(payment())
