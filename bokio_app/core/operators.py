"""Bases of the admin console's pages: what operators may look at, and mostly not change by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.db.models import Model
from django.forms import BaseInlineFormSet, Form
from django.http import HttpRequest

if TYPE_CHECKING:
    PageBase = admin.ModelAdmin[Model]
    RowsBase = admin.TabularInline[Model, Model]
    FormSetBase = BaseInlineFormSet[Any, Any, Any]
else:  # Django's own classes take no parameters when they run
    PageBase = admin.ModelAdmin
    RowsBase = admin.TabularInline
    FormSetBase = BaseInlineFormSet


class _NoChanges:
    """Rows are neither added, changed nor deleted here: only the app itself writes them."""

    def has_add_permission(self, request: HttpRequest, *_args: Any) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, *_args: Any, **_kwargs: Any) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, *_args: Any, **_kwargs: Any) -> bool:
        return False


class OperatorAdmin(PageBase):
    """Rows that operators keep."""

    show_full_result_count = False


class ReadOnlyAdmin(_NoChanges, OperatorAdmin):
    """Rows to look at."""


class OperatorFormSet(FormSetBase):
    """Names each field of a row: in the table only its column has a heading."""

    def add_fields(self, form: Form, index: int | None) -> None:
        super().add_fields(form, index)
        for field in form.fields.values():
            if field.label and not field.widget.is_hidden:
                field.widget.attrs["aria-label"] = str(field.label)


class OperatorRows(RowsBase):
    """Rows that operators keep below another."""

    extra = 0
    formset = OperatorFormSet


class ReadOnlyRows(_NoChanges, OperatorRows):
    """Rows to look at below another."""
