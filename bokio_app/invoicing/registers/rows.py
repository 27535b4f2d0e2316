"""What our rows of customers and items hold beyond what invoices need of them."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _

from bokio_app.flows.listing.rows import Copied

MOST_CONTACTS = 3  # of a customer, as many as Bokio keeps

CUSTOMER_INDEXES = [
    models.Index(fields=["connection", "name"], name="customer_name"),
    models.Index(fields=["tenant", "name", "id"], name="customer_by_name"),
    models.Index(fields=["connection", "org_number"], name="customer_number"),
    models.Index(fields=["connection", "postal_code"], name="customer_postal_code"),
]
ITEM_INDEXES = [models.Index(fields=["tenant", "description", "id"], name="item_by_text")]


class Marked(Copied):
    """A row that remembers what Bokio had as a whole, so that a change is never sent over one
    that nobody here has seen.
    """

    mark = models.CharField(
        max_length=32,
        blank=True,
        default="",
        db_default="",
        help_text="fingerprint of what Bokio had; empty until it is read as a whole",
    )

    class Meta:
        abstract = True


class KeptCustomer(Marked):
    """A customer with all that must go back to Bokio when it is replaced as a whole.

    `more` has the parts that `drafts.customer_draft` knows: `contacts`, `language`,
    `customer_number`, `construction_reverse_charge`, `subdivision`, `extra`; and `hides`, true
    where Bokio has a person's number, which is not kept here.
    """

    more = models.JSONField(_("more"), default=dict, db_default={}, blank=True)

    class Meta:
        abstract = True

    @property
    def contacts(self) -> list[dict[str, Any]]:
        """People at the customer, as Bokio lists them."""
        return list(self.more.get("contacts", ()))

    @property
    def hides_number(self) -> bool:
        """Bokio has a person's number that a change from here would take away."""
        return bool(self.more.get("hides"))
