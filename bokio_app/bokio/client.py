"""The two APIs of Bokio, each as one object with its resources."""

from functools import cached_property
from uuid import UUID

from bokio_app.bokio.accounts import ChartOfAccounts
from bokio_app.bokio.attachments import Attachments
from bokio_app.bokio.bank_payments import BankPayments
from bokio_app.bokio.company import CompanyInformation
from bokio_app.bokio.connections import Connections
from bokio_app.bokio.credit_notes import CreditNotes
from bokio_app.bokio.customers import Customers
from bokio_app.bokio.fiscal_years import FiscalYears
from bokio_app.bokio.http import Http
from bokio_app.bokio.invoices import Invoices
from bokio_app.bokio.items import Items
from bokio_app.bokio.journal_comments import JournalComments
from bokio_app.bokio.journal_entries import JournalEntries
from bokio_app.bokio.payments import Payments
from bokio_app.bokio.settlements import Settlements
from bokio_app.bokio.sie import Sie
from bokio_app.bokio.supplier_invoices import SupplierInvoices
from bokio_app.bokio.suppliers import Suppliers
from bokio_app.bokio.tags import TagGroups, Tags
from bokio_app.bokio.uploads import Uploads


class Bokio:
    """One company's books, under a token for that company. Every method makes its calls once."""

    def __init__(self, http: Http, company_id: UUID) -> None:
        self.company_id = company_id
        self._http = http
        self._base = f"companies/{company_id}/"

    def __repr__(self) -> str:
        return f"Bokio({self.company_id})"

    @cached_property
    def company(self) -> CompanyInformation:
        """The company itself."""
        return CompanyInformation(self._http, self._base)

    @cached_property
    def fiscal_years(self) -> FiscalYears:
        """Fiscal years."""
        return FiscalYears(self._http, self._base)

    @cached_property
    def accounts(self) -> ChartOfAccounts:
        """The chart of accounts."""
        return ChartOfAccounts(self._http, self._base)

    @cached_property
    def customers(self) -> Customers:
        """Customers."""
        return Customers(self._http, self._base)

    @cached_property
    def invoices(self) -> Invoices:
        """Invoices."""
        return Invoices(self._http, self._base)

    @cached_property
    def attachments(self) -> Attachments:
        """Files attached to invoices."""
        return Attachments(self._http, self._base)

    @cached_property
    def credit_notes(self) -> CreditNotes:
        """Credit notes."""
        return CreditNotes(self._http, self._base)

    @cached_property
    def items(self) -> Items:
        """Items to put on invoices."""
        return Items(self._http, self._base)

    @cached_property
    def payments(self) -> Payments:
        """Payments of invoices."""
        return Payments(self._http, self._base)

    @cached_property
    def settlements(self) -> Settlements:
        """Settlements of invoices."""
        return Settlements(self._http, self._base)

    @cached_property
    def uploads(self) -> Uploads:
        """Vouchers to connect to journal entries."""
        return Uploads(self._http, self._base)

    @cached_property
    def journal_entries(self) -> JournalEntries:
        """Journal entries."""
        return JournalEntries(self._http, self._base)

    @cached_property
    def journal_comments(self) -> JournalComments:
        """Comments on journal entries."""
        return JournalComments(self._http, self._base)

    @cached_property
    def tag_groups(self) -> TagGroups:
        """Tag groups, such as projects."""
        return TagGroups(self._http, self._base)

    @cached_property
    def tags(self) -> Tags:
        """Tags of a group."""
        return Tags(self._http, self._base)

    @cached_property
    def sie(self) -> Sie:
        """SIE files."""
        return Sie(self._http, self._base)

    @cached_property
    def suppliers(self) -> Suppliers:
        """Suppliers."""
        return Suppliers(self._http, self._base)

    @cached_property
    def supplier_invoices(self) -> SupplierInvoices:
        """Supplier invoices."""
        return SupplierInvoices(self._http, self._base)

    @cached_property
    def bank_payments(self) -> BankPayments:
        """Bank payments."""
        return BankPayments(self._http, self._base)


class GeneralApi:
    """What concerns the integration rather than a company, under a client-credentials token."""

    def __init__(self, http: Http) -> None:
        self._http = http

    @cached_property
    def connections(self) -> Connections:
        """Connections of all companies."""
        return Connections(self._http)
