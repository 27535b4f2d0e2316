"""From a call to its answer: route, faults, token, plan, quota, rate, concurrency, scope, work."""

import logging
import time
import uuid
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, replace

from django.conf import settings

from bokio_app.sandbox import clock, faults, plans, refusals, store, switches
from bokio_app.sandbox.api.limits import rate_limiter, writes_in_flight
from bokio_app.sandbox.api.quotas import meter
from bokio_app.sandbox.api.registry import Audience, Context, Route, find, methods_of
from bokio_app.sandbox.calls import record
from bokio_app.sandbox.models import AccessToken, Company, Connection
from bokio_app.sandbox.oauth import bearer_digest
from bokio_app.sandbox.refusals import Refusal
from bokio_app.sandbox.wire import Answer, Call, Ending, json_answer

log = logging.getLogger(__name__)
ROOT = "/v1"


def exchange(call: Call) -> Answer:
    """Handle the call; all that is left to do is to send the answer.

    The address of a write is free again just before its answer leaves. Later would be too late:
    a client that has read the last byte may send its next write at once.
    """
    path = call.path.removeprefix(ROOT)
    route = find("GET" if call.method == "HEAD" else call.method, path)
    operation = route.operation.id if route else "unknown"
    entry = record.begin(operation, call.method, call.path)
    fault = faults.ordered.pick(operation, call)
    kind = faults.KINDS[fault.kind] if fault else faults.Kind()
    if latency := switches.current().latency_seconds:
        time.sleep(latency * settings.TIME_FACTOR)
    try:
        with ExitStack() as held:
            answer = kind.before(fault, call) if fault and kind.before else None
            if answer is None:
                answer = _process(_Passage(call, route, held))
                entry.processed = True
                if fault and kind.after:
                    answer = kind.after(fault, call, answer)
    except faults.ClientGone:
        answer = Answer(0, ending=Ending.RESET)
    record.end(entry, None if answer.ending is Ending.RESET else answer.status)
    return answer


@dataclass
class _Passage:
    """A call on its way through the checks.

    `held` is left when the answer leaves; `headers` are added to it. `metered` is the connection
    whose calls are counted, once the call has come as far as the quotas.
    """

    call: Call
    route: Route | None
    held: ExitStack
    headers: dict[str, str] = field(default_factory=dict)
    metered: Connection | None = None


def _process(passage: _Passage) -> Answer:
    """Answer the call, whatever happens on the way."""
    call = passage.call
    try:
        answer = _authorised(passage)
    except Refusal as refusal:
        answer = refusal.answer()
    except Exception:
        log.exception("The sandbox failed at %s %s", call.method, call.path)
        answer = Refusal(500, "internal-server-error", "An unexpected error occurred").answer()
    if passage.metered:
        meter.count(passage.metered, failed=answer.status >= 400)
    if call.query and answer.status < 400:
        record.unknown_parameters(call.query.ignored())
    values = switches.current()
    if values.supported_versions:
        passage.headers["Bokio-Api-Supported-Versions"] = values.supported_versions
    if values.deprecated_versions:
        passage.headers["Bokio-Api-Deprecated-Versions"] = values.deprecated_versions
    return replace(answer, headers={**answer.headers, **passage.headers})


def _authorised(passage: _Passage) -> Answer:
    call, route = passage.call, passage.route
    values = switches.current()
    if values.brownout != "off" and (values.brownout == "always" or clock.now().hour % 2):
        raise Refusal(
            values.brownout_status, "version_sunset_brownout", "This version is being retired"
        )
    if route and route.operation.audience is Audience.OPEN:
        return _run(Context(call, route.params, clock.now()), route)
    token = authenticate(call.headers)
    if token is None:
        return _unauthorized()
    if route is None:
        raise _no_route(call)
    context = Context(call, route.params, clock.now(), token)
    if route.operation.audience is Audience.COMPANY:
        context._company = _company_of(token, route.params["companyId"])  # noqa: SLF001
    elif token.connection is not None:
        raise refusals.forbidden("The General API needs a token of the client itself")
    for check in _CHECKS:
        if answer := check(passage, context, token, route):
            return answer
    return _run(context, route)


def authenticate(headers: Mapping[str, str]) -> AccessToken | None:
    """The living token of the `Authorization` header, or None."""
    token_hash = bearer_digest(headers)
    token = _tokens.find(token_hash) if token_hash else None
    if token is None or (token.expires_at is not None and token.expires_at <= clock.now()):
        return None
    return token


class _Tokens:
    """Tokens with application and company, kept until a write may have changed one of them."""

    def __init__(self) -> None:
        self._found: dict[str, AccessToken] = {}
        self._generation = -1

    def find(self, token_hash: str) -> AccessToken | None:
        generation = store.Generation.value
        if generation != self._generation:
            self._found, self._generation = {}, generation
        found = self._found
        if token_hash not in found:
            rows = AccessToken.objects.select_related("application", "connection__company")
            token = rows.filter(token_hash=token_hash).first()
            if token is None:
                return None
            found[token_hash] = token
        return found.get(token_hash)


_tokens = _Tokens()


def _no_route(call: Call) -> Refusal:
    """404 for an address that does not exist, 405 for one that knows other methods."""
    if known := methods_of(call.path.removeprefix(ROOT)):
        headers = {"Allow": ", ".join(sorted(known))}
        return Refusal(405, "method-not-allowed", "The method does not fit", headers=headers)
    return refusals.not_found("path", call.path)


def _company_of(token: AccessToken, given: str) -> Company:
    try:
        company_id = uuid.UUID(given)
    except ValueError:
        raise refusals.not_found("company", given) from None
    if token.connection is None or token.connection.company.uuid != company_id:
        raise refusals.forbidden("The token does not belong to this company")
    return token.connection.company


def _unauthorized() -> Answer:
    challenge = {"WWW-Authenticate": "Bearer"}
    if not switches.current().unauthorized_body:
        return Answer(401, headers=challenge)
    message = "The access token is missing, unknown or expired"
    return Refusal(401, "unauthorized", message, headers=challenge).answer()


def _check_plan(
    _passage: _Passage, context: Context, token: AccessToken, route: Route
) -> Answer | None:
    if route.operation.audience is not Audience.COMPANY:
        return None
    private = token.application.private_to_id is not None
    wanted = [plans.PRIVATE_API if private else plans.PUBLIC_API]
    if route.operation.is_about_tags:
        wanted.append(plans.TAGS)
    lacking = [feature for feature in wanted if not feature.open_to(context.company)]
    return lacking[0].refused(context.company) if lacking else None


def _check_quota(passage: _Passage, _context: Context, token: AccessToken, _route: Route) -> None:
    if connection := token.connection:
        meter.check(connection)
        passage.metered = connection


def _check_rate(passage: _Passage, _context: Context, token: AccessToken, _route: Route) -> None:
    standing = rate_limiter.take(token.token_hash)
    passage.headers.update(standing.headers())
    if not standing.allowed:
        raise Refusal(429, "rate-limit-exceeded", "Too many requests")


def _check_concurrency(
    passage: _Passage, _context: Context, _token: AccessToken, route: Route
) -> None:
    """A clash is answered without the headers of the rate limit."""
    if not route.operation.writes:
        return
    try:
        passage.held.enter_context(writes_in_flight.hold(passage.call.method, route.path))
    except Refusal:
        passage.headers.clear()
        raise


def _check_scope(_passage: _Passage, _context: Context, token: AccessToken, route: Route) -> None:
    if route.operation.scope and route.operation.scope not in token.scopes:
        raise refusals.forbidden(f"The scope {route.operation.scope} is missing")


Check = Callable[[_Passage, Context, AccessToken, Route], Answer | None]
_BY_NAME: dict[str, Check] = {
    "plan": _check_plan,
    "quota": _check_quota,
    "rate": _check_rate,
    "concurrency": _check_concurrency,
    "scope": _check_scope,
}
_CHECKS = tuple(_BY_NAME[name] for name in switches.CHECK_ORDER)


def _run(context: Context, route: Route) -> Answer:
    operation = route.operation
    if operation.writes:
        changes_access = operation.audience is not Audience.COMPANY
        with store.write(changes_access=changes_access):
            result = operation.handle(context)
    else:
        result = operation.handle(context)
    if isinstance(result, Answer):
        return result
    if result is None:
        return Answer(204)
    return json_answer(result, switches.current().create_status if operation.creates else 200)
