"""Where one can go inside a company's books, in the order of the menu."""

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True)
class Entry:
    """`name` is the address's name, and what a page calls itself in `section`."""

    name: str
    label: str | Promise


@dataclass(frozen=True)
class Group:
    label: str | Promise
    entries: tuple[Entry, ...]

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(entry.name for entry in self.entries)


COMPANY = (
    Group("", (Entry("company", _("Overview")),)),
    Group(
        _("Sales"),
        (
            Entry("invoices", _("Invoices")),
            Entry("credit-notes", _("Credit notes")),
            Entry("customers", _("Customers")),
            Entry("items", _("Items")),
        ),
    ),
    Group(
        _("Bookkeeping"),
        (
            Entry("entries", _("Journal entries")),
            Entry("balances", _("Balances")),
            Entry("years", _("Fiscal years")),
            Entry("uploads", _("Uploads")),
            Entry("tags", _("Tags")),
        ),
    ),
    Group(
        _("Purchases"),
        (
            Entry("suppliers", _("Suppliers")),
            Entry("supplier-invoices", _("Supplier invoices")),
            Entry("bank-payments", _("Bank payments")),
        ),
    ),
    Group(
        _("The company"),
        (
            Entry("integrations", _("Integrations")),
            Entry("settings", _("Settings")),
        ),
    ),
)

AREAS = (
    Group(
        _("Companies"),
        (Entry("home", _("Companies")), Entry("people", _("People"))),
    ),
    Group(
        _("Developer portal"),
        (Entry("applications", _("Applications")), Entry("connections", _("Connections"))),
    ),
    Group(
        _("Faults"),
        (
            Entry("faults", _("Faults")),
            Entry("switches", _("Switches")),
            Entry("clock", _("Clock")),
            Entry("calls", _("Calls")),
        ),
    ),
)
"""The areas of the sandbox; `here` of a page is the name of one of their entries."""
