"""What a person writes down when deciding about a stopped flow."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _


class ReasonForm(forms.Form):
    """The note that goes into the audit trail with the decision."""

    reason = forms.CharField(
        label=_("Note for the audit trail"),
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 2}),
        error_messages={"required": _("Say why, so that others can follow it later.")},
    )

    def __init__(self, *args: Any, required: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["reason"].required = required


class AdoptForm(ReasonForm):
    """The thing in Bokio that a stopped step has made, by its id there."""

    remote_id = forms.UUIDField(
        label=_("Bokio's id"),
        error_messages={"required": _("Give the id."), "invalid": _("That is no id of Bokio's.")},
    )
    field_order = ["remote_id", "reason"]
