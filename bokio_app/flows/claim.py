"""Taking a flow to work on: one worker at a time, in a fair order, fenced by a rising number."""

from __future__ import annotations

import os
import socket
import threading
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db import connection as database
from django.db.models import Exists, OuterRef, Q, QuerySet

from bokio_app.connections.models import Connection, State
from bokio_app.core import clock

from . import times
from .models import Flow, FlowState, Lane
from .rows import (
    DURABLY,
    columns,
    execute,
    execute_plainly,
    instance,
    parameter,
    plain_parameter,
    table,
    width,
)

MOST_TRIES = 5  # of a claim that meets another; each is a millisecond or two


def due_flows() -> QuerySet[Flow]:
    """Flows that a worker could go on with: ready and due, or left behind by a dead worker."""
    now = clock.now()
    return Flow.objects.filter(
        Q(state=FlowState.READY, not_before__lte=now)
        | Q(state=FlowState.RUNNING, lease_until__lt=now)
    )


def held_elsewhere() -> Exists:
    """True for a flow whose invoice another flow has begun to work on and not yet finished."""
    others = Flow.objects.filter(
        connection=OuterRef("connection"),
        resource_key=OuterRef("resource_key"),
        holds_resource=True,
    ).exclude(pk=OuterRef("pk"))
    return Exists(others.exclude(resource_key=""))


def claim(connection_id: UUID, *, urgent: bool = False) -> Flow | None:
    """Take one due flow of the connection, or None when there is nothing to do.

    With `urgent`, only what somebody waits for: clicks and repairs. Those have places of their
    own beside the batches', so that a click does not wait until a batch's flow has ended.

    The connection's row is locked meanwhile, so the cap on flows in flight holds however many
    workers claim at once. A claim that meets a lock again and again leaves the work to the sweep.
    """
    try:
        if database.vendor == "postgresql":
            return _claim_at_once(connection_id, urgent=urgent)
        return _claim_in_turn(connection_id, urgent=urgent)
    except IntegrityError:
        return None  # another flow took the same invoice in the same instant


DUE = f"""(flow.state = '{FlowState.READY}' AND flow.not_before <= %(now)s
  OR flow.state = '{FlowState.RUNNING}' AND flow.lease_until < %(now)s)"""
HELD = f"""(flow.resource_key <> '' AND EXISTS (
  SELECT 1 FROM {table(Flow)} AS other WHERE other.connection_id = flow.connection_id
    AND other.resource_key = flow.resource_key AND other.holds_resource AND other.id <> flow.id))"""  # noqa: S608  only our own names stand in it
_FREE = f"""(resource_key = '' OR NOT EXISTS (
  SELECT 1 FROM {table(Flow)} AS other WHERE other.connection_id = %(connection)s
    AND other.resource_key = flow.resource_key AND other.holds_resource AND other.id <> flow.id))"""  # noqa: S608  only our own names stand in it

# One round trip. All of a statement sees the database as it was when it began, but a row that
# another claim has just changed is locked in its new version: then the counts are old, the
# versions differ, nothing is taken, and `missed` says so. It also says so of a lock that was met.
_CLAIM = f"""
WITH seen AS MATERIALIZED (
  SELECT id, xmin::text AS version FROM {table(Connection)}
  WHERE id = %(connection)s AND state = '{State.ACTIVE}'
    AND (blocked_until IS NULL OR blocked_until <= %(now)s)
), locked AS MATERIALIZED (
  SELECT id, xmin::text AS version FROM {table(Connection)}
  WHERE id = %(connection)s AND state = '{State.ACTIVE}'
    AND (blocked_until IS NULL OR blocked_until <= %(now)s)
  FOR NO KEY UPDATE SKIP LOCKED
), company AS MATERIALIZED (
  SELECT id FROM locked JOIN seen USING (id, version)
), places AS MATERIALIZED (
  SELECT count(*) FILTER (WHERE lane <= {Lane.REPAIR}) < %(cap)s AS clicks,
         count(*) FILTER (WHERE lane > {Lane.REPAIR}) < %(cap)s AND NOT %(urgent)s AS others
  FROM {table(Flow)}
  WHERE connection_id = %(connection)s AND state = '{FlowState.RUNNING}' AND lease_until >= %(now)s
), open_lanes AS MATERIALIZED (
  SELECT lane FROM company, places, unnest(%(lanes)s::smallint[]) AS lane
  WHERE CASE WHEN lane <= {Lane.REPAIR} THEN clicks ELSE others END
), picked AS (
  SELECT due.id FROM open_lanes, LATERAL (
    (SELECT id, not_before FROM {table(Flow)} AS flow
     WHERE connection_id = %(connection)s AND flow.lane = open_lanes.lane
       AND state = '{FlowState.READY}' AND not_before <= %(now)s AND {_FREE}
     ORDER BY not_before, id LIMIT 1)
    UNION ALL
    (SELECT id, not_before FROM {table(Flow)} AS flow
     WHERE connection_id = %(connection)s AND flow.lane = open_lanes.lane
       AND state = '{FlowState.RUNNING}' AND lease_until < %(now)s AND {_FREE}
     ORDER BY not_before, id LIMIT 1)
  ) AS due
  ORDER BY open_lanes.lane, due.not_before, due.id LIMIT 1
), won AS (
  UPDATE {table(Flow)} AS flow
  SET state = '{FlowState.RUNNING}', wait_reason = '', fence = fence + 1, lease_owner = %(owner)s,
      lease_until = %(lease)s, holds_resource = resource_key <> ''
  FROM picked
  WHERE flow.id = picked.id AND (state = '{FlowState.READY}' AND not_before <= %(now)s
    OR state = '{FlowState.RUNNING}' AND lease_until < %(now)s)
  RETURNING {columns(Flow, of="flow")}, {DURABLY}
), served AS (
  UPDATE {table(Connection)} SET served_at = %(now)s
  WHERE id IN (SELECT connection_id FROM won)
)
SELECT EXISTS (SELECT 1 FROM seen) AND NOT EXISTS (SELECT 1 FROM company) AS missed,
       won.*, {columns(Connection, of="owner")}
FROM (VALUES (1)) AS always LEFT JOIN won ON TRUE
LEFT JOIN {table(Connection)} AS owner ON owner.id = won.connection_id
"""  # noqa: S608  only our own names stand in it


def _claim_at_once(connection_id: UUID, *, urgent: bool) -> Flow | None:
    for _try in range(MOST_TRIES):
        now = clock.now()
        [[missed, *row]] = execute(
            _CLAIM,
            {
                "connection": connection_id,
                "now": now,
                "cap": parameter(settings.FLOWS_PER_CONNECTION),
                "urgent": urgent,
                "lanes": [int(lane) for lane in Lane],
                "owner": _worker(),
                "lease": times.lease(now),
            },
        )
        if not missed:
            return _flow(row)
    return None


def _flow(row: list[Any]) -> Flow | None:
    if row[0] is None:
        return None
    flow = instance(Flow, row[: width(Flow)])
    flow.connection = instance(Connection, row[width(Flow) + 1 :])
    return flow


# On SQLite one process claims, and a transaction is alone from its beginning: what is counted
# holds until the flow is taken.
_TAKE = f"""
UPDATE {table(Flow)}
SET state = '{FlowState.RUNNING}', wait_reason = '', fence = fence + 1, lease_owner = %(owner)s,
    lease_until = %(lease)s, holds_resource = resource_key <> ''
WHERE id = (
  SELECT flow.id FROM {table(Flow)} AS flow
  WHERE flow.connection_id = %(connection)s AND {DUE} AND NOT {HELD}
    AND EXISTS (
      SELECT 1 FROM {table(Connection)}
      WHERE id = %(connection)s AND state = '{State.ACTIVE}'
        AND (blocked_until IS NULL OR blocked_until <= %(now)s))
    AND (flow.lane <= {Lane.REPAIR} OR NOT %(urgent)s)
    AND %(cap)s > (
      SELECT count(*) FROM {table(Flow)} AS busy
      WHERE busy.connection_id = %(connection)s AND busy.state = '{FlowState.RUNNING}'
        AND busy.lease_until >= %(now)s
        AND (busy.lane <= {Lane.REPAIR}) = (flow.lane <= {Lane.REPAIR}))
  ORDER BY flow.lane, flow.not_before, flow.id LIMIT 1)
RETURNING {columns(Flow)}
"""  # noqa: S608  only our own names stand in it
_SERVE = f"""
UPDATE {table(Connection)} SET served_at = %(now)s WHERE id = %(connection)s
RETURNING {columns(Connection)}
"""  # noqa: S608  only our own names stand in it


def _claim_in_turn(connection_id: UUID, *, urgent: bool) -> Flow | None:
    now = clock.now()
    given = {"connection": plain_parameter(connection_id), "now": plain_parameter(now)}
    with transaction.atomic():
        taken = execute_plainly(
            _TAKE,
            {
                **given,
                "cap": settings.FLOWS_PER_CONNECTION,
                "urgent": urgent,
                "owner": _worker(),
                "lease": plain_parameter(times.lease(now)),
            },
        )
        if not taken:
            return None
        flow = instance(Flow, taken[0])
        [served] = execute_plainly(_SERVE, given)
        flow.connection = instance(Connection, served)
        return flow


def _worker() -> str:
    return f"{socket.gethostname()}:{os.getpid()}:{threading.get_ident()}"[:80]
