"""One credit note, which a person in Bokio can publish, record, or delete while it is a draft."""

import uuid

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_GET

from bokio_app.sandbox.models import Company, CreditNote
from bokio_app.sandbox.pages.access import for_company
from bokio_app.sandbox.pages.books import account_names
from bokio_app.sandbox.pages.lists import company_page


def find(company: Company, note_id: uuid.UUID) -> CreditNote:
    rows = company.credit_notes.select_related("company", "invoice__customer", "entry")
    return get_object_or_404(rows, uuid=note_id)


@require_GET
@for_company
def credit_note(request: HttpRequest, company: Company, note_id: uuid.UUID) -> HttpResponse:
    row = find(company, note_id)
    context = {"note": row, "names": account_names(company)}
    return company_page(request, company, "credit-notes", "credit_note", context)
