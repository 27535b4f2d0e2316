"""The stream of events that pages listen to."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator

from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from bokio_app.tenants.access import TenantRequest, member

from .hub import MOST_STREAMS, Stream, hub
from .visitors import Gone, Visitor, companies_of

HEARTBEAT = 15.0  # seconds; as often it is asked whether the member may still listen
LONGEST = 300.0  # seconds until the browser is to ask anew
RETRY = 2000  # milliseconds until it does


@member
@require_GET
@never_cache
def stream(request: TenantRequest) -> HttpResponseBase:
    """Tell which ids have moved, and nothing of what they are, until the browser goes.

    Without an event loop there is no stream, and pages ask by themselves (204).
    """
    if not isinstance(request, ASGIRequest):
        return HttpResponse(status=204)
    if hub.count(user=request.user.pk) >= MOST_STREAMS:
        return HttpResponse(status=429, headers={"Retry-After": "60"})
    visitor = Visitor(request.session.session_key or "", request.user.pk, request.tenant.pk)
    listener = Stream(
        tenant=visitor.tenant, user=visitor.user, companies=companies_of(request.tenant)
    )
    # A compressed stream would be held back until there is enough of it.
    request.META["HTTP_ACCEPT_ENCODING"] = ""
    return StreamingHttpResponse(
        events(visitor, listener),
        content_type="text/event-stream",
        headers={"X-Accel-Buffering": "no"},
    )


async def events(visitor: Visitor, listener: Stream) -> AsyncIterator[str]:
    """The stream's text. A word now and then shows both sides that the other is there."""
    began = checked = time.monotonic()
    try:
        # It also gives back the connection to the database that the page's own queries have left.
        listener.companies = await sync_to_async(visitor.companies)()
        await hub.join(listener)
        yield f"retry: {RETRY}\nevent: begun\ndata: {{}}\n\n"
        while not listener.is_over and time.monotonic() < began + LONGEST:
            moved = await listener.news(within=HEARTBEAT)
            if time.monotonic() >= checked + HEARTBEAT:
                checked = time.monotonic()
                listener.companies = await sync_to_async(visitor.companies)()
            if moved:
                yield f"event: moved\ndata: {json.dumps(moved.to_json())}\n\n"
            else:
                yield "event: still\ndata: {}\n\n"
    except Gone:
        yield "event: over\ndata: {}\n\n"
    finally:
        hub.leave(listener)
