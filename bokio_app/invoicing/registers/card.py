"""All that the page of one customer shows, in a fixed number of queries."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from django.db.models import Count, Q, Sum
from django.utils.functional import cached_property

from bokio_app.core import clock
from bokio_app.core.personal import without_last_four
from bokio_app.flows.explain import Explanation, explain_stop
from bokio_app.flows.models import Flow, FlowState
from bokio_app.invoicing.models import Customer, Invoice
from bokio_app.ledger.models import FiscalYear
from bokio_app.ledger.queries import fiscal_year_of

from . import history, services
from .twins import twins_of

MOVING = (FlowState.READY, FlowState.RUNNING, FlowState.PARKED)


class Stops:
    """What the flow that works on a customer or an item says to a person."""

    def __init__(self, stands: services.Standing | None) -> None:
        self.stands = stands

    @property
    def moving(self) -> Flow | None:
        return self.stands.flow if self.stands and self.stands.is_moving else None

    @property
    def stuck(self) -> services.Standing | None:
        return self.stands if self.stands and self.stands.is_stuck else None

    @property
    def told(self) -> Explanation | None:
        """Why the flow has stopped, and what that means."""
        if self.stuck is None or self.stuck.step is None:
            return None
        return explain_stop(self.stuck.flow, self.stuck.step)


class Card(Stops):
    """One customer with all that hangs on it."""

    def __init__(self, customer: Customer, *, before: str = "") -> None:
        self.connection = customer.connection
        super().__init__(services.standing_of(self.connection, services.customer_key(customer.pk)))
        self.reading = _reading(customer)
        # Read after its flows: of a flow that has ended by then, the row has all.
        self.customer = Customer.objects.filter(pk=customer.pk).first() or customer
        self.customer.connection = self.connection
        self.before = history.Mark.of(before)

    @property
    def seen_anew(self) -> bool:
        """A change was held up by somebody's in Bokio, and that one is read by now."""
        mark = self.customer.mark
        overtaken = bool(self.stuck and self.stuck.was_overtaken)
        return overtaken and bool(mark) and bool(self.stuck and self.stuck.seen != mark)

    @property
    def vat_number(self) -> str:
        """The VAT number for pages: a person's in part."""
        customer = self.customer
        return without_last_four(customer.vat_number, private=customer.is_person)

    @property
    def contacts(self) -> Sequence[services.Values]:
        return services.contacts_of(self.customer)

    @cached_property
    def sums(self) -> list[tuple[str, int, Decimal, Decimal, Decimal]]:
        """By currency: how many invoices, what they come to, what is open and what is overdue."""
        mine = Invoice.objects.filter(customer=self.customer).exclude(
            status__in=[Invoice.Status.GONE, Invoice.Status.DRAFT]
        )
        is_open = Q(open_amount__gt=0)
        late = is_open & Q(due_date__lt=clock.today())
        rows = (
            mine.order_by()
            .values_list("currency")
            .annotate(
                count=Count("*"),
                all=Sum("total", default=Decimal(0)),
                open=Sum("open_amount", filter=is_open, default=Decimal(0)),
                late=Sum("open_amount", filter=late, default=Decimal(0)),
            )
        )
        return sorted(rows, key=lambda row: (row[0] != "SEK", row[0]))

    @cached_property
    def twins(self) -> Sequence[Customer]:
        """Customers of the same company that are probably the same one."""
        return twins_of([self.customer]).get(self.customer.pk, ())

    @cached_property
    def _history(self) -> tuple[list[history.Entry], str]:
        return history.of_customer(self.customer, self.before)

    @property
    def entries(self) -> list[history.Entry]:
        return self._history[0]

    @property
    def older(self) -> str:
        """The mark of the history's next page."""
        return self._history[1]

    @cached_property
    def year(self) -> FiscalYear | None:
        return fiscal_year_of(self.connection, clock.today())

    @cached_property
    def has_invoices(self) -> bool:
        return services.has_invoices(self.customer)

    @property
    def may_change(self) -> bool:
        """Whether the form can be opened."""
        gone = self.customer.gone_at is not None
        free = self.stands is None or self.stands.is_correctable
        return not gone and free and not self.customer.hides_number

    @property
    def may_delete(self) -> bool:
        free = self.stands is None or self.stands.is_harmless
        return free and not self.has_invoices and self.customer.gone_at is None


def _reading(customer: Customer) -> Flow | None:
    """A reading of the customer that is under way."""
    mine = Flow.objects.filter(
        connection=customer.connection,
        business_key__startswith=f"{customer.pk}:",
        kind="read_customer",
        state__in=MOVING,
    )
    return mine.first()
