"""Forms about connections."""

from __future__ import annotations

import re
from typing import Any
from uuid import UUID

from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from bokio_app.tenants.models import NAME_LENGTH, Tenant

NEW = "new"
SOME_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


class WorkspaceForm(forms.Form):
    """Which of the person's workspaces gets a company, or the name of a new one.

    Who has one alone is not asked; who has none names one.
    """

    workspace = forms.ChoiceField(label=_("Workspace"))
    name = forms.CharField(
        label=_("Your agency or company"),
        max_length=NAME_LENGTH,
        required=False,
        help_text=_("Your workspace gets this name."),
        widget=forms.TextInput(attrs={"autocomplete": "organization"}),
    )

    def __init__(self, mine: QuerySet[Tenant], data: Any = None) -> None:
        super().__init__(data)
        self._mine = {str(each.pk): each for each in mine}
        self.fields["workspace"] = forms.ChoiceField(
            label=_("Workspace"),
            choices=[
                *((key, each.name) for key, each in self._mine.items()),
                (NEW, _("A new one")),
            ],
            required=len(self._mine) > 1,
        )

    @property
    def tenant(self) -> Tenant | None:
        """The workspace that was chosen; None for a new one."""
        chosen = self.cleaned_data["workspace"]
        if not chosen and len(self._mine) == 1:
            return next(iter(self._mine.values()))
        return self._mine.get(chosen)

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        chosen = values.get("workspace")
        if chosen is None or self.tenant or values.get("name"):
            return values
        self.add_error("name", _("Name the workspace."))
        return values


class InvitationForm(forms.Form):
    """Whom an invitation is for: a name to find it again by, and an address to send it to."""

    for_name = forms.CharField(
        label=_("Company"),
        max_length=120,
        required=False,
        help_text=_("As you call it; the invited person sees it too."),
    )
    email = forms.EmailField(
        label=_("E-mail of the person who administers it in Bokio"),
        required=False,
        help_text=_("Without an address you get the link and hand it over yourself."),
        widget=forms.EmailInput(attrs={"autocomplete": "off"}),
    )


class PrivateTokenForm(forms.Form):
    """A company and the token that its private integration has. The token is never shown again.

    With `for_company`, the company is known and not asked for.
    """

    company = forms.CharField(
        label=_("Company at Bokio"),
        max_length=300,
        help_text=_("Its address in Bokio, or the tenant id that stands beside the token."),
    )
    token = forms.CharField(
        label=_("Token"),
        max_length=4000,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
        help_text=_("Bokio shows it once, where the private integration is made."),
    )

    def __init__(self, data: Any = None, *, for_company: UUID | None = None) -> None:
        super().__init__(data)
        if for_company:
            del self.fields["company"]

    def clean_company(self) -> UUID:
        found = SOME_UUID.search(self.cleaned_data["company"])
        if found is None:
            raise forms.ValidationError(_("No company's id is in it: 36 signs with four hyphens."))
        return UUID(found[0])

    def clean_token(self) -> str:
        token: str = self.cleaned_data["token"]
        if not token.isascii() or not token.isprintable() or " " in token:
            raise forms.ValidationError(_("A token holds no spaces and no accented letters."))
        return token
