"""Every decision about Bokio's behaviour that no public source settles, under a name of its own.

The defaults are our best reading. A test turns a switch to see that the product copes with the
other reading too, and the day the real service is seen, the default is corrected here.
"""

import dataclasses
from dataclasses import dataclass, fields
from typing import Any, Literal, get_args, get_origin, get_type_hints

API_VERSION = "1"
CODE_MINUTES = 5
ACCESS_TOKEN_SECONDS = 3600
RATE_WINDOW_SECONDS = 60
LARGEST_PAGE = 100
CHECK_ORDER = ("plan", "quota", "rate", "concurrency", "scope")
"""What is looked at between a valid token and the body. A brownout comes before all."""
TAGS_PLANS, TAGS_ADDON_PLANS = ("plus", "business"), ("premium",)
"""Plans with the Tags feature, or able to add it: as the published example of a refusal has it."""
FIRST_PAYMENT_TERMS_DAYS = 30
BUSINESS_DAYS_AHEAD = 2  # of a journal entry; Monday to Friday, public holidays included
FIRST_FREE_DIMENSION = 20  # the number of a tag group that names none: this one or the next free
FOREIGN_CURRENCY_RATE = 10  # SEK per unit of any other currency on supplier invoices
BASE_CURRENCY = "SEK"

DISCOUNT_ACCOUNT = 3730
RECEIVABLES = 1510
TAX_AGENCY_RECEIVABLES = 1513
BANK_FEE_ACCOUNT = 6570
CURRENCY_LOSS_ACCOUNT = 7960
CURRENCY_GAIN_ACCOUNT = 3960
BAD_DEBT_ACCOUNT = 6351
ROUNDING_ACCOUNT = 3740
CONSTRUCTION_ACCOUNT = 3231
REVERSE_VAT_DEBIT = 2645
REVERSE_VAT_CREDIT = 2614
RETAINED_EARNINGS = 2091
SERVICE_FEE_ACCOUNTS = {"domestic": 6040, "eu": 4535, "nonEu": 4531, "vatExempt": 6590}


@dataclass(frozen=True)
class Switches:
    """One field per undocumented behaviour."""

    refresh_rotates: bool = True
    """A refresh token works once and is replaced."""
    refresh_accepts_previous_once: bool = False
    """A spent refresh token is accepted one more time, as after a lost answer."""
    rate_limit: int = 200
    """Calls per bearer token and rolling 60 s."""
    private_monthly_calls: int = 5000
    """Calls of a company's private integrations in a calendar month."""
    failed_calls_per_day: int = 0
    """Calls of a connection that may fail in a day; 0 sets no limit, as none is published."""
    retry_after_form: Literal["seconds", "date"] = "seconds"
    """`Retry-After` of a used-up quota is a number of seconds, or an HTTP date."""
    latency_seconds: float = 0.0
    """Every call waits so long (times `TIME_FACTOR`) before it is handled."""
    brownout: Literal["off", "always", "odd-hours"] = "off"
    """Refuse every call, or those in odd hours (UTC), as before the end of a version."""
    brownout_status: Literal[410, 426] = 410
    """The status of a call that a brownout refuses."""
    supported_versions: str = ""
    """Sent as `Bokio-Api-Supported-Versions`; empty sends none."""
    deprecated_versions: str = ""
    """Sent as `Bokio-Api-Deprecated-Versions`; empty sends none."""
    no_scope_means_all: bool = True
    """Consent asked for without `scope` gives all scopes the application may have, else none."""
    general_token_names_nobody: bool = False
    """A general token comes with empty `tenant_id` and `connection_id`, instead of without."""
    concurrent_write_status: Literal[429, 409, 500] = 429
    """The status of a write to an address where another write is under way."""
    concurrent_write_code: str = "concurrent-write"
    """The `code` in the body of that refusal."""
    unauthorized_body: bool = True
    """A 401 of the API has a body."""
    company_information_wrapped: bool = False
    """Company information comes inside `companyInformation`."""
    fiscal_year_wrapped: bool = True
    """One fiscal year comes inside `fiscalYear`."""
    create_status: Literal[200, 201] = 200
    """The status of an answer to a call that made something."""
    delete_recorded: bool = False
    """A recorded payment or settlement may be deleted, which reverses its entry."""
    publish_needs_address: bool = True
    """An invoice can be published only to a customer with an address."""
    publish_needs_payment_account: bool = True
    """An invoice is published only by a company with an account that can receive its payment."""
    credit_notes_among_invoices: bool = True
    """Published credit notes are also rows of the list of invoices, with status `credit`."""
    credit_notes_copy_metadata: bool = True
    """A new credit note has the metadata of its invoice."""
    drafts_take_payments: bool = False
    """Payments and settlements can be registered before the invoice is published."""
    unrecorded_counts: bool = True
    """Payments and settlements change what is open, and the status, before they are recorded.

    Turn it before the first of them is registered.
    """
    paid_amount_in_sek: bool = False
    """`paidAmount` of an invoice in another currency is SEK, as payments are."""
    cash_invoice_record_refused: bool = True
    """Recording an invoice of a cash-method year is refused; else it succeeds without an entry."""
    large_pages_refused: bool = True
    """A page size above 100 is refused; else a page of 100 is given."""
    personal_numbers_fully_masked: bool = False
    """Other integrations see `YYYYMMDD-XXXX` itself, not a birth date with four digits hidden."""
    newest_first: bool = False
    """Lists begin with what was made last."""
    longest_comment: int = 2000
    """Characters of a comment on a journal entry. Bokio has a limit and does not publish it."""
    reversal_keeps_tags: bool = True
    """The entry that reverses another one carries the same tags."""
    largest_upload_bytes: int = 0
    """The largest upload; 0 sets no limit, as none is published."""
    check_digits: bool = False
    """Giro and OCR numbers and IBANs need a right check digit; the published examples lack it."""
    bank_payment_needs_account: bool = False
    """Only a company with a Bokio business account can order bank payments."""
    past_bank_payments: bool = True
    """A bank payment may be ordered for a day that has passed."""
    metadata_lag_seconds: float = 0.0
    """A new invoice is invisible to the metadata filter for so long (times `TIME_FACTOR`)."""


class _Current:
    values = Switches()


def current() -> Switches:
    return _Current.values


def changed() -> dict[str, Any]:
    """The switches that differ from their defaults."""
    standard = Switches()
    return {
        field.name: getattr(current(), field.name)
        for field in fields(Switches)
        if getattr(current(), field.name) != getattr(standard, field.name)
    }


def change(values: dict[str, Any]) -> Switches:
    """Turn some switches.

    Raises `ValueError` for an unknown name, or a value of another type or below zero.
    """
    known = get_type_hints(Switches)
    for name, value in values.items():
        if name not in known:
            raise ValueError(f"There is no switch {name!r}")
        if not _fits(value, known[name]):
            raise ValueError(f"{value!r} does not fit the switch {name!r}")
    _Current.values = dataclasses.replace(current(), **values)
    return _Current.values


def _fits(value: object, wanted: Any) -> bool:
    if get_origin(wanted) is Literal:
        return value in get_args(wanted) and not isinstance(value, bool)
    if wanted is float:
        return isinstance(value, int | float) and not isinstance(value, bool) and value >= 0
    return type(value) is wanted and (not isinstance(value, int) or value >= 0)


def reset() -> None:
    _Current.values = Switches()
