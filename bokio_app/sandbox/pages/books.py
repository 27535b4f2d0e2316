"""The ledger of a company as pages: entries, balances, accounts, fiscal years, documents, tags."""

import uuid
from collections.abc import Sequence
from decimal import Decimal

from django.contrib import messages
from django.core.paginator import Page
from django.db.models import Count, Prefetch, Q, QuerySet, Sum
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from bokio_app.sandbox import ledger, store
from bokio_app.sandbox.models import Company, JournalEntry, JournalItem, Tag
from bokio_app.sandbox.pages.access import for_company
from bokio_app.sandbox.pages.files import file_answer
from bokio_app.sandbox.pages.lists import as_number, company_page, paged, searched

ZERO = Decimal(0)
SOURCES = (
    "invoice",
    "credit_note",
    "payment__invoice",
    "settlement__invoice",
    "supplier_invoice",
    "made_by",
)


def entries_of(company: Company) -> QuerySet[JournalEntry]:
    """The entries with all that `_entry.html` shows of them."""
    return company.entries.select_related(*SOURCES).prefetch_related(
        "items", "tags__tag__group", "comments", "uploads"
    )


@require_GET
@for_company
def entries(request: HttpRequest, company: Company) -> HttpResponse:
    rows = entries_of(company).order_by("-number")
    if text := searched(request):
        rows = rows.filter(_entry_search(text))
    page = paged(request, rows)
    context = {"page": page, "names": account_names(company), "linked": _linked(page)}
    return company_page(request, company, "entries", "entries", context)


def _entry_search(text: str) -> Q:
    found = Q(title__icontains=text)
    number = as_number(text.removeprefix("V").removeprefix("v"))
    return found if number is None else found | Q(number=number)


def _linked(page: Page[JournalEntry]) -> dict[uuid.UUID, int]:
    """The numbers of the entries that those on the page reverse, or are reversed by."""
    ids = {link for row in page for link in (row.reversing, row.reversed_by) if link}
    return dict(JournalEntry.objects.filter(uuid__in=ids).values_list("uuid", "number"))


def account_names(company: Company) -> dict[int, str]:
    return dict(company.accounts.values_list("number", "name"))


@require_GET
@for_company
def balances(request: HttpRequest, company: Company) -> HttpResponse:
    """Debit less credit of every account that something was recorded on; they add up to zero."""
    names = account_names(company)
    found = ledger.balances(company)
    rows = [
        {"account": account, "name": names.get(account, ""), "balance": balance}
        for account, balance in found.items()
    ]
    context = {"rows": rows, "total": sum(found.values(), ZERO)}
    return company_page(request, company, "balances", "balances", context)


@require_GET
@for_company
def account(request: HttpRequest, company: Company, number: int) -> HttpResponse:
    """One account: every item on it by date, with the balance after each."""
    row = get_object_or_404(company.accounts, number=number)
    items = (
        JournalItem.objects.filter(company=company, account=number)
        .select_related("entry")
        .order_by("entry__date", "entry__number", "id")
    )
    page = paged(request, items)
    opening = _sum(items[: page.start_index() - 1]) if page.number > 1 else ZERO
    balance, rows = opening, []
    for item in page:
        balance += item.debit - item.credit
        rows.append({"item": item, "balance": balance})
    context = {"account": row, "page": page, "opening": opening, "rows": rows}
    return company_page(request, company, "balances", "account", context)


def balances_of(number: int, companies: Sequence[Company]) -> dict[int, Decimal]:
    """What the account comes to in each of the companies where it was used, by their keys."""
    rows = JournalItem.objects.filter(company__in=companies, account=number).values("company")
    sums = rows.annotate(debits=Sum("debit"), credits=Sum("credit"))
    return {row["company"]: row["debits"] - row["credits"] for row in sums}


def _sum(items: QuerySet[JournalItem]) -> Decimal:
    sums = items.aggregate(debit=Sum("debit"), credit=Sum("credit"))
    return Decimal((sums["debit"] or ZERO) - (sums["credit"] or ZERO))


@require_GET
@for_company
def years(request: HttpRequest, company: Company) -> HttpResponse:
    rows = company.fiscal_years.order_by("-start")
    return company_page(request, company, "years", "years", {"rows": rows})


@require_POST
@for_company
def change_year(request: HttpRequest, company: Company, year_id: uuid.UUID) -> HttpResponse:
    """Close or reopen a year, or change its accounting method."""
    changes = {
        "close": ("status", "closed", _("The fiscal year is closed.")),
        "open": ("status", "open", _("The fiscal year is open again.")),
        "cash": ("method", "cash", _("The year now follows the cash method.")),
        "accrual": ("method", "accrual", _("The year now follows the accrual method.")),
    }
    if request.POST.get("action") not in changes:
        raise Http404
    column, value, said = changes[request.POST["action"]]
    with store.write():
        year = get_object_or_404(company.fiscal_years, uuid=year_id)
        setattr(year, column, value)
        year.save(update_fields=[column])
    messages.success(request, said)
    return redirect("years", company.uuid)


@require_GET
@for_company
def uploads(request: HttpRequest, company: Company) -> HttpResponse:
    rows = company.uploads.defer("content").select_related("entry", "supplier_invoice")
    rows = rows.order_by("-id")
    if text := searched(request):
        rows = rows.filter(description__icontains=text)
    return company_page(request, company, "uploads", "uploads", {"page": paged(request, rows)})


@require_GET
@for_company
def upload_file(_request: HttpRequest, company: Company, upload_id: uuid.UUID) -> HttpResponse:
    row = get_object_or_404(company.uploads, uuid=upload_id)
    return file_answer(bytes(row.content), row.content_type, row.description)


@require_GET
@for_company
def tags(request: HttpRequest, company: Company) -> HttpResponse:
    counted = Tag.objects.annotate(used=Count("uses")).order_by("name")
    groups = company.tag_groups.order_by("dimension_number")
    groups = groups.prefetch_related(Prefetch("tags", counted))
    return company_page(request, company, "tags", "tags", {"groups": groups})
