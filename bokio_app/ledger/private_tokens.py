"""Trying a pasted token: one call, by a worker, before the company stands in any list."""

from __future__ import annotations

from typing import Any

from django.dispatch import receiver
from django.utils.translation import gettext_lazy as _

from bokio_app.bokio.client import Bokio
from bokio_app.connections import private_tokens
from bokio_app.connections.models import Connection
from bokio_app.connections.signals import private_token_pasted
from bokio_app.core import clock
from bokio_app.flows import services as flows
from bokio_app.flows.operations import Done, Operation, StepContext, register, register_kind
from bokio_app.tenants.models import User

CHECK = register_kind("read_private_token", _("Try the token"))


@register
class TryToken(Operation):
    """Read the company with the token: any answer of Bokio's says whether the token is good."""

    name = "try_private_token"
    label = _("Company information")
    reads_only = True

    def send(self, ctx: StepContext, bokio: Bokio) -> Done:
        company = bokio.company.get()
        return Done({"name": company.name, "org_number": company.org_number})

    def apply(self, ctx: StepContext, done: Done) -> None:
        if not private_tokens.prove(ctx.flow.connection_id, by=ctx.flow.created_by):
            return
        Connection.objects.filter(pk=ctx.flow.connection_id).update(
            name=done.result["name"][:200],
            org_number=done.result["org_number"][:40],
            read_at=clock.now(),
        )


@receiver(private_token_pasted, dispatch_uid="ledger_tries_token")
def start_trying(connection: Connection, by: User, **_kwargs: Any) -> None:
    """Try the newest token, in the background."""
    flows.start(
        CHECK,
        connection=connection,
        steps=[flows.NewStep(TryToken.name, {})],
        business_key=f"{connection.pk}:token {connection.generation}",
        by=by,
    )
