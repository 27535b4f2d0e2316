"""Companies and their books: to read, and to change behind the application's back."""

import datetime as dt
import uuid
from decimal import Decimal
from typing import Any

from bokio_app.sandbox import clock, invoicing, ledger, registration, store
from bokio_app.sandbox.api import credit_notes, items, receipts, shapes
from bokio_app.sandbox.control.asking import UUID, Ask, Missing, Routes, Wrong, company
from bokio_app.sandbox.models import Company, Invoice, Payment, Person, Plan, Settlement

# SQLite takes no longer list of related ids in one statement.
CHUNK = 500
SETTLEMENT_KINDS = (*receipts.WRITABLE_TYPES, "badDebt", "balanceAdjustment")


def companies() -> dict[str, Any]:
    """Every company, with the people who work there."""
    rows = Company.objects.prefetch_related("people").order_by("id")
    return {
        "companies": [
            {
                "id": str(row.uuid),
                "name": row.name,
                "orgNumber": row.org_number,
                "plan": row.plan,
                "people": [{"name": p.name, "email": p.email} for p in row.people.all()],
            }
            for row in rows
        ]
    }


def _companies(_: Ask) -> object:
    return companies()


def _new_company(ask: Ask) -> object:
    """Make a company called `name`.

    Optional: `orgNumber`, `companyType`, `plan`, `integrationsAddon`, `method`, `firstYear`,
    `automaticRecording`, `wholeKronaRounding`, `hasBankAccount`, `people` (ids).
    """
    body = ask.body
    with store.write():
        row = registration.new_company(
            name=str(body["name"]),
            org_number=ask.text("orgNumber"),
            company_type=ask.text("companyType") or "limitedCompany",
            plan=ask.text("plan") or Plan.PLUS.value,
            integrations_addon=ask.flag("integrationsAddon"),
            method=ask.text("method") or "accrual",
            first_year=int(body["firstYear"]) if "firstYear" in body else None,
            automatic_recording=ask.flag("automaticRecording"),
            whole_krona_rounding=ask.flag("wholeKronaRounding"),
            has_bank_account=ask.flag("hasBankAccount"),
            people=list(Person.objects.filter(uuid__in=ask.texts("people"))),
        )
    return {"id": str(row.uuid), "name": row.name, "orgNumber": row.org_number}


def _change_company(ask: Ask) -> object:
    """Change `plan`, `integrationsAddon`, `automaticRecording`, `wholeKronaRounding`, or a year.

    `fiscalYears` is a map of starting year (such as `"2024"`) to `status` and `method`.
    `paymentAccounts` are the numbers of all accounts that shall receive payments.
    """
    columns = {
        "integrationsAddon": "has_integrations_addon",
        "automaticRecording": "automatic_recording",
        "wholeKronaRounding": "whole_krona_rounding",
    }
    with store.write():
        row = company(ask.parts[0])
        for name, column in columns.items():
            if name in ask.body:
                setattr(row, column, bool(ask.body[name]))
        row.plan = Plan(ask.body.get("plan", row.plan))
        row.save()
        for year, changes in dict(ask.body.get("fiscalYears", {})).items():
            known = {key: changes[key] for key in ("status", "method") if key in changes}
            row.fiscal_years.filter(start__year=int(year)).update(**known)
        if "paymentAccounts" in ask.body:
            numbers = [int(number) for number in ask.body["paymentAccounts"]]
            row.accounts.update(receives_payments=False)
            row.accounts.filter(number__in=numbers).update(receives_payments=True)
    return None


def _books(ask: Ask) -> object:
    """Everything in a company's books. Balances are debit less credit, as decimal strings."""
    owner = company(ask.parts[0])
    invoices = owner.invoices.select_related("customer", "entry", "company").order_by("id")
    notes = owner.credit_notes.select_related("invoice__customer", "entry")
    theirs = {"invoice__company": owner}
    payments = Payment.objects.filter(**theirs).select_related("invoice", "entry")
    settlements = Settlement.objects.filter(**theirs).select_related("invoice", "entry")
    entries = shapes.whole_entries(owner.entries.order_by("id"))
    return {
        "invoices": [
            shapes.invoice(row) | {"outstanding": f"{row.outstanding:.2f}"}
            for row in invoices.iterator(CHUNK)
        ],
        "payments": [shapes.payment(row) for row in payments.order_by("id")],
        "settlements": [shapes.settlement(row) for row in settlements.order_by("id")],
        "creditNotes": [credit_notes.as_json(row) for row in notes.order_by("id")],
        "customers": [shapes.customer(row) for row in owner.customers.order_by("id")],
        "items": [items.as_json(row) for row in owner.items.order_by("id")],
        "journalEntries": [shapes.journal_entry(row) for row in entries.iterator(CHUNK)],
        "balances": {
            str(account): f"{balance:.2f}" for account, balance in ledger.balances(owner).items()
        },
    }


def _invoice(parts: tuple[str, ...]) -> Invoice:
    rows = Invoice.objects.select_related("company", "customer", "entry")
    row = rows.filter(company=company(parts[0]), uuid=uuid.UUID(parts[1])).first()
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


def _amount(ask: Ask) -> Decimal:
    """The `amount` in SEK, with two decimals at most. Raises `Wrong`."""
    amount = Decimal(str(ask.body["amount"]))
    if not amount.is_finite() or not amount or amount != round(amount, 2):
        raise Wrong("amount must be a sum of money, with two decimals at most")
    return amount


def _pay_invoice(ask: Ask) -> object:
    """Register a payment behind the application's back: `amount`, `date`, `account`."""
    with store.write():
        payment = invoicing.pay(
            _invoice(ask.parts),
            day=dt.date.fromisoformat(str(ask.body.get("date", clock.today()))),
            amount=_amount(ask),
            account=int(ask.body.get("account", 1930)),
        )
    return shapes.payment(payment)


def _settle_invoice(ask: Ask) -> object:
    """Register a settlement behind the application's back: `type`, `amount`, `date`."""
    kind, scheme = str(ask.body["type"]), ask.text("vatScheme")
    if kind not in SETTLEMENT_KINDS:
        raise Wrong(f"type must be one of {', '.join(SETTLEMENT_KINDS)}")
    if (scheme in receipts.VAT_SCHEMES) is not (kind == "paymentServiceFee"):
        raise Wrong("vatScheme is for a paymentServiceFee, which needs it")
    with store.write():
        settlement = invoicing.settle(
            _invoice(ask.parts),
            kind=kind,
            day=dt.date.fromisoformat(str(ask.body.get("date", clock.today()))),
            amount=_amount(ask),
            vat_scheme=scheme,
        )
    return shapes.settlement(settlement)


ROUTES: Routes = (
    ("GET", "companies", _companies),
    ("POST", "companies", _new_company),
    ("POST", f"companies/{UUID}", _change_company),
    ("GET", f"books/{UUID}", _books),
    ("POST", f"companies/{UUID}/invoices/{UUID}/(publish|record|delete)", _act_on_invoice),
    ("POST", f"companies/{UUID}/invoices/{UUID}/payments", _pay_invoice),
    ("POST", f"companies/{UUID}/invoices/{UUID}/settlements", _settle_invoice),
)
