"""Operators find flows, see each step and call, and let stuck ones go on or stop."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib import admin, messages
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from bokio_app.core.operators import ReadOnlyAdmin, ReadOnlyRows

from . import services
from .models import Attempt, Finding, Flow, Step

REASON = "admin console"


class StepRows(ReadOnlyRows):
    """Steps without their payloads, which hold what is in the invoice."""

    model = Step
    verbose_name_plural = _("Steps")
    fields = [
        "pos",
        "op",
        "op_key",
        "state",
        "attempt",
        "resolved_by",
        "remote_id",
        "error_code",
        "error_message",
        "remote_error_id",
        "intent_at",
        "settle_at",
        "done_at",
    ]
    ordering = ["pos"]


@admin.register(Flow)
class FlowAdmin(ReadOnlyAdmin):
    list_display = [
        "public_id",
        "kind",
        "state",
        "wait_reason",
        "stuck_code",
        "connection",
        "tenant",
        "lane",
        "not_before",
        "created_at",
    ]
    list_filter = ["state", "kind", "lane", "stuck_code"]
    list_select_related = ["connection", "tenant"]
    search_fields = ["public_id", "business_key", "connection__name"]
    ordering = ["-created_at"]
    inlines = [StepRows]
    actions = ["retry", "cancel"]

    def has_operate_permission(self, request: HttpRequest) -> bool:
        """Whether the person may let flows go on or stop, although not edit them."""
        return request.user.has_perm("flows.change_flow")

    @admin.action(description=_("Try again from where it stopped"), permissions=["operate"])
    def retry(self, request: HttpRequest, flows: QuerySet[Model]) -> None:
        done = _each(request, flows, services.retry)
        text = ngettext("%(count)d run goes on.", "%(count)d runs go on.", done)
        self.message_user(request, text % {"count": done}, _level(done))

    @admin.action(description=_("Cancel the rest"), permissions=["operate"])
    def cancel(self, request: HttpRequest, flows: QuerySet[Model]) -> None:
        done = _each(request, flows, services.cancel)
        text = ngettext("%(count)d run is cancelled.", "%(count)d runs are cancelled.", done)
        self.message_user(request, text % {"count": done}, _level(done))


def _each(request: HttpRequest, flows: QuerySet[Model], act: Callable[..., None]) -> int:
    """Apply a decision to each flow that it still fits; returns to how many it did."""
    done = 0
    for flow in flows:
        try:
            act(flow, by=request.user, reason=REASON)
        except services.NotStuck:
            continue
        done += 1
    return done


def _level(done: int) -> int:
    return messages.SUCCESS if done else messages.WARNING


@admin.register(Attempt)
class AttemptAdmin(ReadOnlyAdmin):
    list_display = ["at", "step", "number", "outcome", "status", "code", "milliseconds"]
    list_filter = ["outcome", "status", "step__op"]
    list_select_related = ["step"]
    search_fields = ["remote_error_id", "step__flow__public_id"]
    ordering = ["-at"]


@admin.register(Finding)
class FindingAdmin(ReadOnlyAdmin):
    """Alarms of the inventory. The workspace resolves them; operators see that it does."""

    list_display = [
        "found_at",
        "kind",
        "object_type",
        "remote_id",
        "connection",
        "tenant",
        "resolved_at",
        "resolved_by",
    ]
    list_filter = ["resolved_at", "kind", "object_type"]
    list_select_related = ["connection", "tenant", "resolved_by"]
    search_fields = ["remote_id", "connection__name", "step__flow__public_id"]
    ordering = ["-found_at"]
