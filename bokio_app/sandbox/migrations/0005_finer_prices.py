from decimal import Decimal

from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps
from django.db.models import F


def from_ore(apps: StateApps, _: BaseDatabaseSchemaEditor) -> None:
    """The prices were kept as whole öre."""
    items = apps.get_model("sandbox", "Item").objects
    items.update(unit_price=F("unit_price") * Decimal("0.01"))


class Migration(migrations.Migration):
    dependencies = [("sandbox", "0004_index_for_lists")]

    operations = [
        migrations.AlterField(
            model_name="item",
            name="unit_price",
            field=models.DecimalField(decimal_places=6, default=Decimal(0), max_digits=16),
        ),
        migrations.RunPython(from_ore, migrations.RunPython.noop),
    ]
