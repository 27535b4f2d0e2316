"""Companies that are connected already get a timetable; their first rounds begin bit by bit."""

from datetime import timedelta
from typing import Any

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.utils import timezone

APART = timedelta(seconds=1)
AT_ONCE = 500


def make_timetables(apps: Any, _editor: BaseDatabaseSchemaEditor) -> None:
    connections = apps.get_model("connections", "Connection").objects.exclude(state="ended")
    now = timezone.now()
    moments = (
        (pk, now + APART * place)
        for place, pk in enumerate(connections.order_by("pk").values_list("pk", flat=True))
    )
    mirrors = apps.get_model("mirror", "Mirror")
    mirrors.objects.bulk_create(
        (mirrors(connection_id=pk, next_at=at, all_at=at, open_at=at) for pk, at in moments),
        batch_size=AT_ONCE,
    )


class Migration(migrations.Migration):
    dependencies = [("mirror", "0001_timetables")]

    operations = [migrations.RunPython(make_timetables, migrations.RunPython.noop)]
