"""Serving documents, to be shown within our own pages or saved."""

from __future__ import annotations

import uuid

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_safe

from bokio_app.tenants.access import TenantRequest, member

from .headers import within_our_pages
from .services import PDF


@require_safe
@within_our_pages
@member
def show(request: TenantRequest, document_id: uuid.UUID) -> HttpResponseBase:
    """The file; what is no PDF, or is asked for with `?save`, is saved and not shown."""
    found = get_object_or_404(request.tenant.documents, pk=document_id)
    saved = found.content_type != PDF or "save" in request.GET
    answer = HttpResponse(bytes(found.content), content_type=found.content_type)
    disposition = content_disposition_header(saved, found.name)
    answer["Content-Disposition"] = disposition or "attachment"
    return answer
