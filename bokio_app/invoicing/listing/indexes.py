"""What serves the list of invoices in the database.

Of the customer's reference there is one more, made for PostgreSQL alone: see the migrations.
"""

from django.db import models
from django.db.models.functions import Coalesce, Length

LIST_INDEXES = (
    models.Index(  # sums of a whole filter are read from it alone
        fields=["tenant", "connection", "currency", "status"],
        include=["total", "open_amount"],
        name="invoice_amounts",
    ),
    # Orders, and amounts that are searched for.
    models.Index("tenant", Length("number"), "number", name="invoice_by_number"),
    models.Index(fields=["tenant", "invoice_date"], name="invoice_by_date"),
    models.Index("tenant", Coalesce("due_date", "invoice_date"), name="invoice_by_due"),
    models.Index(fields=["tenant", "total"], name="invoice_by_total"),
    models.Index(fields=["tenant", "open_amount"], name="invoice_by_open"),
)
