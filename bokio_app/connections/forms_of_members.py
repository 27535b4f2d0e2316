"""Forms about who works in a workspace and what they see."""

from __future__ import annotations

from typing import Any, cast

from django import forms
from django.conf import settings
from django.contrib.auth import password_validation
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from bokio_app.tenants.models import NAME_LENGTH, Member, Role, User

from .models import Connection

ALL, LISTED = "all", "listed"


class AccessForm(forms.Form):
    """All companies, or a choice of them."""

    sees = forms.ChoiceField(
        label=_("Companies"),
        choices=[
            (ALL, _("Every company, also those that come later")),
            (LISTED, _("Only those chosen below")),
        ],
        widget=forms.RadioSelect,
    )
    companies = forms.ModelMultipleChoiceField(
        Connection.objects.none(), required=False, label=_("Companies")
    )

    def __init__(self, companies: QuerySet[Connection], *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        field = cast("forms.ModelMultipleChoiceField[Connection]", self.fields["companies"])
        field.queryset = companies

    @staticmethod
    def of(member: Member) -> dict[str, Any]:
        """What the form shows first: how things are."""
        given = member.company_access.values_list("connection", flat=True)
        return {"sees": ALL if member.sees_all else LISTED, "companies": list(given)}

    def rows(self, companies: QuerySet[Connection]) -> list[tuple[Connection, bool]]:
        """Each company, and whether it is chosen."""
        chosen = {str(each) for each in self["companies"].value() or ()}
        return [(each, str(each.pk) in chosen) for each in companies]


class RoleForm(forms.Form):
    """What somebody may do."""

    role = forms.ChoiceField(label=_("Role"), choices=Role.choices, widget=forms.RadioSelect)


class ColleagueForm(RoleForm, AccessForm):
    """Whom to invite, in which role, and what they are to see."""

    email = forms.EmailField(
        label=_("E-mail"),
        help_text=_("The link goes there and nowhere else: it proves the address."),
        widget=forms.EmailInput(attrs={"autocomplete": "off"}),
    )
    language = forms.ChoiceField(
        label=_("Language of the mail"),
        choices=settings.LANGUAGES,
        help_text=_("For somebody new. Who has an account gets the mail in their own."),
    )

    def clean_email(self) -> str:
        return str(self.cleaned_data["email"]).lower()


class JoiningForm(forms.Form):
    """The account of a new colleague; the address is that of the invitation."""

    name = forms.CharField(
        label=_("Your name"),
        max_length=NAME_LENGTH,
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )
    password = forms.CharField(
        label=_("Password"),
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def __init__(self, email: str, data: Any = None) -> None:
        super().__init__(data)
        self._email = email

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        if password := values.get("password"):
            likely = User(email=self._email, name=values.get("name", ""))
            try:
                password_validation.validate_password(password, likely)
            except forms.ValidationError as weak:
                self.add_error("password", weak)
        return values
