"""Items: list, read, make, replace, delete."""

from typing import Any

from bokio_app.sandbox import lines, refusals
from bokio_app.sandbox.api import lists
from bokio_app.sandbox.api.reader import Reader
from bokio_app.sandbox.api.registry import Context, operation
from bokio_app.sandbox.models import Item
from bokio_app.sandbox.models.amounts import ZERO

Json = dict[str, Any]

SALES_ITEM, DESCRIPTION_ONLY = "salesItem", "descriptionOnlyItem"
PRICE_DECIMALS = 6  # a price per unit, such as of a kilowatt hour, may be finer than öre
UNITS = (
    "unspecified",
    "piece",
    "hour",
    "day",
    "month",
    "kilogram",
    "gram",
    "liter",
    "meter",
    "centimeter",
    "millimeter",
    "meterSquared",
    "meterCubic",
    "mile",
    "kilometer",
    "gigabyte",
    "hectar",
    "words",
    "year",
    "week",
    "minute",
    "megabyte",
    "ton",
)
PROPERTIES = {
    "description": lists.text("description"),
    "itemType": lists.choice("item_type"),
    "productType": lists.choice("product_type"),
    "unitType": lists.choice("unit_type"),
    "unitPrice": lists.number("unit_price", decimals=PRICE_DECIMALS),
    "taxRate": lists.number("tax_rate", decimals=0),
}


def as_json(row: Item) -> Json:
    """The item as the API shows it: one of text has nothing but its text."""
    data: Json = {
        "id": str(row.uuid),
        "description": row.description,
        "itemType": row.item_type,
    }
    if row.item_type == SALES_ITEM:
        data |= {
            "productType": row.product_type,
            "unitType": row.unit_type,
            "unitPrice": row.unit_price,
            "taxRate": row.tax_rate,
            "bookkeepingAccountNumber": row.account,
        }
    return data


@operation("GET", "/items", "get-items", scope="items:read")
def items(context: Context) -> object:
    rows = lists.filtered(
        context.company.items.all(), context.call.query.get("query", ""), PROPERTIES
    )
    return lists.page(rows, context.call.query, as_json)


@operation("POST", "/items", "post-item", scope="items:write", creates=True)
def create(context: Context) -> object:
    row = Item(company=context.company)
    _fill(row, Reader(context.body()))
    row.save()
    return as_json(row)


@operation("GET", "/items/{itemId}", "get-items-itemId", scope="items:read")
def item(context: Context) -> object:
    return as_json(_find(context))


@operation("PUT", "/items/{itemId}", "put-item", scope="items:write")
def replace(context: Context) -> object:
    row = _find(context)
    _fill(row, Reader(context.body()))
    row.save()
    return as_json(row)


@operation("DELETE", "/items/{itemId}", "delete-item", scope="items:write")
def delete(context: Context) -> None:
    """Invoices that were written with the item keep their lines as they are."""
    _find(context).delete()


def _find(context: Context) -> Item:
    item_id = context.id("itemId", "item")
    row = context.company.items.filter(uuid=item_id).first()
    if row is None:
        raise refusals.not_found("item", item_id)
    return row


def _fill(row: Item, body: Reader) -> None:
    """Take every field from the body, which replaces the whole item."""
    body.read_only("id")
    row.description = body.text("description", required=True, longest=lines.LONGEST_DESCRIPTION)
    row.item_type = body.choice("itemType", (SALES_ITEM, DESCRIPTION_ONLY), required=True)
    if row.item_type == SALES_ITEM:
        row.product_type = body.choice("productType", lines.PRODUCTS, required=True)
        row.unit_type = body.choice("unitType", UNITS, required=True)
        row.unit_price = body.number("unitPrice", required=True, decimals=PRICE_DECIMALS)
        row.tax_rate = int(lines.read_tax_rate(body))
        row.account = body.integer("bookkeepingAccountNumber")
        if row.account is not None and not _has_account(row, row.account):
            message = f"The account {row.account} does not exist"
            body.note("bookkeepingAccountNumber", message)
    else:
        row.product_type = row.unit_type = ""
        row.unit_price, row.tax_rate, row.account = ZERO, 0, None
    body.finish()


def _has_account(row: Item, account: int) -> bool:
    return 0 < account < 10_000 and row.company.accounts.filter(number=account).exists()
