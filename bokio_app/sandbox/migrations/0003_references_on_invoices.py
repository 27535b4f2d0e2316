from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps


def note_references(apps: StateApps, _: BaseDatabaseSchemaEditor) -> None:
    """Give invoices that were credited before the references to their credit notes."""
    for note in apps.get_model("sandbox", "CreditNote").objects.order_by("pk").iterator():
        invoice = note.invoice
        invoice.credit_note_refs = [*invoice.credit_note_refs, {"id": str(note.uuid)}]
        invoice.save(update_fields=["credit_note_refs"])


class Migration(migrations.Migration):
    dependencies = [("sandbox", "0002_whole_api")]

    operations = [
        migrations.AddField(
            model_name="invoice",
            name="attachment_refs",
            field=models.JSONField(default=list, help_text="`id` and `name`, in their order"),
        ),
        migrations.AddField(
            model_name="invoice",
            name="credit_note_refs",
            field=models.JSONField(default=list, help_text="`id`, in their order"),
        ),
        migrations.RunPython(note_references, migrations.RunPython.noop),
    ]
