"""Items and lines of invoices: what is asked, and what comes of it."""

from dataclasses import replace
from decimal import Decimal
from uuid import uuid4

import pytest

from bokio_app.bokio.errors import NotFound, OutcomeUnknown, Unsendable
from bokio_app.bokio.filters import F
from bokio_app.bokio.items import ItemDraft
from bokio_app.bokio.line_items import ItemType, LineItem, ProductType, ReverseCharge
from bokio_app.bokio.tax_reductions import LineReduction
from tests.bokio.sales import INVOICE, INVOICE_BODY, ITEM, ITEM_BODY, LINE_BODY, WORDS_BODY
from tests.bokio.server import answers, json_of


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

    def test_a_finer_price_that_bokio_has_goes_back_as_it_is_and_onto_an_invoice(
        self, server, bokio
    ):
        server.will(answers(ITEM_BODY | {"unitPrice": 0.4525}))
        item = bokio.items.get(ITEM)
        draft = ItemDraft.from_item(item)

        bokio.items.update(ITEM, replace(draft, description="Per kWh"))

        assert json_of(server.seen[1])["unitPrice"] == "0.4525"
        assert item.line().to_json()["unitPrice"] == Decimal("0.4525")
        with pytest.raises(Unsendable, match="two decimals"):
            replace(draft, unit_price=Decimal("0.4526")).to_json()

    def test_words_may_be_longer_than_what_is_sold(self):
        words = ItemDraft(description="x" * 501, item_type=ItemType.DESCRIPTION)

        assert words.to_json()["description"] == "x" * 501

    def test_an_answer_about_another_item_is_no_answer(self, server, bokio):
        server.will(answers(ITEM_BODY | {"id": str(uuid4())}))

        with pytest.raises(OutcomeUnknown, match="another"):
            bokio.items.get(ITEM)

    def test_an_item_that_is_gone_is_not_found(self, server, bokio):
        server.will(answers({"code": "not-found", "message": "Item not found"}, 404))

        with pytest.raises(NotFound):
            bokio.items.delete(ITEM)


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
