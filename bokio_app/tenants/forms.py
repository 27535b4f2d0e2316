"""Forms about people and workspaces."""

from django import forms
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from .models import NAME_LENGTH, User


class SignUp(forms.Form):
    """What a new person tells beside address and password; django-allauth adds those."""

    name = forms.CharField(
        label=_("Your name"),
        max_length=NAME_LENGTH,
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )
    workspace = forms.CharField(
        label=_("Your agency or company"),
        max_length=NAME_LENGTH,
        help_text=_("Your workspace gets this name."),
        widget=forms.TextInput(attrs={"autocomplete": "organization"}),
    )
    field_order = ["name", "workspace", "email", "password1"]

    def signup(self, _request: HttpRequest, user: User) -> None:
        """Complete the account that was just made: a name, and the workspace that it gets."""
        user.name = self.cleaned_data["name"]
        user.workspace_asked = self.cleaned_data["workspace"]
        user.save(update_fields=["name", "workspace_asked"])
