"""`request.tenant`: the workspace that the signed-in person works in."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.utils.functional import SimpleLazyObject

from .models import Tenant

SESSION_KEY = "tenant"


def find_tenant(request: HttpRequest) -> Tenant | None:
    """The tenant last chosen in this session, else the first the person is a member of."""
    if not request.user.is_authenticated:
        return None
    mine = Tenant.objects.filter(members__user=request.user).order_by("name", "pk")
    chosen = request.session.get(SESSION_KEY)
    return (mine.filter(pk=chosen).first() if chosen else None) or mine.first()


class TenantMiddleware:
    """Set `request.tenant`, looked up only when a page asks for it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.tenant = SimpleLazyObject(lambda: find_tenant(request))  # type: ignore[attr-defined]  # our own attribute
        return self.get_response(request)
