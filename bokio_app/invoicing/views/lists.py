"""The list of invoices, of one company or of all."""

import uuid
from dataclasses import replace
from urllib.parse import urlencode

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from django.views.decorators.http import require_safe

from bokio_app.connections.models import Connection
from bokio_app.connections.queries import live
from bokio_app.core import clock
from bokio_app.invoicing import queries
from bokio_app.ledger.queries import fiscal_year_of
from bokio_app.tenants.access import TenantRequest, member
from bokio_app.tenants.models import Tenant

VIEWS = (
    ("all", pgettext_lazy("invoices", "All")),
    ("draft", _("Drafts")),
    ("unrecorded", _("Not recorded")),
    ("open", pgettext_lazy("invoices", "Open")),
    ("overdue", pgettext_lazy("invoices", "Overdue")),
    ("paid", pgettext_lazy("invoices", "Paid")),
)


@require_safe
@member
def invoice_list(request: TenantRequest) -> HttpResponse:
    """`?company=`, `?view=`, `?q=` narrow the list; `?before=` asks for the rows that follow."""
    asked = _asked(request)
    companies = list(live(request.tenant))
    company = asked.company
    page = queries.find_invoices(request.tenant, asked)
    return render(
        request,
        "invoicing/list.html",
        {
            "page": page,
            "asked": asked,
            "views": [(label, _link(replace(asked, view=name)), name) for name, label in VIEWS],
            "companies": companies,
            "year": fiscal_year_of(company, clock.today()) if company else None,
            "new_url": reverse("invoicing:new") + (f"?company={company.pk}" if company else ""),
            "next_url": _link(asked, before=page.next) if page.next else "",
            "first_url": _link(asked) if asked.before else "",
        },
    )


def _asked(request: TenantRequest) -> queries.Filter:
    view = request.GET.get("view", "all")
    return queries.Filter(
        view=view if view in queries.VIEWS else "all",
        text=request.GET.get("q", "").strip()[:100],
        company=_company(request.tenant, request.GET.get("company", "")),
        before=queries.read_mark(request.GET.get("before", "")),
    )


def _company(tenant: Tenant, text: str) -> Connection | None:
    """The company that the address names; one that is not the tenant's is not found."""
    if not text:
        return None
    try:
        found = uuid.UUID(text)
    except ValueError:
        return None
    return get_object_or_404(tenant.connections, pk=found)


def _link(asked: queries.Filter, *, before: str = "") -> str:
    parts = {
        "company": str(asked.company.pk) if asked.company else "",
        "view": asked.view if asked.view != "all" else "",
        "q": asked.text,
        "before": before,
    }
    return "?" + urlencode({name: value for name, value in parts.items() if value})
