"""A process that is frozen within a transaction must not hold up a company for as long."""

from __future__ import annotations

import threading

import pytest
from django.conf import settings
from django.db import DatabaseError, transaction
from django.db import connection as database

from bokio_app.connections.models import Connection
from bokio_app.flows import apps
from bokio_app.flows.claim import claim
from bokio_app.invoicing import services as invoicing
from bokio_app.tenants.models import User
from tests.support import bokio
from tests.support.net import wait_until


@pytest.mark.fault
@pytest.mark.skipif(settings.EMBEDDED, reason="SQLite's lock is that of one process, which dies")
def test_a_worker_that_stands_still_in_a_transaction_loses_its_locks(
    connection: Connection, person: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(apps, "LONGEST_IDLE", 1)
    invoicing.start_sending(bokio.guide_draft(connection, by=person), by=person)
    holding, thawed, lost = threading.Event(), threading.Event(), threading.Event()

    def stand_still() -> None:
        try:
            with transaction.atomic():
                Connection.objects.select_for_update().get(pk=connection.pk)
                holding.set()
                thawed.wait()
                Connection.objects.filter(pk=connection.pk).update(name="Too late")
        except DatabaseError:
            lost.set()
        finally:
            database.close()

    frozen = threading.Thread(target=stand_still)
    frozen.start()
    assert holding.wait(10)
    assert claim(connection.pk) is None

    wait_until(lambda: claim(connection.pk) is not None, what="the company's work goes on")
    thawed.set()
    frozen.join(10)

    connection.refresh_from_db()
    assert lost.is_set()
    assert connection.name != "Too late"
