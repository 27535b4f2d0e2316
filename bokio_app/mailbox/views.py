"""The mailbox of a development installation: everybody who reaches it reads everything."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from .models import Mail

PAGE = 50


@require_safe
@never_cache
def list_(request: HttpRequest) -> HttpResponse:
    """The latest mails, newest first."""
    return render(request, "mailbox/list.html", {"mails": Mail.objects.defer("body")[:PAGE]})


@require_safe
@never_cache
def detail(request: HttpRequest, mail_id: UUID) -> HttpResponse:
    """One mail as it would have been sent."""
    return render(request, "mailbox/detail.html", {"mail": get_object_or_404(Mail, pk=mail_id)})
