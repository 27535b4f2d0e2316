"""The control API under `/_sandbox/`: for tests, and for whoever plays Bokio.

JSON in and out, on loopback only. A browser cannot be talked into calling it: a request that
names an `Origin` is refused.
"""

import datetime as dt
import logging
import re
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.utils.dateparse import parse_datetime

from bokio_app.sandbox import clock, faults, invoicing, ledger, oauth, store, switches, wire
from bokio_app.sandbox.api import shapes
from bokio_app.sandbox.api.limits import rate_limiter
from bokio_app.sandbox.api.registry import all_operations
from bokio_app.sandbox.calls import record
from bokio_app.sandbox.models import (
    AccessToken,
    Application,
    Company,
    Connection,
    Invoice,
    Payment,
    Plan,
    Settlement,
)
from bokio_app.sandbox.refusals import Refusal
from bokio_app.sandbox.seed import seed
from bokio_app.sandbox.wire import Answer, Call, json_answer

log = logging.getLogger(__name__)
ROOT = "/_sandbox/"
LONGEST_WAIT = 60.0
# SQLite takes no longer list of related ids in one statement.
CHUNK = 500

Body = Mapping[str, Any]


@dataclass(frozen=True)
class Ask:
    """A control call: its JSON body, and the parts of the path that vary."""

    call: Call
    body: Body
    parts: tuple[str, ...]


Action = Callable[[Ask], object]


class Wrong(Exception):
    """400 with this message."""


class Missing(Exception):
    """404."""


def answer(call: Call) -> Answer:
    """Find the action for the path and answer it; every refusal is JSON with `error`."""
    if "origin" in call.headers:
        return json_answer({"error": "not for browsers"}, 403)
    path = call.path.removeprefix(ROOT)
    for method, pattern, action in _ROUTES:
        found = pattern.fullmatch(path)
        if method == call.method and found:
            return _act(action, call, found.groups())
    return json_answer({"error": f"There is no {call.method} {call.path}"}, 404)


def _act(action: Action, call: Call, parts: tuple[str, ...]) -> Answer:
    try:
        body = wire.loads(call.body) if call.body else {}
        if not isinstance(body, dict):
            raise Wrong("The body must be an object")
        return json_answer(action(Ask(call, body, parts)) or {"ok": True})
    except Missing:
        return json_answer({"error": "not found"}, 404)
    except Refusal as refusal:
        return refusal.answer()
    except (Wrong, ValueError, KeyError, TypeError) as wrong:
        return json_answer({"error": f"{type(wrong).__name__}: {wrong}"}, 400)
    except Exception:
        log.exception("The control API failed at %s %s", call.method, call.path)
        return json_answer({"error": "the sandbox failed; its log says more"}, 500)


def _reset(ask: Ask) -> object:
    """Forget everything and seed anew: `companies`, `history`, `seed`."""
    faults.ordered.clear()
    with store.write():
        seed.reset(
            companies=int(ask.body.get("companies", 3)),
            history=int(ask.body.get("history", 0)),
            number=int(ask.body.get("seed", seed.DEFAULT_NUMBER)),
        )
        clock.set_offset(dt.timedelta(0))
        switches.reset()
        store.save_state()
    rate_limiter.clear()
    record.clear()
    return _companies(ask)


def _clock(_: Ask) -> object:
    return {"now": shapes.moment(clock.now()), "today": clock.today().isoformat()}


def _move_clock(ask: Ask) -> object:
    """Move by `seconds` (added to where it is), or to `now`; both missing: back to real time."""
    if "now" in ask.body:
        moment = parse_datetime(str(ask.body["now"]))
        if moment is None or moment.tzinfo is None:
            raise Wrong("now must be a date and time with an offset")
        offset = moment - dt.datetime.now(dt.UTC)
    elif "seconds" in ask.body:
        offset = clock.offset() + dt.timedelta(seconds=float(ask.body["seconds"]))
    else:
        offset = dt.timedelta(0)
    with store.write():
        clock.set_offset(offset)
        store.save_state()
    return _clock(ask)


def _switches(_: Ask) -> object:
    return {"switches": vars(switches.current()), "changed": switches.changed()}


def _turn_switches(ask: Ask) -> object:
    values = {
        name: float(value) if isinstance(value, Decimal) else value
        for name, value in ask.body.items()
    }
    with store.write():
        switches.change(values)
        store.save_state()
    return _switches(ask)


def _faults(_: Ask) -> object:
    return {"faults": [fault.as_json() for fault in faults.ordered.all()]}


def _add_fault(ask: Ask) -> object:
    fault = faults.from_json(ask.body)
    known = {operation.id for operation in all_operations()} | {faults.ANY}
    if fault.operation not in known:
        raise Wrong(f"There is no operation {fault.operation!r}")
    return faults.ordered.add(fault).as_json()


def _clear_faults(_: Ask) -> object:
    faults.ordered.clear()
    return None


def _fault(ask: Ask) -> object:
    """The state of a fault. `?wait=seconds&for=held` waits for a held call, else for a hit."""
    fault = faults.ordered.get(ask.parts[0])
    if fault is None:
        raise Missing
    seconds = min(float(ask.call.query.get("wait", "0")), LONGEST_WAIT)
    if seconds > 0:
        held = ask.call.query.get("for") == "held"
        faults.ordered.wait(fault, held=held, seconds=seconds)
    return fault.as_json()


def _remove_fault(ask: Ask) -> object:
    faults.ordered.remove(ask.parts[0])
    return None


def _release(ask: Ask) -> object:
    fault = faults.ordered.get(ask.parts[0])
    if fault is None:
        raise Missing
    faults.ordered.release(fault.id)
    return fault.as_json()


def _calls(_: Ask) -> object:
    return record.as_json()


def _clear_calls(_: Ask) -> object:
    record.clear()
    return None


def _companies(_: Ask) -> object:
    rows = Company.objects.prefetch_related("people").order_by("id")
    return {
        "companies": [
            {
                "id": str(row.uuid),
                "name": row.name,
                "orgNumber": row.org_number,
                "people": [{"name": p.name, "email": p.email} for p in row.people.all()],
            }
            for row in rows
        ]
    }


def _company(company_id: str) -> Company:
    row = Company.objects.filter(uuid=uuid.UUID(company_id)).first()
    if row is None:
        raise Missing
    return row


def _change_company(ask: Ask) -> object:
    """Change `plan`, `integrationsAddon`, `automaticRecording`, `wholeKronaRounding`, or a year.

    `fiscalYears` is a map of starting year (such as `"2024"`) to `status` and `method`.
    """
    columns = {
        "integrationsAddon": "has_integrations_addon",
        "automaticRecording": "automatic_recording",
        "wholeKronaRounding": "whole_krona_rounding",
    }
    with store.write():
        row = _company(ask.parts[0])
        for name, column in columns.items():
            if name in ask.body:
                setattr(row, column, bool(ask.body[name]))
        row.plan = Plan(ask.body.get("plan", row.plan))
        row.save()
        for year, changes in dict(ask.body.get("fiscalYears", {})).items():
            known = {key: changes[key] for key in ("status", "method") if key in changes}
            row.fiscal_years.filter(start__year=int(year)).update(**known)
    return None


def _books(ask: Ask) -> object:
    """Everything in a company's books. Balances are debit less credit, as decimal strings."""
    company = _company(ask.parts[0])
    invoices = (
        company.invoices.select_related("customer", "entry", "company")
        .prefetch_related("credit_notes")
        .order_by("id")
    )
    theirs = {"invoice__company": company}
    payments = Payment.objects.filter(**theirs).select_related("invoice", "entry")
    settlements = Settlement.objects.filter(**theirs).select_related("invoice", "entry")
    entries = shapes.whole_entries(company.entries.order_by("id"))
    return {
        "invoices": [
            shapes.invoice(row) | {"outstanding": f"{row.outstanding:.2f}"}
            for row in invoices.iterator(CHUNK)
        ],
        "payments": [shapes.payment(row) for row in payments.order_by("id")],
        "settlements": [shapes.settlement(row) for row in settlements.order_by("id")],
        "customers": [shapes.customer(row) for row in company.customers.order_by("id")],
        "journalEntries": [shapes.journal_entry(row) for row in entries.iterator(CHUNK)],
        "balances": {
            str(account): f"{balance:.2f}" for account, balance in ledger.balances(company).items()
        },
    }


def _authorize(ask: Ask) -> object:
    """A code without a browser: `companyId`, `scopes`, and optionally `redirectUri`."""
    if not settings.SANDBOX_CLIENT_ID:
        raise Wrong("No application is registered")
    application = Application.objects.get(client_id=settings.SANDBOX_CLIENT_ID)
    redirect_uri = str(ask.body.get("redirectUri") or application.redirect_uris[0])
    with store.write():
        company = _company(str(ask.body["companyId"]))
        code = oauth.allow(
            application=application,
            company=company,
            person=company.people.first(),
            scopes=[str(scope) for scope in ask.body.get("scopes", oauth.SCOPES)],
            redirect_uri=redirect_uri,
        )
    return {
        "code": code,
        "clientId": str(application.client_id),
        "redirectUri": redirect_uri,
    }


def _revoke(ask: Ask) -> object:
    """End a connection, as a person does on Bokio's side."""
    with store.write():
        if not Connection.objects.filter(uuid=uuid.UUID(ask.parts[0])).delete()[0]:
            raise Missing
    return None


def _connections(_: Ask) -> object:
    rows = Connection.objects.select_related("company").order_by("id")
    return {"connections": [shapes.connection(row) | {"scopes": row.scopes} for row in rows]}


def _expire(ask: Ask) -> object:
    """Let access tokens expire now: those of `companyId`, or all."""
    rows = AccessToken.objects.all()
    if "companyId" in ask.body:
        rows = rows.filter(connection__company=_company(str(ask.body["companyId"])))
    with store.write():
        return {"expired": rows.update(expires_at=clock.now())}


def _invoice(parts: tuple[str, ...]) -> Invoice:
    rows = Invoice.objects.select_related("company", "customer", "entry")
    row = rows.filter(company=_company(parts[0]), uuid=uuid.UUID(parts[1])).first()
    if row is None:
        raise Missing
    return row


def _act_on_invoice(ask: Ask) -> object:
    """Publish, record or delete an invoice behind the application's back."""
    with store.write():
        row = _invoice(ask.parts)
        match ask.parts[2]:
            case "publish":
                invoicing.publish(row)
            case "record":
                invoicing.record_invoice(row)
            case _:
                invoicing.delete_draft(row)
                return None
    return shapes.invoice(row)


def _pay_invoice(ask: Ask) -> object:
    """Register a payment behind the application's back: `amount`, `date`, `account`."""
    with store.write():
        payment = invoicing.pay(
            _invoice(ask.parts),
            day=dt.date.fromisoformat(str(ask.body.get("date", clock.today()))),
            amount=Decimal(str(ask.body["amount"])),
            account=int(ask.body.get("account", 1930)),
        )
    return shapes.payment(payment)


def _about(_: Ask) -> object:
    return {
        "operations": sorted(operation.id for operation in all_operations()),
        "faults": sorted(faults.KINDS),
        "timeFactor": str(settings.TIME_FACTOR),
    }


_UUID = "([0-9a-fA-F-]{36})"
_ROUTES: list[tuple[str, re.Pattern[str], Action]] = [
    (method, re.compile(pattern), action)
    for method, pattern, action in (
        ("GET", "", _about),
        ("POST", "reset", _reset),
        ("GET", "clock", _clock),
        ("POST", "clock", _move_clock),
        ("GET", "switches", _switches),
        ("POST", "switches", _turn_switches),
        ("GET", "faults", _faults),
        ("POST", "faults", _add_fault),
        ("DELETE", "faults", _clear_faults),
        ("GET", "faults/([0-9a-f]+)", _fault),
        ("DELETE", "faults/([0-9a-f]+)", _remove_fault),
        ("POST", "faults/([0-9a-f]+)/release", _release),
        ("GET", "calls", _calls),
        ("DELETE", "calls", _clear_calls),
        ("GET", "companies", _companies),
        ("POST", f"companies/{_UUID}", _change_company),
        ("GET", f"books/{_UUID}", _books),
        ("POST", "authorize", _authorize),
        ("GET", "connections", _connections),
        ("POST", f"connections/{_UUID}/revoke", _revoke),
        ("POST", "tokens/expire", _expire),
        (
            "POST",
            f"companies/{_UUID}/invoices/{_UUID}/(publish|record|delete)",
            _act_on_invoice,
        ),
        ("POST", f"companies/{_UUID}/invoices/{_UUID}/payments", _pay_invoice),
    )
]
