"""`request.tenant`: the workspace that the signed-in person works in."""

from collections.abc import Callable

from django.db.models import Count, F, Q
from django.http import HttpRequest, HttpResponse
from django.utils.functional import SimpleLazyObject

from .models import Member, Tenant

SESSION_KEY = "tenant"


def find_tenant(request: HttpRequest) -> Tenant | None:
    """The tenant last chosen in this session, else the first open one that the person is a member
    of, as far as they may see it.
    """
    if not request.user.is_authenticated:
        return None
    unseen = Q(user__notices__tenant=F("tenant"), user__notices__seen_at=None)
    mine = Member.objects.filter(user=request.user).select_related("tenant", "user")
    mine = mine.annotate(unseen=Count("user__notices", filter=unseen))
    mine = mine.order_by(F("tenant__closed_at").asc(nulls_first=True), "tenant__name", "tenant")
    chosen = request.session.get(SESSION_KEY)
    member = (mine.filter(tenant=chosen).first() if chosen else None) or mine.first()
    if member is None:
        return None
    member.unseen_notices = vars(member)["unseen"]
    member.tenant.seen_by = member
    return member.tenant


def work_in(request: HttpRequest, tenant: Tenant) -> None:
    """Choose the workspace for the rest of the session; for members of it alone."""
    request.session[SESSION_KEY] = tenant.pk


class TenantMiddleware:
    """Set `request.tenant`, looked up only when a page asks for it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.tenant = SimpleLazyObject(lambda: find_tenant(request))  # type: ignore[attr-defined]  # our own attribute
        return self.get_response(request)
