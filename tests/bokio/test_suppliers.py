"""Suppliers and the accounts that they are paid to."""

from uuid import uuid4

import pytest

from bokio_app.bokio.addresses import Address
from bokio_app.bokio.errors import StateRefused, Unsendable
from bokio_app.bokio.filters import F
from bokio_app.bokio.payees import BankAccount, Bankgiro, InternationalAccount, OtherPayee, Plusgiro
from bokio_app.bokio.suppliers import SupplierDraft
from tests.bokio.server import answers, json_of

SUPPLIER = uuid4()
SUPPLIER_BODY = {
    "id": str(SUPPLIER),
    "name": "Åkes Bygg AB",
    "orgNumber": "556677-8899",
    "vatNumber": "SE556677889901",
    "currency": "EUR",
    "address": {"line1": "Gatan 1", "city": "Umeå", "postalCode": "903 25", "floor": 3},
    "paymentDetails": {"type": "bankgiro", "bankgiroNumber": "5050-1055", "verified": True},
    "defaultAccount": 4010,
}


class TestSuppliers:
    def test_they_are_made_found_fetched_changed_and_deleted(self, server, bokio, company_id):
        server.will(
            answers(SUPPLIER_BODY),
            answers({"items": [SUPPLIER_BODY], "totalPages": 1}),
            answers(SUPPLIER_BODY),
            answers(SUPPLIER_BODY),
            answers(status=204),
        )
        draft = SupplierDraft(
            name="Åkes Bygg AB",
            org_number="556677-8899",
            address=Address("Gatan 1", "903 25", "Umeå", subdivision="X"),
            account=Bankgiro("5050-1055"),
        )

        made = bokio.suppliers.create(draft)
        (found,) = bokio.suppliers.find(F("orgNumber") == "556677-8899")
        assert bokio.suppliers.get(SUPPLIER) == made == found
        bokio.suppliers.update(SUPPLIER, SupplierDraft.from_supplier(found))
        bokio.suppliers.delete(SUPPLIER)

        below = f"/v1/companies/{company_id}/suppliers"
        assert [(seen.method, seen.path) for seen in server.seen] == [
            ("POST", below),
            ("GET", below),
            ("GET", f"{below}/{SUPPLIER}"),
            ("PUT", f"{below}/{SUPPLIER}"),
            ("DELETE", f"{below}/{SUPPLIER}"),
        ]
        assert json_of(server.seen[0]) == {
            "name": "Åkes Bygg AB",
            "orgNumber": "556677-8899",
            "currency": "SEK",
            "address": {
                "line1": "Gatan 1",
                "city": "Umeå",
                "postalCode": "903 25",
                "country": "SE",
            },
            "paymentDetails": {"type": "bankgiro", "bankgiroNumber": "5050-1055"},
        }
        assert (made.currency, made.account) == (
            "EUR",
            Bankgiro("5050-1055", {"verified": True}),
        )

    def test_an_update_writes_back_all_that_bokio_sent_even_what_is_new_to_us(self, server, bokio):
        server.will(answers(SUPPLIER_BODY), answers(SUPPLIER_BODY))

        supplier = bokio.suppliers.get(SUPPLIER)
        bokio.suppliers.update(SUPPLIER, SupplierDraft.from_supplier(supplier))

        sent = {key: value for key, value in SUPPLIER_BODY.items() if key != "id"}
        assert json_of(server.seen[1]) == sent | {
            "defaultAccount": "4010",
            "address": SUPPLIER_BODY["address"] | {"floor": "3"},
        }

    @pytest.mark.parametrize(
        "account, body",
        [
            (Bankgiro("123-4567"), {"type": "bankgiro", "bankgiroNumber": "123-4567"}),
            (Plusgiro("12345-6"), {"type": "plusgiro", "plusgiroNumber": "12345-6"}),
            (
                BankAccount("8327-9", "903 111 222"),
                {"type": "transfer", "clearingNumber": "8327-9", "accountNumber": "903 111 222"},
            ),
            (
                InternationalAccount("DE89370400440532013000", "COBADEFF"),
                {
                    "type": "internationalPayment",
                    "iban": "DE89370400440532013000",
                    "bic": "COBADEFF",
                },
            ),
            (
                OtherPayee("swish", {"type": "swish", "swishNumber": "1231231231"}),
                {"type": "swish", "swishNumber": "1231231231"},
            ),
        ],
        ids=["bankgiro", "plusgiro", "transfer", "international", "a new kind"],
    )
    def test_every_kind_of_account_is_sent_read_back_and_kept_out_of_sight(
        self, server, bokio, account, body
    ):
        server.will(answers(SUPPLIER_BODY | {"paymentDetails": body}))
        draft = SupplierDraft(name="Åke", account=account)

        supplier = bokio.suppliers.create(draft)

        assert json_of(server.seen[0])["paymentDetails"] == body
        assert supplier.account == account
        numbers = [value for key, value in body.items() if key != "type"]
        shown = f"{draft!r} {supplier!r} {account!r} {supplier.account!r}"
        assert not any(each in shown for each in numbers)

    @pytest.mark.parametrize(
        "account",
        [
            Bankgiro(""),
            Bankgiro("123456"),
            Bankgiro("12345-67890"),
            Bankgiro("١٢٣٤٥٦٧"),
            Bankgiro("bg 1234567"),
            Plusgiro("1"),
            BankAccount("", "1"),
            BankAccount("5011", " "),
            InternationalAccount("DE89370400440532013000", ""),
        ],
    )
    def test_an_account_that_is_none_is_refused_before_sending_and_not_quoted(
        self, server, bokio, account
    ):
        with pytest.raises(Unsendable) as raised:
            bokio.suppliers.create(SupplierDraft(name="Åke", account=account))

        assert server.seen == []
        assert "1234" not in str(raised.value)

    def test_a_supplier_without_a_name_is_refused_before_sending(self):
        with pytest.raises(Unsendable, match="name"):
            SupplierDraft(name=" ")

    def test_a_sole_traders_numbers_show_in_no_representation(self, server, bokio):
        number = "19811218-9876"
        draft = SupplierDraft(name="Jane", org_number=number, vat_number=number)
        server.will(answers(draft.to_json() | {"id": str(SUPPLIER), "personalNumber": number}))

        assert number not in f"{draft!r} {bokio.suppliers.create(draft)!r}"

    def test_a_supplier_with_invoices_stays(self, server, bokio):
        server.will(answers({"code": "operation-not-allowed", "message": "active invoices"}, 400))

        with pytest.raises(StateRefused, match="active"):
            bokio.suppliers.delete(SUPPLIER)
