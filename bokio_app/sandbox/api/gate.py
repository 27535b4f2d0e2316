"""From a call to its answer: route, faults, token, plan, rate, concurrency, scope, operation."""

import logging
import uuid
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import replace

from bokio_app.sandbox import clock, faults, refusals, store, switches
from bokio_app.sandbox.api.limits import rate_limiter, writes_in_flight
from bokio_app.sandbox.api.registry import Audience, Context, Route, find
from bokio_app.sandbox.calls import record
from bokio_app.sandbox.models import AccessToken, Company, Plan
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
    route = find(call.method, path)
    operation = route.operation.id if route else "unknown"
    entry = record.begin(operation, call.method, call.path)
    fault = faults.ordered.pick(operation, call)
    kind = faults.KINDS[fault.kind] if fault else faults.Kind()
    try:
        with ExitStack() as held:
            answer = kind.before(fault, call) if fault and kind.before else None
            if answer is None:
                answer = _process(call, route, held)
                entry.processed = True
                if fault and kind.after:
                    answer = kind.after(fault, call, answer)
    except faults.ClientGone:
        answer = Answer(0, ending=Ending.RESET)
    record.end(entry, None if answer.ending is Ending.RESET else answer.status)
    return answer


def _process(call: Call, route: Route | None, held: ExitStack) -> Answer:
    """Answer the call. What must last until the answer leaves is left in `held`."""
    headers: dict[str, str] = {}
    try:
        answer = _authorised(call, route, held, headers)
    except Refusal as refusal:
        answer = refusal.answer()
    except Exception:
        log.exception("The sandbox failed at %s %s", call.method, call.path)
        answer = Refusal(500, "internal-server-error", "An unexpected error occurred").answer()
    return replace(answer, headers={**answer.headers, **headers})


def _authorised(
    call: Call, route: Route | None, held: ExitStack, headers: dict[str, str]
) -> Answer:
    if route and route.operation.audience is Audience.OPEN:
        return _run(Context(call, route.params, clock.now()), route)
    token = authenticate(call.headers)
    if token is None:
        return _unauthorized()
    if route is None:
        raise refusals.not_found("path", call.path)
    context = Context(call, route.params, clock.now(), token)
    if route.operation.audience is Audience.COMPANY:
        context._company = _company_of(token, route.params["companyId"])  # noqa: SLF001
        if context.company.plan == Plan.BASIC:
            return refusals.plan_required()
    elif token.connection_id is not None:
        raise refusals.forbidden("The General API needs a token of the client itself")
    standing = rate_limiter.take(token.token_hash)
    if not standing.allowed:
        headers.update(standing.headers())
        raise Refusal(429, "rate-limit-exceeded", "Too many requests")
    if route.operation.writes:
        held.enter_context(writes_in_flight.hold(call.method, call.path))
    headers.update(standing.headers())
    if route.operation.scope and route.operation.scope not in token.scopes:
        raise refusals.forbidden(f"The scope {route.operation.scope} is missing")
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


def _company_of(token: AccessToken, given: str) -> Company:
    try:
        company_id = uuid.UUID(given)
    except ValueError:
        raise refusals.not_found("company", given) from None
    if token.connection is None or token.connection.company.uuid != company_id:
        raise refusals.forbidden("The token does not belong to this company")
    return token.connection.company


def _unauthorized() -> Answer:
    if not switches.current().unauthorized_body:
        return Answer(401, headers={"WWW-Authenticate": "Bearer"})
    refusal = Refusal(401, "unauthorized", "The access token is missing, unknown or expired")
    return refusal.answer()


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
