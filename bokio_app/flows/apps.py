"""Flows: work at Bokio that must finish, and must happen exactly once."""

from importlib import import_module
from typing import Any

from django.apps import AppConfig
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created
from django.utils.translation import gettext_lazy as _


def commit_durably(connection: BaseDatabaseWrapper, **_kwargs: Any) -> None:
    """A committed intent must survive power loss, whatever the server's default says."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET synchronous_commit = on")


class FlowsConfig(AppConfig):
    name = "bokio_app.flows"
    verbose_name = _("Runs")

    def ready(self) -> None:
        connection_created.connect(commit_durably, dispatch_uid="flows_durable")
        import_module("bokio_app.flows.services")
        import_module("bokio_app.flows.inventory.reading")
