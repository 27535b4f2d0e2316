"""A client of Bokio for one connection, with a token that works."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial
from uuid import UUID

from django.conf import settings

from bokio_app.bokio.answers import Answer
from bokio_app.bokio.client import Bokio
from bokio_app.bokio.http import BeforeCall, Call, Http

from . import usage
from .grants import Access
from .models import Connection

log = logging.getLogger(__name__)

API_VERSION = "v1"


def bokio_for(
    connection: Connection,
    *,
    access: Access,
    before_call: BeforeCall,
    on_answer: Callable[[Answer], None] | None = None,
    send_by: float | None = None,
) -> Bokio:
    """A client for this company. `before_call` counts each call against the company's limit;
    `on_answer` is given each answer; `send_by` is the monotonic second after which a request
    must not leave any more. Bodies, tokens and addresses are never logged.
    """
    http = Http(
        settings.BOKIO_API_URL,
        access_token=access.token,
        on_call=partial(_heard, connection.pk),
        before_call=before_call,
        on_answer=on_answer,
        send_by=send_by,
        deadline=settings.FLOW_DEADLINE,
        file_deadline=settings.FLOW_FILE_DEADLINE,
    )
    return Bokio(http, connection.company_id)


def _heard(connection_id: UUID, call: Call) -> None:
    usage.heard(connection_id, call)
    log.info(
        "call operation=%s status=%s seconds=%.3f bokio_error_id=%s",
        call.operation,
        call.status,
        call.seconds,
        call.error_id or "-",
    )
    if call.deprecates(API_VERSION):
        log.warning("api_deprecated version=%s operation=%s", API_VERSION, call.operation)
