"""Company information, fiscal years, chart of accounts: what can only be read."""

from bokio_app.sandbox import ledger, refusals, switches
from bokio_app.sandbox.api import lists, shapes
from bokio_app.sandbox.api.registry import Context, operation
from bokio_app.sandbox.models import FiscalYear

YEAR_PROPERTIES = {
    "startDate": lists.day("start"),
    "endDate": lists.day("end"),
    "accountingMethod": lists.choice("method"),
    "status": lists.choice("status"),
}
ACCOUNT_PROPERTIES = {
    "account": lists.number("number", decimals=0),
    "name": lists.text("name"),
    "accountType": lists.choice("account_type"),
}


@operation(
    "GET",
    "/company-information",
    "get-company-information-with-id",
    scope="company-information:read",
)
def company_information(context: Context) -> object:
    data = shapes.company(context.company)
    return {"companyInformation": data} if switches.current().company_information_wrapped else data


@operation("GET", "/fiscal-years", "get-fiscal-years", scope="fiscal-years:read")
def fiscal_years(context: Context) -> object:
    rows = lists.filtered(
        context.company.fiscal_years.all(), context.call.query.get("query", ""), YEAR_PROPERTIES
    )
    return lists.page(rows, context.call.query, shapes.fiscal_year)


@operation(
    "GET", "/fiscal-years/{fiscalYearId}", "get-fiscal-year-with-id", scope="fiscal-years:read"
)
def fiscal_year(context: Context) -> object:
    data = shapes.fiscal_year(find_fiscal_year(context))
    return {"fiscalYear": data} if switches.current().fiscal_year_wrapped else data


def find_fiscal_year(context: Context) -> FiscalYear:
    year_id = context.id("fiscalYearId", "fiscal year")
    row = context.company.fiscal_years.filter(uuid=year_id).first()
    if row is None:
        raise refusals.not_found("fiscal year", year_id)
    return row


@operation("GET", "/chart-of-accounts", "get-chart-of-accounts", scope="chart-of-accounts:read")
def chart_of_accounts(context: Context) -> object:
    """A bare array: this list has no pages."""
    rows = lists.filtered(
        context.company.accounts.all(), context.call.query.get("query", ""), ACCOUNT_PROPERTIES
    )
    return [shapes.account(row) for row in rows.order_by("number")]


@operation(
    "GET",
    "/chart-of-accounts/{account}",
    "get-account-with-number",
    scope="chart-of-accounts:read",
)
def account(context: Context) -> object:
    given = context.params["account"]
    number = int(given) if given.isascii() and given.isdecimal() and len(given) < 9 else 0
    row = context.company.accounts.filter(number=number).first()
    if row is None:
        raise refusals.not_found("account", given)
    balance = ledger.balances(context.company).get(number)
    return shapes.account(row) | {"accountBalance": balance}
