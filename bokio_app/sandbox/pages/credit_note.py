"""One credit note, which a person in Bokio can change, publish, record, or delete as a draft."""

import uuid
from decimal import Decimal
from typing import Any

from django import forms
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET, require_POST

from bokio_app.sandbox import crediting, pdf
from bokio_app.sandbox.models import Company, CreditNote
from bokio_app.sandbox.pages import fields
from bokio_app.sandbox.pages.access import for_company
from bokio_app.sandbox.pages.acts import Acts, Refused, perform, status_of, submit
from bokio_app.sandbox.pages.books import account_names
from bokio_app.sandbox.pages.files import PDF, file_answer
from bokio_app.sandbox.pages.lists import company_page
from bokio_app.sandbox.totals import sales_lines
from bokio_app.sandbox.wire import plain

ACTS: Acts[CreditNote] = {
    "publish": (crediting.publish, _("The credit note is published.")),
    "record": (crediting.record, _("The credit note is recorded.")),
    "delete": (crediting.delete_draft, _("The draft is deleted.")),
}


class QuantitiesForm(forms.Form):
    """How much of each line is credited. Nothing leaves the line out."""

    def __init__(self, note: CreditNote, data: Any = None) -> None:
        super().__init__(data)
        self.note = note
        for line in sales_lines(note.lines):
            self.fields[str(line["id"])] = fields.exact(
                label=line["description"], initial=Decimal(line["quantity"]), required=False
            )

    def clean(self) -> None:
        super().clean()
        left = crediting.left_to_credit(self.note.invoice)
        for name, quantity in list(self.cleaned_data.items()):
            if quantity and not crediting.within(quantity, left.get(int(name), Decimal(0))):
                self.add_error(name, gettext("More than is left to credit of this line."))
        if not any(self.cleaned_data.values()) and not self.errors:
            self.add_error(None, gettext("Nothing would be credited. Delete the draft instead."))

    def put_on(self, note: CreditNote) -> None:
        """Change the draft, as the API's full replacement does."""
        crediting.require_draft(note)
        data = self.cleaned_data
        note.lines = [
            {**line, "quantity": plain(data[str(line["id"])])} if str(line["id"]) in data else line
            for line in note.lines
            if data.get(str(line["id"]), True)
        ]
        crediting.recalculate(note)
        note.save()


def find(company: Company, note_id: uuid.UUID) -> CreditNote:
    rows = company.credit_notes.select_related(
        "company", "invoice__customer", "invoice__company", "entry"
    )
    return get_object_or_404(rows, uuid=note_id)


@require_GET
@for_company
def credit_note(request: HttpRequest, company: Company, note_id: uuid.UUID) -> HttpResponse:
    return _page(request, find(company, note_id))


def _page(
    request: HttpRequest,
    row: CreditNote,
    *,
    refused: Refused | None = None,
    form: QuantitiesForm | None = None,
) -> HttpResponse:
    context = {
        "note": row,
        "names": account_names(row.company),
        "refused": refused,
        "form": form or QuantitiesForm(row),
        "opened": form is not None,
    }
    status = status_of(refused, typed=form is not None)
    return company_page(request, row.company, "credit-notes", "credit_note", context, status=status)


@require_POST
@for_company
def act(request: HttpRequest, company: Company, note_id: uuid.UUID) -> HttpResponse:
    """Publish, record or delete the credit note."""
    if refused := perform(request, ACTS, lambda: find(company, note_id)):
        return _page(request, find(company, note_id), refused=refused)
    if request.POST["action"] == "delete":
        return redirect("credit-notes", company.uuid)
    return redirect("credit-note", company.uuid, note_id)


@require_POST
@for_company
def change(request: HttpRequest, company: Company, note_id: uuid.UUID) -> HttpResponse:
    """Credit less of some lines, or leave some out."""
    form = QuantitiesForm(find(company, note_id), request.POST)
    return submit(
        request,
        form,
        lambda: find(company, note_id),
        said=_("The draft is saved."),
        then=redirect("credit-note", company.uuid, note_id),
        again=lambda refused: _page(request, find(company, note_id), form=form, refused=refused),
    )


@require_GET
@for_company
def document(_request: HttpRequest, company: Company, note_id: uuid.UUID) -> HttpResponse:
    """The credit note as the customer would get it. A draft has none."""
    row = find(company, note_id)
    if row.number is None:
        raise Http404
    return file_answer(pdf.credit_note(row), PDF, f"kreditfaktura-{row.number}.pdf")
