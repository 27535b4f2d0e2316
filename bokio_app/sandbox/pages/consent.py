"""Sign-in and consent: the part of OAuth that happens in the browser, on Bokio's side."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

from django.core import signing
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_GET, require_POST

from bokio_app.sandbox import oauth, store
from bokio_app.sandbox.models import Application, Company, Person
from bokio_app.sandbox.oauth import OAuthError
from bokio_app.sandbox.pages.context import SESSION_KEY, signed_in
from bokio_app.sandbox.pages.middleware import policy
from bokio_app.sandbox.pages.words import described

SALT = "sandbox.consent"
FORM_SECONDS = 3600
PARAMETERS = (
    "response_type",
    "client_id",
    "redirect_uri",
    "state",
    "scope",
    "bokio_tenantid",
    "bokio_tenanttype",
)


@dataclass(frozen=True)
class Wish:
    """A valid request for authorization."""

    application: Application
    redirect_uri: str
    state: str
    scopes: tuple[str, ...]
    company_id: uuid.UUID | None

    def answer(self, **result: str) -> HttpResponseRedirect:
        """Send the browser back with the result and the state."""
        joint = "&" if urlsplit(self.redirect_uri).query else "?"
        query = urlencode({**result, "state": self.state})
        return HttpResponseRedirect(f"{self.redirect_uri}{joint}{query}")


def read_wish(given: Mapping[str, str]) -> Wish:
    """Check the parameters. Raises `OAuthError`, which is never answered by a redirect."""
    application = oauth.public_application(given.get("client_id", ""))
    redirect_uri = given.get("redirect_uri", "")
    if redirect_uri not in application.redirect_uris:
        raise OAuthError("invalid_request", "redirect_uri is not registered")
    if given.get("response_type") != "code":
        raise OAuthError("unsupported_response_type", "response_type must be code")
    if not given.get("state"):
        raise OAuthError("invalid_request", "state is required")
    scopes = oauth.grantable(application, given.get("scope", ""))
    return Wish(application, redirect_uri, given["state"], scopes, _tenant(given))


def _tenant(given: Mapping[str, str]) -> uuid.UUID | None:
    if given.get("bokio_tenanttype", "company") != "company":
        raise OAuthError("invalid_request", "bokio_tenanttype must be company")
    tenant = given.get("bokio_tenantid", "")
    try:
        return uuid.UUID(tenant) if tenant else None
    except ValueError:
        raise OAuthError("invalid_request", "bokio_tenantid must be a UUID") from None


def _refused(refusal: OAuthError) -> JsonResponse:
    return JsonResponse(
        {"error": refusal.error, "error_description": refusal.description}, status=400
    )


@require_GET
def authorize(request: HttpRequest) -> HttpResponse:
    """`GET /v1/authorize`: sign in where needed, then ask for consent."""
    given = {name: request.GET[name] for name in PARAMETERS if name in request.GET}
    try:
        wish = read_wish(given)
    except OAuthError as refusal:
        return _refused(refusal)
    person = signed_in(request)
    if person is None:
        return sign_in_page(request, then=request.get_full_path(), wish=wish)
    return _consent_page(request, wish, given, person)


def _consent_page(
    request: HttpRequest, wish: Wish, given: Mapping[str, str], person: Person
) -> HttpResponse:
    companies = list(person.companies.order_by("name"))
    if wish.company_id:
        companies = [company for company in companies if company.uuid == wish.company_id]
    reads, changes = described(wish.scopes)
    context: dict[str, Any] = {
        "wish": wish,
        "companies": companies,
        "locked": wish.company_id is not None,
        "reads": reads,
        "changes": changes,
        "receiver": urlsplit(wish.redirect_uri).netloc,
        "request_token": signing.dumps(dict(given), salt=SALT),
        "connected": set(wish.application.connections.values_list("company__uuid", flat=True)),
    }
    response = render(request, "sandbox/consent.html", context)
    response.headers["Content-Security-Policy"] = policy(*_origins(wish.application))
    return response


def _origins(application: Application) -> list[str]:
    """Where a consent may lead. Chromium holds redirects after a form to `form-action` too."""
    parts = [urlsplit(uri) for uri in application.redirect_uris]
    return sorted({f"{part.scheme}://{part.netloc}" for part in parts})


@require_POST
def decide(request: HttpRequest) -> HttpResponse:
    """Allow or refuse. Either way the browser goes back to the application."""
    person = signed_in(request)
    try:
        given = signing.loads(request.POST["request"], salt=SALT, max_age=FORM_SECONDS)
        wish = read_wish(given)
    except (KeyError, signing.BadSignature):
        return _refused(OAuthError("invalid_request", "The consent form is too old"))
    except OAuthError as refusal:
        return _refused(refusal)
    if person is None:
        return redirect(f"/v1/authorize?{urlencode(given)}")
    if request.POST.get("decision") != "allow":
        return wish.answer(error="access_denied", error_description="The user refused")
    company = _chosen(person, wish, request.POST.get("company", ""))
    if company is None:
        return redirect(f"/v1/authorize?{urlencode(given)}")
    with store.write():
        code = oauth.allow(
            application=wish.application,
            company=company,
            person=person,
            scopes=wish.scopes,
            redirect_uri=wish.redirect_uri,
        )
    return wish.answer(code=code)


def _chosen(person: Person, wish: Wish, given: str) -> Company | None:
    """The company that was picked, if this person and this wish allow it."""
    try:
        company_id = uuid.UUID(given)
    except ValueError:
        return None
    if wish.company_id not in (None, company_id):
        return None
    return person.companies.filter(uuid=company_id).first()


def sign_in_page(request: HttpRequest, *, then: str, wish: Wish | None = None) -> HttpResponse:
    """Choose who to be. The sandbox has no passwords."""
    context = {
        "people": Person.objects.prefetch_related("companies").order_by("id"),
        "then": then,
        "wish": wish,
    }
    return render(request, "sandbox/sign_in.html", context)


@require_POST
def sign_in(request: HttpRequest) -> HttpResponse:
    given = request.POST.get("person", "")
    request.session[SESSION_KEY] = str(uuid.UUID(given)) if _is_person(given) else ""
    then = request.POST.get("then", "/")
    if not url_has_allowed_host_and_scheme(then, allowed_hosts={request.get_host()}):
        then = "/"
    return redirect(then)


def _is_person(given: str) -> bool:
    try:
        return Person.objects.filter(uuid=uuid.UUID(given)).exists()
    except ValueError:
        return False


@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    request.session.flush()
    return redirect("home")
