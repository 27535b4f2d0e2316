"""The form that says how much of an invoice is credited."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from django import forms
from django.forms import BoundField
from django.utils.translation import gettext as _

from .crediting import Creditable, CreditLine
from .fields import AmountField, as_typed


class CreditForm(forms.Form):
    """A quantity for each sold line, filled in with all that is left of it."""

    request_key = forms.UUIDField(widget=forms.HiddenInput)
    seen = forms.DecimalField(required=False, widget=forms.HiddenInput)

    def __init__(
        self, *args: Any, found: Creditable, nothing: bool = False, **options: Any
    ) -> None:
        """With `nothing` the quantities are filled in with none."""
        options.setdefault("use_required_attribute", False)
        super().__init__(*args, **options)
        self.found, self.nothing = found, nothing
        for each in found.lines or ():
            self.fields[str(each.line.pk)] = AmountField(
                label=_("Quantity to credit of %(line)s") % {"line": each.line.description},
                widget=forms.TextInput(attrs={"class": "input num", "inputmode": "decimal"}),
                digits=12,
                decimals=3,
                required=False,
                initial=as_typed(Decimal(0) if nothing else each.left, decimals=None),
                disabled=not each.left,
            )

    @property
    def rows(self) -> list[tuple[CreditLine, BoundField]]:
        """Each line with its field."""
        return [(each, self[str(each.line.pk)]) for each in self.found.lines or ()]

    @property
    def wanted(self) -> dict[int, Decimal]:
        """The quantities by line, of a form that has been validated; as far as they are numbers."""
        if not self.is_bound:
            return {} if self.nothing else dict(self.found.rest)
        return {
            each.line.pk: self.cleaned_data.get(str(each.line.pk)) or Decimal(0)
            for each in self.found.lines or ()
            if each.left
        }

    def add_problems(self, problems: Iterable[tuple[str, str]]) -> None:
        """Put what `crediting` found on its fields."""
        for field, code in problems:
            self.add_error(field or None, problem_text(code))


def problem_text(code: str) -> str:
    """A problem of `crediting` in words that say what to do."""
    return {
        "not_published": _("A draft is deleted or corrected, not credited."),
        "gone": _("Bokio no longer has it."),
        "credited": _("Everything on the invoice is credited already."),
        "draft_exists": _(
            "The invoice has a credit note that is still a draft. Publish it or delete it first."
        ),
        "under_way": _("A credit note of this invoice is being worked on. Wait until it is done."),
        "no_permission": _(
            "The company has not given leave to work with credit notes. Ask for it first."
        ),
        "no_fiscal_year": _(
            "The company has no fiscal year for today, so nothing can be recorded."
        ),
        "closed_year": _("Today's fiscal year is closed, so nothing can be recorded."),
        "changed_meanwhile": _("The amount has changed. Check it and press once more."),
        "nothing": _("Choose what is to be credited: more than nothing, and no more than is left."),
        "too_much": _("More than what is left to credit."),
        "recorded": _("There is nothing left to do: the credit note is published and recorded."),
        "not_draft": _("The credit note is published. It can no longer be deleted."),
    }[code]
