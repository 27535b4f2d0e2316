"""Flows: work at Bokio that must finish, and must happen exactly once."""

from importlib import import_module
from typing import Any

from django.apps import AppConfig
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created
from django.utils.translation import gettext_lazy as _

LONGEST_IDLE = 60  # seconds; a transaction of ours waits for nothing but the database


def commit_durably(connection: BaseDatabaseWrapper, **_kwargs: Any) -> None:
    """A committed intent must survive power loss, whatever the server's default says.

    A process that stands still within a transaction loses it and its locks: nobody else could
    take work of that company, or sweep, for as long as it stands.
    """
    if connection.vendor == "postgresql":
        # Django lets nothing be prepared; its own cursors still do not, whatever this says.
        connection.connection.prepare_threshold = 0
        with connection.cursor() as cursor:
            cursor.execute(
                "SET synchronous_commit = on;"
                # The statements of `rows.py` are prepared, and one plan fits all of their values.
                "SET plan_cache_mode = force_generic_plan;"
                f"SET idle_in_transaction_session_timeout = '{LONGEST_IDLE}s'"
            )


class FlowsConfig(AppConfig):
    name = "bokio_app.flows"
    verbose_name = _("Runs")

    def ready(self) -> None:
        connection_created.connect(commit_durably, dispatch_uid="flows_durable")
        import_module("bokio_app.flows.services")
        import_module("bokio_app.flows.inventory.reading")
        import_module("bokio_app.flows.leaving")
        import_module("bokio_app.flows.permissions")
        import_module("bokio_app.flows.erasing")
