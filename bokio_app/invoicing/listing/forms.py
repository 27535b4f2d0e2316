"""The form of a saved view."""

from __future__ import annotations

import uuid

from django import forms
from django.utils.translation import gettext_lazy as _

from .kept import LONGEST_NAME


class ViewForm(forms.Form):
    """Name and reach of a saved view. Its filter stands in the address of the form."""

    name = forms.CharField(label=_("Name"), max_length=LONGEST_NAME)
    is_shared = forms.BooleanField(
        label=_("Everybody in the workspace sees it and may change it"), required=False
    )
    is_default = forms.BooleanField(label=_("I see it when I open the invoices"), required=False)
    request_key = forms.UUIDField(widget=forms.HiddenInput, initial=uuid.uuid4)
