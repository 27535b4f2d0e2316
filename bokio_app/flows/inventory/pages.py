"""Differences as people see them, and the one thing that they decide about them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from bokio_app.flows.explain import Fact, compared
from bokio_app.flows.forms import ReasonForm
from bokio_app.tenants.access import TenantRequest, member

from .rows import Finding
from .services import AlreadyResolved, open_findings, resolve

if TYPE_CHECKING:
    from django_stubs_ext import StrPromise

THINGS: dict[str, StrPromise] = {
    "bank_payment": gettext_lazy("Bank payment"),
    "credit_note": gettext_lazy("Credit note"),
    "invoice": gettext_lazy("Invoice"),
    "item": gettext_lazy("Item"),
    "journal_entry": gettext_lazy("Journal entry"),
    "line_item": gettext_lazy("Line item"),
    "payment": gettext_lazy("Payment"),
    "settlement": gettext_lazy("Settlement"),
    "upload": gettext_lazy("Voucher"),
}
ADVICE: dict[str, StrPromise] = {
    Finding.Kind.SURPLUS: gettext_lazy(
        "A request of ours was carried out once more, too late for us to see, or somebody made "
        "the same thing. Look in Bokio, and take back there what is one too many."
    ),
    Finding.Kind.CHANGED: gettext_lazy(
        "Bokio holds other values than we sent. Somebody may have meant to."
    ),
    Finding.Kind.VANISHED: gettext_lazy(
        "What we made is no longer there. Somebody may have meant to."
    ),
}


@dataclass(frozen=True)
class Shown:
    """A difference with its words; `facts` compares both sides, as far as there are two."""

    finding: Finding
    thing: str
    advice: str
    facts: list[Fact]
    form: ReasonForm


def shown(findings: Iterable[Finding]) -> list[Shown]:
    """Differences for a page, in their order."""
    return [
        Shown(
            finding=each,
            thing=str(THINGS.get(each.object_type, each.object_type)),
            advice=str(ADVICE[each.kind]),
            facts=compared(each.wanted, [each.seen]),
            form=ReasonForm(required=True, prefix=str(each.public_id)),
        )
        for each in findings
    ]


@member
@require_POST
def resolve_finding(request: TenantRequest, public_id: UUID) -> HttpResponse:
    """Say why a difference may stand, or that it was seen to in Bokio."""
    finding = get_object_or_404(request.tenant.findings, public_id=public_id)
    form = ReasonForm(request.POST, required=True, prefix=str(public_id))
    if not form.is_valid():
        messages.error(request, str(form.errors["reason"][0]))
        return redirect("flows:list")
    try:
        resolve(finding, by=request.user, reason=form.cleaned_data["reason"])
    except AlreadyResolved:
        messages.info(request, _("Somebody has resolved it already."))
    else:
        messages.success(request, _("The difference is resolved."))
    return redirect("flows:list")


__all__ = ["Shown", "open_findings", "resolve_finding", "shown"]
