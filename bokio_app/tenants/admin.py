"""Operators keep workspaces, people, and who belongs where."""

from datetime import datetime
from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.forms import AdminUserCreationForm
from django.contrib.auth.models import Group
from django.db.models import Count, Model, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from bokio_app.core.operators import OperatorAdmin, OperatorRows

from .models import Member, Tenant, User

admin.site.unregister(Group)


class MemberRows(OperatorRows):
    model = Member
    autocomplete_fields = ["user"]


@admin.register(Tenant)
class TenantAdmin(OperatorAdmin):
    list_display = ["name", "slug", "member_count", "created_at", "closed_at", "kept", "erased_at"]
    list_filter = [("closed_at", admin.EmptyFieldListFilter)]
    fields = ["name", "slug", "closed_at", "closed_by", "kept", "erased_at"]
    readonly_fields = ["closed_at", "closed_by", "kept", "erased_at"]
    search_fields = ["name", "slug"]
    prepopulated_fields = {"slug": ["name"]}
    inlines = [MemberRows]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Model]:
        found = super().get_queryset(request)
        tenants: QuerySet[Model] = found.annotate(member_total=Count("members"))
        return tenants

    @admin.display(description=_("members"), ordering="member_total")
    def member_count(self, tenant: Tenant) -> int:
        return int(getattr(tenant, "member_total", 0))

    @admin.display(description=_("kept until"))
    def kept(self, tenant: Tenant) -> datetime | None:
        return tenant.kept_until


class NewUserForm(AdminUserCreationForm):  # type: ignore[type-arg]  # takes none when it runs
    """A new person, known by the e-mail address."""

    class Meta:
        model = User
        fields = ("email", "name")
        field_classes: dict[str, type] = {}


@admin.register(User)
class PersonAdmin(UserAdmin):  # type: ignore[type-arg]  # takes none when it runs
    """People, by e-mail address in place of a user name."""

    add_form = NewUserForm
    ordering = ["email"]
    list_display = ["email", "name", "is_active", "is_staff", "last_login"]
    list_filter = ["is_active", "is_staff"]
    search_fields = ["email", "name"]
    filter_horizontal = ["user_permissions"]
    fieldsets = [
        (None, {"fields": ["email", "name", "password"]}),
        (
            _("Console"),
            {"fields": ["is_active", "is_staff", "is_superuser", "user_permissions"]},
        ),
        (_("Dates"), {"fields": ["last_login", "date_joined"]}),
    ]

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        """Keep the person; the operator vouches for the address."""
        super().save_model(request, obj, form, change)
        obj.vouch()

    add_fieldsets = [
        (None, {"fields": ["email", "name", "usable_password", "password1", "password2"]}),
    ]
